//! The database servers that scenarios share; a scenario that damages its server starts one of its own.

use std::path::Path;

use anyhow::Result;
use model_registry_testkit::database::{MARIADB_VARIABLE, POSTGRES_VARIABLE};
use model_registry_testkit::{Backend, MariaDbServer, PostgresServer, Stop, server_directory};
use tempfile::TempDir;

/// Running database servers, with their administrators' URLs.
pub(crate) struct Databases {
    urls: Vec<(Backend, String)>,
    _servers: Vec<DatabaseServer>,
}

impl Databases {
    /// Starts a server for each backend that is used, unless a variable of the environment names one.
    pub(crate) async fn start(is_used: &dyn Fn(Backend) -> bool) -> Result<Self> {
        let (mut urls, mut servers) = (Vec::new(), Vec::new());
        for (backend, variable) in [(Backend::Postgres, POSTGRES_VARIABLE), (Backend::MariaDb, MARIADB_VARIABLE)] {
            if !is_used(backend) {
                continue;
            }
            #[expect(clippy::disallowed_methods, reason = "set by the test command; not a setting of the server")]
            if let Some(url) = std::env::var(variable).ok().filter(|url| !url.is_empty()) {
                urls.push((backend, url));
                continue;
            }
            let server = DatabaseServer::start(backend).await?;
            urls.push((backend, server.url()));
            servers.push(server);
        }
        Ok(Self { urls, _servers: servers })
    }

    /// The URL of the administrator; SQLite has none.
    pub(crate) fn admin_url(&self, backend: Backend) -> String {
        let found = self.urls.iter().find(|(other, _)| *other == backend);
        found.map(|(_, url)| url.clone()).unwrap_or_default()
    }
}

/// A database server of one scenario, which it may stop or fill.
pub(crate) struct DatabaseServer {
    program: Program,
    // Dropped last: the data goes with it.
    directory: Option<TempDir>,
}

enum Program {
    Postgres(PostgresServer),
    MariaDb(MariaDbServer),
}

impl DatabaseServer {
    pub(crate) async fn start(backend: Backend) -> Result<Self> {
        let directory = server_directory()?;
        let mut server = Self::start_in(backend, &directory.path().join("data")).await?;
        server.directory = Some(directory);
        Ok(server)
    }

    /// Starts a server whose data is in a directory, which has to be empty or absent.
    pub(crate) async fn start_in(backend: Backend, directory: &Path) -> Result<Self> {
        let program = match backend {
            Backend::Postgres => Program::Postgres(PostgresServer::start(directory).await?),
            _ => Program::MariaDb(MariaDbServer::start(directory).await?),
        };
        Ok(Self { program, directory: None })
    }

    pub(crate) fn url(&self) -> String {
        match &self.program {
            Program::Postgres(server) => server.url(),
            Program::MariaDb(server) => server.url(),
        }
    }

    pub(crate) async fn stop(&mut self) -> Result<()> {
        match &mut self.program {
            Program::Postgres(server) => server.stop(Stop::Hard).await?,
            Program::MariaDb(server) => server.stop(Stop::Hard).await?,
        }
        Ok(())
    }

    pub(crate) async fn start_again(&mut self) -> Result<()> {
        match &mut self.program {
            Program::Postgres(server) => server.start_again().await?,
            Program::MariaDb(server) => server.start_again().await?,
        }
        Ok(())
    }
}
