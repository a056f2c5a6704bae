//! A server on which faults are caused one after the other, with clients that write in the meantime.

use std::time::{Duration, Instant};

use anyhow::Result;
use model_registry_testkit::Executable;
use model_registry_testkit::executable::Launch;

use crate::api::Api;
use crate::load::Load;
use crate::scenario::Measured;
use crate::stage::Stage;

const WRITERS: usize = 4;
/// Limit for the recovery of the clients, far beyond that of any scenario.
const PATIENCE: Duration = Duration::from_secs(90);
/// Time for a failure that follows the first successful writes.
const AFTERMATH: Duration = Duration::from_secs(3);
/// Time limit of a request at the server, so that a request that hangs is seen as a failure.
const REQUEST_TIMEOUT: &str = "15s";

pub(crate) struct Faulty {
    pub(crate) server: Executable,
    pub(crate) api: Api,
    load: Load,
    /// When each fault ended, and when the clients had recovered from it.
    recoveries: Vec<(Instant, Instant)>,
    problems: Vec<String>,
}

impl Faulty {
    /// Starts a registry on a database, and clients that write.
    pub(crate) async fn start(stage: &Stage, database_url: &str) -> Result<Self> {
        Self::start_with(stage.launch("server", database_url)).await
    }

    pub(crate) async fn start_with(launch: Launch) -> Result<Self> {
        let server = launch.arguments(["--limits-request-timeout", REQUEST_TIMEOUT]).start().await?;
        let api = Api::of(&server)?;
        let load = Load::start(&api, WRITERS, "load-")?;
        load.more(20, PATIENCE).await?;
        Ok(Self { server, api, load, recoveries: Vec::new(), problems: Vec::new() })
    }

    /// Lets the fault last for a while.
    pub(crate) async fn lasts(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    /// Notes something that is not as it has to be.
    pub(crate) fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(problem());
        }
    }

    /// Notes that the server is alive but does not report that it cannot serve.
    pub(crate) async fn expect_unready(&mut self, why: &str) -> Result<()> {
        // Health is probed every few seconds.
        let start = Instant::now();
        let mut status = 0;
        while status != 503 && start.elapsed() < Duration::from_secs(12) {
            status = self.api.get("/readyz").await?.status;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        self.expect(status == 503, || format!("`/readyz` is {status} while {why}"));
        let status = self.api.get("/livez").await?.status;
        self.expect(status == 200, || format!("`/livez` is {status} while {why}"));
        Ok(())
    }

    /// The fault has ended now: waits until the clients are served again.
    pub(crate) async fn ends(&mut self) -> Result<()> {
        let end = Instant::now();
        self.load.without_requests_before(end, PATIENCE).await?;
        self.load.more(WRITERS, PATIENCE).await?;
        tokio::time::sleep(AFTERMATH).await;
        self.load.more(20, PATIENCE).await?;
        self.recoveries.push((end, Instant::now()));
        Ok(())
    }

    pub(crate) async fn finish(self) -> Result<Measured> {
        let api = self.api.clone();
        self.finish_by(&api).await
    }

    /// Compares what was acknowledged with what another server of the same database returns.
    pub(crate) async fn finish_by(self, api: &Api) -> Result<Measured> {
        let Self { server, load, recoveries, mut problems, .. } = self;
        let ledger = load.end().await;
        let memory = server.peak_memory()?;
        let damage = ledger.compare(api).await?;
        problems.extend(ledger.unexpected_statuses());
        if server.log().contains("panicked") {
            problems.push("the log has a panic".to_owned());
        }
        let times = recoveries.iter().map(|(end, recovered)| ledger.time_to_recover(*end, *recovered));
        Ok(Measured {
            acknowledged: ledger.acknowledged(),
            lost: damage.lost,
            partial: damage.partial,
            unserved: times.max().unwrap_or_default(),
            memory,
            problems,
        })
    }
}
