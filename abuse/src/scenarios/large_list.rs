//! Lists of entities that are as large as a request body permits.

use anyhow::{Result, ensure};
use futures::future::join_all;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, NONE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "large-list",
    about: "lists of 40 entities of 15 MiB: one, then four at once",
    group: Group::Abuse,
    databases: EVERY,
    short: NONE,
    limits: Limits::unserved(10),
    run: |stage| Box::pin(run(stage)),
};

const ENTITIES: usize = 40;
const SIZE: usize = 15 << 20;
const LIST: &str = "registered_models?pageSize=1000&filterQuery=name%20LIKE%20'large-%25'";

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start(&stage).await?;
    for number in 0..stage.amount(8, ENTITIES) {
        let body = format!("{{\"name\": \"large-{number}\", \"description\": \"{}\"}}", "x".repeat(SIZE));
        let response = abused.api.post("registered_models", body).await?;
        ensure!(response.status == 201, "entity {number}: {} {}", response.status, response.text());
    }
    abused.begin();
    let one = abused.api.get(LIST).await?;
    abused.expect([200, 503].contains(&one.status), || format!("one list: {} {}", one.status, one.text()));
    drop(one);
    let clients = (0..4).map(|_| abused.api.apart()).collect::<Result<Vec<_>>>()?;
    let all = join_all(clients.iter().map(|client| async { client.get(LIST).await.map(|response| response.status) }));
    for status in all.await {
        let status = status?;
        abused.expect([200, 503].contains(&status), || format!("one of four lists: {status}"));
    }
    abused.finish().await
}
