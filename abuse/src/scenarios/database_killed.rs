//! The database server is killed while clients write, and started again.

use std::time::Duration;

use anyhow::Result;
use model_registry_testkit::{DatabaseServer, TestDatabase};

use crate::faulty::Faulty;
use crate::scenario::{Group, Limits, Measured, NONE, SERVERS, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "database-killed",
    about: "the database server is killed while clients write, and starts again after two seconds",
    group: Group::Fault,
    databases: SERVERS,
    short: NONE,
    limits: Limits::unserved(10),
    run: |stage| Box::pin(run(stage)),
};

async fn run(stage: Stage) -> Result<Measured> {
    let mut databases = DatabaseServer::start(stage.backend).await?;
    let database = TestDatabase::create_on(stage.backend, &databases.url()).await?;
    let mut faulty = Faulty::start(&stage, database.url()).await?;
    for _ in 0..3 {
        databases.stop().await?;
        faulty.lasts(Duration::from_secs(2)).await;
        faulty.expect_unready("the database server does not run").await?;
        databases.start_again().await?;
        faulty.ends().await?;
    }
    faulty.finish().await
}
