//! What a scenario declares, and what it measures.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use anyhow::Result;
use model_registry_testkit::Backend;

use crate::stage::Stage;

/// Most memory of the server in any scenario, in bytes.
pub(crate) const MEMORY_LIMIT: u64 = 512 << 20;

pub(crate) const EVERY: &[Backend] = &[Backend::Sqlite, Backend::Postgres, Backend::MariaDb];
pub(crate) const SERVERS: &[Backend] = &[Backend::Postgres, Backend::MariaDb];
pub(crate) const POSTGRES: &[Backend] = &[Backend::Postgres];
pub(crate) const SQLITE: &[Backend] = &[Backend::Sqlite];
pub(crate) const NONE: &[Backend] = &[];

/// Which of the two tables of the documentation has a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Something breaks that the server depends on.
    Fault,
    /// A client or a file misuses the server.
    Abuse,
}

pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    /// What happens, in one line.
    pub(crate) about: &'static str,
    pub(crate) group: Group,
    pub(crate) databases: &'static [Backend],
    /// The databases of the short form, which CI runs.
    pub(crate) short: &'static [Backend],
    pub(crate) limits: Limits,
    pub(crate) run: fn(Stage) -> Running,
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Result<Measured>>>>;

/// Limits of a scenario. Nothing that was acknowledged may be lost, and nothing may be stored in part, in all of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For [`Measured::unserved`].
    pub(crate) unserved: Duration,
    /// For the memory of the server, in bytes.
    pub(crate) memory: u64,
    /// For the whole scenario on one database.
    pub(crate) duration: Duration,
}

impl Limits {
    /// Others may have to wait for so many seconds.
    pub(crate) const fn unserved(seconds: u64) -> Self {
        Self { unserved: Duration::from_secs(seconds), memory: MEMORY_LIMIT, duration: Duration::from_mins(3) }
    }

    /// The limits of the short form, which runs next to tests on a machine of two cores.
    pub(crate) fn on_a_busy_machine(self) -> Self {
        Self { unserved: self.unserved * 4, ..self }
    }
}

/// The figures of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Writes of other clients that were acknowledged.
    pub(crate) acknowledged: usize,
    /// Acknowledged writes that are not there.
    pub(crate) lost: usize,
    /// Writes of which a part is there.
    pub(crate) partial: usize,
    /// Faults: the time from the end of the fault until every request succeeds again. Abuses: the longest time in which no write and
    /// no liveness probe of another client succeeded.
    pub(crate) unserved: Duration,
    /// Peak of the server's resident memory in bytes.
    pub(crate) memory: u64,
    /// What else was not as it has to be.
    pub(crate) problems: Vec<String>,
}

/// A scenario that this machine does not permit; the text says what it needs.
#[derive(Debug)]
pub(crate) struct NotPossible(pub(crate) &'static str);

impl fmt::Display for NotPossible {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

impl std::error::Error for NotPossible {}
