//! Responses over HTTP/2 that are not read.

use std::time::Duration;

use anyhow::{Result, ensure};
use model_registry_testkit::abuse::UnreadStreams;
use tokio::task::JoinSet;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, NONE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "http2-unread",
    about: "20 connections with 50 streams each whose responses of 8 MB are not read",
    group: Group::Abuse,
    databases: EVERY,
    short: NONE,
    limits: Limits::unserved(10),
    run: |stage| Box::pin(run(stage)),
};

const CONNECTIONS: usize = 20;
const STREAMS: usize = 50;
/// The server closes connections that make no progress after its write timeout, and those whose responses were all refused, and
/// which are idle, after its header timeout; generous, for a busy machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(30);
const PATH: &str = "/api/model_registry/v1alpha3/registered_models?pageSize=8&filterQuery=name%20LIKE%20'large-%25'";

async fn run(stage: Stage) -> Result<Measured> {
    let database = stage.database().await?;
    let limits = ["--limits-write-timeout", "5s", "--limits-header-timeout", "5s"];
    let launch = stage.launch("server", database.url()).arguments(limits);
    let mut abused = Abused::start_with(database, launch, Ok).await?;
    for number in 0..8 {
        let body = format!("{{\"name\": \"large-{number}\", \"description\": \"{}\"}}", "x".repeat(1 << 20));
        let response = abused.api.post("registered_models", body).await?;
        ensure!(response.status == 201, "entity {number}: {} {}", response.status, response.text());
    }
    abused.begin();
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let connection = UnreadStreams::open(abused.address(), PATH, STREAMS).await?;
        connections.spawn(tokio::time::timeout(CLOSED_WITHIN, connection.receive_all()));
    }
    let mut open = 0;
    while let Some(ended) = connections.join_next().await {
        open += usize::from(ended?.is_err());
    }
    abused.expect(open == 0, || format!("{open} connections are open after {CLOSED_WITHIN:?}"));
    abused.finish().await
}
