//! Common parts of `export` and `import`: access to the database without a server, and the progress line.

use std::fs::File;
use std::future::Future;
use std::io::{IsTerminal, Write, stderr};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ArgMatches;
use clap::parser::ValueSource;
use model_registry_base::Clock;
use model_registry_base::files::RegularFile;
use model_registry_server::config::{self as key, Setting, Settings};
use model_registry_store::{Counts, Progress, Store};

use crate::database;
use crate::failure::CommandError;

/// Minimum time between two updates of the progress line.
const REPORT_EVERY: Duration = Duration::from_millis(250);

/// Opens the database of the settings and runs `work` on it.
pub(crate) fn with_store<F, T>(settings: &Settings, work: impl FnOnce(Store) -> F) -> anyhow::Result<T>
where
    F: Future<Output = anyhow::Result<T>>,
{
    let url = database::url(settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start threads")?;
    runtime.block_on(async {
        let store = Store::connect(&url, database::pool_options(settings), Clock::system()).await?;
        let result = work(store.clone()).await;
        store.database()?.close().await;
        result
    })
}

/// Opens the file of an import, which is read several times.
pub(crate) fn open(path: &Path) -> anyhow::Result<File> {
    let opened = RegularFile::open(path).and_then(RegularFile::into_file);
    opened.with_context(|| format!("cannot open {}", path.display()))
}

/// Whether an option selects a server instead of a database. The variables of client commands alone do not, since they are
/// often set for other commands.
pub(crate) fn uses_api(arguments: &ArgMatches) -> Result<bool, CommandError> {
    let is_set = |id: &str| arguments.value_source(id) == Some(ValueSource::CommandLine);
    let client = ["server", "profile"].into_iter().find(|id| is_set(id));
    let credentials = ["token", "token-file", "ca-file"].into_iter().find(|id| is_set(id));
    let database = [&key::DATABASE, &key::EMBEDMD_DATABASE_DSN].into_iter().find(|setting| is_set(setting.key));
    let database = database.map(Setting::flag);
    match (client, database, credentials) {
        (Some(client), Some(database), _) => {
            Err(CommandError::usage(format!("--{client} and --{database} exclude each other")))
        }
        (None, _, Some(credentials)) => {
            Err(CommandError::usage(format!("--{credentials} requires --server or --profile")))
        }
        (client, ..) => Ok(client.is_some()),
    }
}

/// A progress line on standard error, overwritten in place; none if standard error is not a terminal.
pub(crate) struct ProgressLine {
    shown: Mutex<Option<Instant>>,
    is_terminal: bool,
}

impl ProgressLine {
    pub(crate) fn new() -> Self {
        Self { shown: Mutex::new(None), is_terminal: stderr().is_terminal() }
    }

    pub(crate) fn show(&self, progress: Progress) {
        let Ok(mut shown) = self.shown.lock() else { return };
        if !self.is_terminal || shown.is_some_and(|shown| shown.elapsed() < REPORT_EVERY) {
            return;
        }
        *shown = Some(Instant::now());
        let text = match progress {
            Progress::Exporting { lines } => format!("exporting: {lines} lines"),
            Progress::Checking { lines } => format!("checking the file: {lines} lines"),
            Progress::Importing { lines, of } => format!("importing: {lines} of {of} lines"),
            Progress::Verifying { lines, of } => format!("verifying: {lines} of {of} lines"),
        };
        let _ = write!(stderr(), "\r\x1b[K{text}");
    }

    pub(crate) fn clear(&self) {
        let Ok(shown) = self.shown.lock() else { return };
        if shown.is_some() {
            let _ = write!(stderr(), "\r\x1b[K");
        }
    }
}

/// `2 registered_model, 5 model_version`
pub(crate) fn listed(counts: &Counts) -> String {
    if counts.is_empty() {
        return "no entities".to_owned();
    }
    counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect::<Vec<_>>().join(", ")
}
