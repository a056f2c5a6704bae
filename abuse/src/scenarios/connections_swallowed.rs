//! A middlebox forgets the connections to the database: nothing passes on them, and neither side learns of it.

use std::time::Duration;

use anyhow::{Context, Result};
use model_registry_testkit::TcpProxy;

use crate::faulty::Faulty;
use crate::scenario::{Group, Limits, Measured, NONE, SERVERS, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "connections-swallowed",
    about: "a proxy stops to forward on the connections to the database, and forwards new ones",
    group: Group::Fault,
    databases: SERVERS,
    short: NONE,
    limits: Limits::unserved(10),
    run: |stage| Box::pin(run(stage)),
};

async fn run(stage: Stage) -> Result<Measured> {
    let database = stage.database().await?;
    let proxy = TcpProxy::start(database_port(database.url())?).await?;
    let mut faulty = Faulty::start(&stage, &proxy.in_front_of(database.url())?).await?;
    for _ in 0..stage.amount(1, 3) {
        proxy.swallow();
        faulty.ends().await?;
    }
    // New connections hang too, for a while.
    proxy.swallow_new(true);
    proxy.swallow();
    faulty.lasts(Duration::from_secs(stage.amount(1, 8))).await;
    proxy.swallow_new(false);
    faulty.ends().await?;
    faulty.finish().await
}

/// The port in a database URL of the test kit.
pub(super) fn database_port(database_url: &str) -> Result<u16> {
    let port = database_url.rsplit_once('@').and_then(|(_, rest)| rest.split_once(':')?.1.split('/').next());
    Ok(port.context("the database URL has no port")?.parse()?)
}
