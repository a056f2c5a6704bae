//! Heads of requests that never end.

use std::time::Duration;

use anyhow::Result;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::abused::Abused;
use crate::raw::{exchange, statuses};
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "header-flood",
    about: "40 connections with 100,000 header lines each, and 500 whose heads arrive slowly",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start(&stage).await?;
    abused.begin();
    let mut slow = Vec::new();
    for _ in 0..500 {
        let mut connection = TcpStream::connect(abused.address()).await?;
        connection.write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX: ").await?;
        slow.push(connection);
    }
    let head = format!("GET /livez HTTP/1.1\r\nHost: localhost\r\n{}", "X-Padding: 0123456789\r\n".repeat(100_000));
    let mut floods = JoinSet::new();
    for _ in 0..stage.amount(10, 40) {
        let (address, head) = (abused.address(), head.clone());
        floods.spawn(async move { exchange(address, head.as_bytes()).await });
    }
    while let Some(received) = floods.join_next().await {
        let statuses = statuses(&received??);
        abused.expect(statuses == [431], || format!("100,000 header lines: {statuses:?} instead of 431"));
    }
    for _ in 0..stage.amount(2, 5) {
        for connection in &mut slow {
            let _ = connection.write_all(b"x").await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    abused.finish().await
}
