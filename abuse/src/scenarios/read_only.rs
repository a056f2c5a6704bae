//! The database server refuses writes for a while, as during maintenance or a failover.

use std::time::Duration;

use anyhow::Result;
use model_registry_testkit::{Backend, DatabaseServer, TestDatabase};

use crate::faulty::Faulty;
use crate::scenario::{Group, Limits, Measured, NONE, SERVERS, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "read-only",
    about: "the database server is read-only for a while",
    group: Group::Fault,
    databases: SERVERS,
    short: NONE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

const POSTGRES: [&[&str]; 2] = [
    &["ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"],
    &["ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()"],
];
const MARIADB: [&[&str]; 2] = [&["SET GLOBAL read_only = 1"], &["SET GLOBAL read_only = 0"]];
/// Administrators may write to a MariaDB server that is read-only.
const ORDINARY_USER: [&str; 2] = [
    "CREATE USER ordinary@'%' IDENTIFIED BY 'p'",
    "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER ON *.* TO ordinary@'%'",
];

async fn run(stage: Stage) -> Result<Measured> {
    let server = DatabaseServer::start(stage.backend).await?;
    let database = TestDatabase::create_on(stage.backend, &server.url()).await?;
    let mut url = database.url().to_owned();
    let [begin, end] = if stage.backend == Backend::Postgres {
        POSTGRES
    } else {
        execute(&database, &ORDINARY_USER).await?;
        url = url.replace("//t:", "//ordinary:");
        MARIADB
    };
    let mut faulty = Faulty::start(&stage, &url).await?;
    execute(&database, begin).await?;
    faulty.lasts(Duration::from_secs(3)).await;
    faulty.expect_unready("the database is read-only").await?;
    execute(&database, end).await?;
    faulty.ends().await?;
    faulty.finish().await
}

async fn execute(database: &TestDatabase, statements: &[&'static str]) -> Result<()> {
    for statement in statements {
        database.execute(statement).await?;
    }
    Ok(())
}
