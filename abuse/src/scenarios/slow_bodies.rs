//! Bodies that arrive very slowly.

use std::time::Duration;

use anyhow::Result;
use model_registry_testkit::abuse::SlowBody;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "slow-bodies",
    about: "1,100 request bodies of which a byte per second arrives",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

const BODIES: usize = 1_100;
const PATH: &str = "/api/model_registry/v1alpha3/registered_models";

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start(&stage).await?;
    abused.begin();
    let mut bodies = Vec::new();
    for _ in 0..BODIES {
        bodies.push(SlowBody::start(abused.address(), PATH, 10_000).await?);
    }
    for _ in 0..stage.amount(3, 10) {
        for body in &mut bodies {
            // The server may have rejected it.
            let _ = body.send(b" ").await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let client = abused.api.apart()?;
    let status = client.get("registered_models?pageSize=1").await?.status;
    abused.expect(status == 200, || format!("a list in the meantime: {status}"));
    drop(bodies);
    abused.finish().await
}
