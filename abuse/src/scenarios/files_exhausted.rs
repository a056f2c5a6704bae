//! Clients take all file descriptors of the server.

use std::time::{Duration, Instant};

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
    // A client that was not connected before, such as a kubelet, which repeats a probe that failed.
    let begun = Instant::now();
    let mut is_alive = false;
    while !is_alive && begun.elapsed() < PROBE_LIMIT {
        let client = abused.api.apart()?;
        let probe = tokio::time::timeout(Duration::from_secs(1), client.get("/livez")).await;
        is_alive = probe.is_ok_and(|probe| probe.is_ok_and(|response| response.status == 200));
    }
    abused.expect(is_alive, || format!("no new connection reached `/livez` within {PROBE_LIMIT:?}"));
    tokio::time::sleep(Duration::from_secs(stage.amount(1, 5))).await;
    drop(connections);
    abused.finish().await
}
