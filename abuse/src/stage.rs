//! Where a scenario runs: the executable and a database server.

use std::path::PathBuf;

use anyhow::Result;
use model_registry_testkit::executable::Launch;
use model_registry_testkit::{Backend, Executable, TestDatabase};

pub(crate) struct Stage {
    pub(crate) backend: Backend,
    pub(crate) executable: PathBuf,
    pub(crate) admin_url: String,
    pub(crate) is_short: bool,
}

impl Stage {
    /// The amount of load in the short form, or in the full one.
    pub(crate) fn amount<T>(&self, short: T, full: T) -> T {
        if self.is_short { short } else { full }
    }

    /// An empty database.
    pub(crate) async fn database(&self) -> Result<TestDatabase> {
        Ok(TestDatabase::create_on(self.backend, &self.admin_url).await?)
    }

    /// Prepares a server of a role (`server`, `up`) on a database.
    pub(crate) fn launch(&self, role: &str, database_url: &str) -> Launch {
        Self::launch_by(Executable::launch(&self.executable), role, database_url)
    }

    /// Adds the arguments of a server to a command that starts the executable.
    pub(crate) fn launch_by(launch: Launch, role: &str, database_url: &str) -> Launch {
        launch.arguments([role, "--listen", "127.0.0.1:{port}", "--log-level", "warn", "--database", database_url])
    }
}
