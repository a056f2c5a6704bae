//! JSON that is nested deeply.

use anyhow::Result;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "deep-json",
    about: "bodies with up to five million levels of nesting, and keys that are repeated a million times",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start(&stage).await?;
    abused.begin();
    let many = 5_000_000;
    let bodies = [
        ("five million brackets", "[".repeat(many)),
        ("brackets that are closed", format!("{}{}", "[".repeat(many), "]".repeat(many))),
        ("objects within objects", format!("{}1{}", "{\"a\":".repeat(1_000_000), "}".repeat(1_000_000))),
        ("a deep custom property", format!("{{\"name\": \"x\", \"customProperties\": {}", "{\"a\":".repeat(1_000_000))),
        (
            "a deep field that is not known",
            format!("{{\"name\": \"x\", \"y\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000)),
        ),
        ("a key a million times", format!("{{{}\"z\":1}}", "\"z\":1,".repeat(1_000_000))),
    ];
    for (what, body) in bodies {
        for path in ["registered_models", "registered_models:register"] {
            let status = abused.api.post(path, body.clone()).await?.status;
            abused.expect_rejection(status, what);
        }
    }
    abused.finish().await
}
