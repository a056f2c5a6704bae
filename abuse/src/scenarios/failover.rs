//! A failover: the primary server becomes read-only while its sessions survive, and the standby takes over.

use anyhow::Result;
use model_registry_testkit::{PostgresServer, TcpProxy, TestDatabase, server_directory};

use crate::api::Api;
use crate::faulty::Faulty;
use crate::scenario::{Group, Limits, Measured, NONE, POSTGRES, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "failover",
    about: "the primary server turns read-only and keeps its sessions, the standby is promoted, new connections reach it",
    group: Group::Fault,
    databases: POSTGRES,
    short: NONE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

async fn run(stage: Stage) -> Result<Measured> {
    let directory = server_directory()?;
    let primary = PostgresServer::start(&directory.path().join("primary")).await?;
    let standby = primary.start_standby(&directory.path().join("standby")).await?;
    let database = TestDatabase::create_on(stage.backend, &primary.url()).await?;
    let proxy = TcpProxy::start(primary.port()).await?;
    let mut faulty = Faulty::start(&stage, &proxy.in_front_of(database.url())?).await?;

    // Sessions that exist turn read-only too.
    database.execute("ALTER SYSTEM SET default_transaction_read_only = on").await?;
    database.execute("SELECT pg_reload_conf()").await?;
    faulty.expect_unready("the database is read-only").await?;
    standby.catch_up_with(&primary).await?;
    standby.promote().await?;
    proxy.redirect(standby.port());
    faulty.ends().await?;

    // Read by a server that knows nothing but the new primary.
    let new_url = database.url().replace(&format!(":{}/", primary.port()), &format!(":{}/", standby.port()));
    let fresh = stage.launch("server", &new_url).start().await?;
    faulty.finish_by(&Api::of(&fresh)?).await
}
