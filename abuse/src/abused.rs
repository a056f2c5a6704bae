//! A server under abuse, with other clients that go on in the meantime.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Result;
use model_registry_testkit::executable::Launch;
use model_registry_testkit::{Executable, TestDatabase};

use crate::api::Api;
use crate::load::Load;
use crate::scenario::Measured;
use crate::stage::Stage;

const WRITERS: usize = 2;
const PREFIX: &str = "load-";
/// Time for a write, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Abused {
    pub(crate) server: Executable,
    pub(crate) api: Api,
    load: Load,
    since: Instant,
    problems: Vec<String>,
    _database: TestDatabase,
}

impl Abused {
    /// Starts a registry on an empty database, and the other clients.
    pub(crate) async fn start(stage: &Stage) -> Result<Self> {
        let database = stage.database().await?;
        let launch = stage.launch("server", database.url());
        Self::start_with(database, launch, Ok).await
    }

    /// The same with a catalog.
    pub(crate) async fn start_with_catalog(stage: &Stage) -> Result<Self> {
        let database = stage.database().await?;
        let launch = stage.launch("up", database.url());
        Self::start_with(database, launch, Ok).await
    }

    /// Starts a prepared server; the other clients are what the function makes of an anonymous one.
    pub(crate) async fn start_with(
        database: TestDatabase,
        launch: Launch,
        client: impl FnOnce(Api) -> Result<Api>,
    ) -> Result<Self> {
        let server = launch.start().await?;
        let api = client(Api::of(&server)?)?;
        let load = Load::start(&api, WRITERS, PREFIX)?;
        load.more(WRITERS, PATIENCE).await?;
        Ok(Self { server, api, load, since: Instant::now(), problems: Vec::new(), _database: database })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.server.port()))
    }

    /// The abuse begins now, not with the preparations.
    pub(crate) fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// Notes something that is not as it has to be.
    pub(crate) fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(problem());
        }
    }

    /// Notes a status that is neither one of the client's fault nor one of overload.
    pub(crate) fn expect_rejection(&mut self, status: u16, what: &str) {
        self.expect((400..500).contains(&status) || [503, 504].contains(&status), || format!("{what}: {status}"));
    }

    /// Like `finish`; then the server has to end within a limit after SIGTERM.
    pub(crate) async fn finish_by_signal(self, limit: Duration) -> Result<Measured> {
        let (mut measured, mut server) = self.measure().await?;
        if tokio::time::timeout(limit, server.terminate()).await.is_err() {
            measured.problems.push(format!("the server has not ended {limit:?} after SIGTERM"));
        }
        Ok(measured)
    }

    /// Waits until the other clients are served again, and compares what was acknowledged with what is stored.
    pub(crate) async fn finish(self) -> Result<Measured> {
        Ok(self.measure().await?.0)
    }

    async fn measure(self) -> Result<(Measured, Executable)> {
        let Self { server, api, load, since, mut problems, _database } = self;
        if let Err(error) = load.more(WRITERS, PATIENCE).await {
            problems.push(error.to_string());
        }
        let ledger = load.end().await;
        let memory = server.peak_memory()?;
        let damage = ledger.compare(&api).await?;
        problems.extend(ledger.unexpected_statuses());
        if server.log().contains("panicked") {
            problems.push("the log has a panic".to_owned());
        }
        let measured = Measured {
            acknowledged: ledger.acknowledged(),
            lost: damage.lost,
            partial: damage.partial,
            unserved: ledger.longest_gap(since),
            memory,
            problems,
        };
        Ok((measured, server))
    }
}
