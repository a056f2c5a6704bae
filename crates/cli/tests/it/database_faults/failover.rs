//! A server that cannot be written, such as a standby, and the change to another one.

use model_registry_testkit::{Backend, DatabaseServer, Stop, TcpProxy, TestDatabase};
use tempfile::TempDir;

use super::{Acknowledged, RECOVERY_LIMIT, check_log, check_not_ready, ready_eventually};
use crate::database_server::if_installed;
use crate::support::{Client, eventually, server_on};

const READ_ONLY: &str = "the database is read-only";

#[tokio::test]
async fn after_a_failover_behind_one_address_writes_succeed_on_the_promoted_standby() {
    let Some(mut databases) = if_installed(DatabaseServer::start(Backend::Postgres).await) else { return };
    let database = TestDatabase::create_on(Backend::Postgres, &databases.url()).await.unwrap();
    let directory = TempDir::new().unwrap();
    let primary = databases.postgres().unwrap();
    let standby = primary.start_standby(&enterable(&directory)).await.unwrap();
    let proxy = TcpProxy::start(primary.port()).await.unwrap();
    let server = server_on(&proxy.in_front_of(database.url()).unwrap()).start().await.unwrap();
    let client = Client::of(&server);
    let mut models = Acknowledged::default();
    assert_eq!(models.create(&client, "before", 100).await.0, 201);
    standby.catch_up_with(primary).await.unwrap();

    // The address leads to the standby before it is promoted.
    proxy.redirect(standby.port());
    primary.stop(Stop::Hard).await.unwrap();
    eventually("reads come from the standby", async || client.get("registered_models").await.status == 200).await;
    models.check(&client).await;
    let (status, message) = models.create(&client, "too-early", 100).await;
    assert!(status == 503 && message.contains(READ_ONLY), "{status} {message}");
    check_not_ready(&client, READ_ONLY).await;

    standby.promote().await.unwrap();
    let took = models.create_eventually(&client, "after", 100).await;
    assert!(took < RECOVERY_LIMIT, "recovered after {took:?}");
    // No other connection is left that is read-only.
    for number in 0..40 {
        let (status, message) = models.create(&client, &format!("after-all-{number}"), 100).await;
        assert_eq!(status, 201, "{message}");
    }
    ready_eventually(&client).await;
    models.check(&client).await;
    check_log(&server, &[READ_ONLY, "the database stores writes again"]);
}

#[tokio::test]
async fn of_several_servers_the_writable_one_is_used_before_and_after_a_failover() {
    let Some(mut databases) = if_installed(DatabaseServer::start(Backend::Postgres).await) else { return };
    let database = TestDatabase::create_on(Backend::Postgres, &databases.url()).await.unwrap();
    let directory = TempDir::new().unwrap();
    let primary = databases.postgres().unwrap();
    let standby = primary.start_standby(&enterable(&directory)).await.unwrap();
    // The standby comes first.
    let both = format!("127.0.0.1:{},127.0.0.1:{}", standby.port(), primary.port());
    let url = database.url().replace(&format!("127.0.0.1:{}", primary.port()), &both);
    let server = server_on(&url).start().await.unwrap();
    let client = Client::of(&server);
    let mut models = Acknowledged::default();
    for number in 0..10 {
        let (status, message) = models.create(&client, &format!("before-{number}"), 100).await;
        assert_eq!(status, 201, "{message}");
    }
    standby.catch_up_with(primary).await.unwrap();
    primary.stop(Stop::Hard).await.unwrap();
    eventually("reads come from the standby", async || client.get("registered_models").await.status == 200).await;
    check_not_ready(&client, READ_ONLY).await;
    standby.promote().await.unwrap();
    let took = models.create_eventually(&client, "after", 100).await;
    assert!(took < RECOVERY_LIMIT, "recovered after {took:?}");
    ready_eventually(&client).await;
    models.check(&client).await;
}

#[tokio::test]
async fn a_postgres_server_that_becomes_read_only_is_not_ready_until_it_is_writable() {
    let Some(databases) = if_installed(DatabaseServer::start(Backend::Postgres).await) else { return };
    let database = TestDatabase::create_on(Backend::Postgres, &databases.url()).await.unwrap();
    let set = async |value: &'static str| {
        database.execute(value).await.unwrap();
        database.execute("SELECT pg_reload_conf()").await.unwrap();
    };
    let server = server_on(database.url()).start().await.unwrap();
    become_read_only_and_writable(
        &Client::of(&server),
        async || set("ALTER SYSTEM SET default_transaction_read_only = on").await,
        // The session that makes it writable again is read-only itself.
        async || set("ALTER SYSTEM RESET default_transaction_read_only").await,
    )
    .await;
    check_log(&server, &[READ_ONLY]);
}

#[tokio::test]
async fn a_mariadb_server_that_becomes_read_only_is_not_ready_until_it_is_writable() {
    let Some(databases) = if_installed(DatabaseServer::start(Backend::MariaDb).await) else { return };
    let database = TestDatabase::create_on(Backend::MariaDb, &databases.url()).await.unwrap();
    // Administrators may write to a server that is read-only.
    for statement in [
        "CREATE USER ordinary@'%' IDENTIFIED BY 'p'",
        "GRANT CREATE, ALTER, DROP, INDEX, REFERENCES, SELECT, INSERT, UPDATE, DELETE ON *.* TO ordinary@'%'",
    ] {
        database.execute(statement).await.unwrap();
    }
    let server = server_on(&database.url().replace("t:p@", "ordinary:p@")).start().await.unwrap();
    become_read_only_and_writable(
        &Client::of(&server),
        async || database.execute("SET GLOBAL read_only = 1").await.unwrap(),
        async || database.execute("SET GLOBAL read_only = 0").await.unwrap(),
    )
    .await;
    check_log(&server, &[READ_ONLY]);
}

async fn become_read_only_and_writable(client: &Client, read_only: impl AsyncFn(), writable: impl AsyncFn()) {
    let mut models = Acknowledged::default();
    assert_eq!(models.create(client, "before", 100).await.0, 201);
    read_only().await;
    let mut number = 0;
    eventually("writes fail", async || {
        number += 1;
        let (status, message) = models.create(client, &format!("read-only-{number}"), 100).await;
        assert!(status == 201 || message.contains(READ_ONLY), "{status} {message}");
        status == 503
    })
    .await;
    models.check(client).await;
    check_not_ready(client, READ_ONLY).await;
    writable().await;
    models.create_eventually(client, "after", 100).await;
    ready_eventually(client).await;

    // Without any write of a client, the probe of readiness notices both.
    read_only().await;
    eventually("not ready", async || client.get("/readyz").await.status == 503).await;
    writable().await;
    ready_eventually(client).await;
    models.check(client).await;
}

/// A directory that other users can enter, because the server runs as its own user.
fn enterable(directory: &TempDir) -> std::path::PathBuf {
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(directory.path(), permissions).unwrap();
    directory.path().join("standby")
}
