//! What programs in a pod share: the level of the log, the runtime, signals.

use anyhow::Context as _;
use model_registry_jobs::Level;
use model_registry_server::config::Environment;
use model_registry_transfer::Stop;

use crate::transfer::stop_on_signals;

/// The level of the log.
const LOG_LEVEL: &str = "LOGLEVEL";

/// The level that a variable sets; the error says what is wrong with it.
pub(crate) fn jobs_log(environment: &Environment) -> Result<Level, String> {
    let Some(text) = environment.get(LOG_LEVEL) else { return Ok(Level::Info) };
    Level::parse(text).ok_or_else(|| format!("Unknown level: '{text}': write DEBUG, INFO, WARNING or ERROR"))
}

/// Runs work on its own threads until it ends. SIGTERM and Ctrl-C stop it with clean-up.
pub(crate) fn run_to_end<T>(stop: &Stop, work: impl Future<Output = T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    Ok(runtime.block_on(async {
        stop_on_signals(stop);
        work.await
    }))
}
