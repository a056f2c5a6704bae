//! A network that loses packets: a rule of the kernel drops those of some connections, or of all.

use model_registry_testkit::{Backend, NetworkNamespace, TcpProxy, TestDatabase};

use super::{Acknowledged, RECOVERY_LIMIT, check_log, ready_eventually};
use crate::support::{Client, eventually, role_on};

#[tokio::test]
async fn a_registry_recovers_when_packets_are_lost() {
    if !Backend::Postgres.is_configured() {
        return;
    }
    let Some(mut network) = NetworkNamespace::create().unwrap() else { return };
    let database = TestDatabase::create(Backend::Postgres).await.unwrap();
    let port = database.url().rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()?.parse().ok()).unwrap();
    let proxy = TcpProxy::start_on(&network.outside(), port).await.unwrap();
    let listen = format!("{}:{{port}}", network.inside());
    let server = role_on("server", &proxy.in_front_of(database.url()).unwrap())
        .arguments(["--listen", &listen, "--allow-anonymous", "--log-level", "info,access=off"])
        .within(&network)
        .start()
        .await
        .unwrap();
    let client = Client::of(&server);
    let mut models = Acknowledged::default();
    assert_eq!(models.create(&client, "before", 100).await.0, 201);

    // A firewall has forgotten the connections: their packets are dropped, those of new connections pass.
    for port in proxy.peers() {
        network.drop_packets(proxy.port(), Some(port)).unwrap();
    }
    let took = models.create_eventually(&client, "forgotten", 100).await;
    assert!(took < RECOVERY_LIMIT, "recovered after {took:?}");
    ready_eventually(&client).await;

    // Everything is lost for a while.
    network.drop_packets(proxy.port(), None).unwrap();
    eventually("writes fail", async || models.create(&client, "lost", 100).await.0 == 503).await;
    assert_eq!(client.get("/readyz").await.status, 503);
    network.pass_packets().unwrap();
    let took = models.create_eventually(&client, "after", 100).await;
    assert!(took < RECOVERY_LIMIT, "recovered after {took:?}");
    ready_eventually(&client).await;
    models.check(&client).await;
    check_log(&server, &["database not reachable"]);
}
