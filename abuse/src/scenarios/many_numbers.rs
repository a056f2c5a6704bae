//! Small values of which there are millions, each much larger in memory than in the body.

use anyhow::Result;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, NONE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "many-numbers",
    about: "bodies of 15 MiB that are lists of numbers, of empty objects, and objects of a million members",
    group: Group::Abuse,
    databases: EVERY,
    short: NONE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

const SIZE: usize = 15 << 20;

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start(&stage).await?;
    let list = |item: &str| format!("[{}{item}]", format!("{item},").repeat(SIZE / (item.len() + 1)));
    let members: Vec<String> = (0..1_000_000).map(|number| format!("\"{number}\":1")).collect();
    let property = list("1");
    let bodies = [
        ("a list of numbers", list("1")),
        ("a list of empty objects", list("{}")),
        ("a million members", format!("{{{}}}", members.join(","))),
        ("numbers within a field", format!("{{\"name\": \"numbers\", \"customProperties\": {property}}}")),
        ("numbers within a property", format!("{{\"name\": \"p\", \"customProperties\": {{\"p\": {property}}}}}")),
    ];
    abused.begin();
    for (what, body) in bodies {
        let status = abused.api.post("registered_models", body).await?.status;
        abused.expect_rejection(status, what);
    }
    abused.finish().await
}
