//! The database servers that scenarios share; a scenario that damages its server starts one of its own.

use anyhow::Result;
use model_registry_testkit::database::{MARIADB_VARIABLE, POSTGRES_VARIABLE};
use model_registry_testkit::{Backend, DatabaseServer};

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
