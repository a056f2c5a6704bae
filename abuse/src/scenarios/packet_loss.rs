//! The network between server and database loses all packets for a while.

use std::time::Duration;

use anyhow::{Context, Result};
use model_registry_testkit::{Executable, NetworkNamespace};

use crate::faulty::Faulty;
use crate::scenario::{Group, Limits, Measured, NONE, NotPossible, SERVERS, Scenario};
use crate::scenarios::connections_swallowed::database_port;
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "packet-loss",
    about: "a network namespace loses every packet from the database, for 8 seconds or on the connections that exist",
    group: Group::Fault,
    databases: SERVERS,
    short: NONE,
    limits: Limits::unserved(10),
    run: |stage| Box::pin(run(stage)),
};

async fn run(stage: Stage) -> Result<Measured> {
    let namespace = NetworkNamespace::create()?;
    let mut namespace = namespace.context(NotPossible("a network namespace requires root and iproute2"))?;
    let database = stage.database().await?;
    let server_port = database_port(database.url())?;
    // The database server listens on 127.0.0.1 only, which the namespace does not reach.
    let proxy = model_registry_testkit::TcpProxy::start_on(&namespace.outside(), server_port).await?;
    let url = proxy.in_front_of(database.url())?;
    let launch = Executable::launch(&stage.executable).within(&namespace);
    let listen = format!("{}:{{port}}", namespace.inside());
    let launch = launch.arguments(["server", "--listen", &listen, "--allow-anonymous", "--allowed-hosts", "*"]);
    let mut faulty = Faulty::start_with(launch.arguments(["--log-level", "warn", "--database", &url])).await?;

    namespace.drop_packets(proxy.port(), None)?;
    faulty.lasts(Duration::from_secs(8)).await;
    namespace.pass_packets()?;
    faulty.ends().await?;

    for port in proxy.peers() {
        namespace.drop_packets(proxy.port(), Some(port))?;
    }
    faulty.ends().await?;
    namespace.pass_packets()?;
    faulty.finish().await
}
