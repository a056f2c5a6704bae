//! Many bodies of maximum size at the same time.

use anyhow::Result;
use futures::future::join_all;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "large-bodies",
    about: "64 request bodies of 16 MiB at once",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(10),
    run: |stage| Box::pin(run(stage)),
};

const LIMIT: usize = 16 << 20;

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start(&stage).await?;
    // Rejected after it was read: otherwise the database would take a gigabyte.
    let mut body = format!("{{\"name\": 1, \"description\": \"{}\"}}", "x".repeat(LIMIT - 100));
    body.extend(std::iter::repeat_n(' ', LIMIT - body.len()));
    let body: &'static str = Box::leak(body.into_boxed_str());
    abused.begin();
    let clients = (0..stage.amount(24, 64)).map(|_| abused.api.apart()).collect::<Result<Vec<_>>>()?;
    let all = join_all(clients.iter().map(|client| async {
        // A server that rejects a body early may break the connection before its response was read.
        client.post("registered_models", body).await.ok().map(|response| response.status)
    }));
    for status in all.await.into_iter().flatten() {
        abused.expect_rejection(status, "a body of 16 MiB");
    }
    abused.finish().await
}
