//! Clients take all file descriptors of the server.

use std::time::Duration;

use anyhow::Result;
use model_registry_testkit::Executable;
use tokio::net::TcpStream;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, NONE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "files-exhausted",
    about: "600 idle connections to a server that may open 256 files",
    group: Group::Abuse,
    databases: EVERY,
    short: NONE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

/// Limit for a new connection to the liveness probe.
const PROBE_LIMIT: Duration = Duration::from_secs(5);

async fn run(stage: Stage) -> Result<Measured> {
    let database = stage.database().await?;
    // The shell lowers the limit, and is replaced by the executable.
    let program = stage.executable.canonicalize()?.display().to_string();
    let shell = Executable::launch("/bin/sh").arguments(["-c", "ulimit -n 256; exec \"$0\" \"$@\"", &program]);
    let launch = Stage::launch_by(shell, "server", database.url());
    let mut abused = Abused::start_with(database, launch, Ok).await?;
    abused.begin();
    let mut connections = Vec::new();
    for _ in 0..600 {
        // Connections beyond the limit wait in the kernel's queue, or are closed.
        let connecting = TcpStream::connect(abused.address());
        connections.extend(tokio::time::timeout(Duration::from_millis(100), connecting).await.ok());
    }
    // A client that was not connected before, such as a kubelet.
    let client = abused.api.apart()?;
    let probe = tokio::time::timeout(PROBE_LIMIT, client.get("/livez")).await;
    abused.expect(matches!(&probe, Ok(Ok(response)) if response.status == 200), || {
        let problem = probe.map(|result| result.map(|response| response.status));
        format!("a new connection to `/livez`: {problem:?}")
    });
    tokio::time::sleep(Duration::from_secs(stage.amount(1, 5))).await;
    drop(connections);
    abused.finish().await
}
