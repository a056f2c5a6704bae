//! HTTP/2 rapid reset: requests that are cancelled as soon as they were sent.

use anyhow::{Result, ensure};
use model_registry_testkit::abuse::UnreadStreams;
use tokio::task::JoinSet;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "rapid-reset",
    about: "20 HTTP/2 connections that send 5,000 requests each and reset them at once",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

const PATH: &str = "/api/model_registry/v1alpha3/registered_models?pageSize=1000";

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start(&stage).await?;
    abused.begin();
    let requests = stage.amount(1_000, 5_000);
    let mut connections = JoinSet::new();
    for _ in 0..20 {
        let address = abused.address();
        connections.spawn(async move {
            let mut connection = UnreadStreams::open(address, PATH, 0).await?;
            for sent in 0..requests {
                let request = async {
                    let stream = connection.request(PATH).await?;
                    connection.reset(stream).await
                };
                // The server closes a connection that does this.
                if request.await.is_err() {
                    return Ok(sent);
                }
            }
            anyhow::Ok(requests)
        });
    }
    let mut sent = 0;
    while let Some(requests) = connections.join_next().await {
        sent += requests??;
    }
    ensure!(sent > 0, "no request was sent");
    abused.finish().await
}
