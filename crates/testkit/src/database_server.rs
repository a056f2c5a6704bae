//! A database server of one test or scenario, which can be stopped, filled, or require TLS.

use std::path::Path;

use tempfile::TempDir;

use crate::database::Backend;
use crate::error::Result;
use crate::{MariaDbServer, PostgresServer, ServerTls, Stop, server_directory};

/// A running server of PostgreSQL or MariaDB.
pub struct DatabaseServer {
    program: Program,
    // Dropped last: the data goes with it.
    _directory: Option<TempDir>,
}

enum Program {
    Postgres(PostgresServer),
    MariaDb(MariaDbServer),
}

/// Calls a method that the servers have in common.
macro_rules! each {
    ($program:expr, $server:ident => $call:expr) => {
        match $program {
            Program::Postgres($server) => $call,
            Program::MariaDb($server) => $call,
        }
    };
}

impl DatabaseServer {
    /// Starts a server of PostgreSQL or, for any other backend, MariaDB.
    pub async fn start(backend: Backend) -> Result<Self> {
        let directory = server_directory()?;
        let server = Self::start_in(backend, &directory.path().join("data")).await?;
        Ok(Self { _directory: Some(directory), ..server })
    }

    /// Starts a server that requires TLS.
    pub async fn start_with_tls(backend: Backend, tls: &ServerTls) -> Result<Self> {
        let directory = server_directory()?;
        let data = directory.path().join("data");
        let program = match backend {
            Backend::Postgres => Program::Postgres(PostgresServer::start_with_tls(&data, tls).await?),
            _ => Program::MariaDb(MariaDbServer::start_with_tls(&data, tls).await?),
        };
        Ok(Self { program, _directory: Some(directory) })
    }

    /// Starts a server whose data is in a directory, which has to be empty or absent.
    pub async fn start_in(backend: Backend, data: &Path) -> Result<Self> {
        let program = match backend {
            Backend::Postgres => Program::Postgres(PostgresServer::start(data).await?),
            _ => Program::MariaDb(MariaDbServer::start(data).await?),
        };
        Ok(Self { program, _directory: None })
    }

    /// The server, if it is one of PostgreSQL.
    pub fn postgres(&mut self) -> Option<&mut PostgresServer> {
        match &mut self.program {
            Program::Postgres(server) => Some(server),
            Program::MariaDb(_) => None,
        }
    }

    /// The URL of the administrator.
    pub fn url(&self) -> String {
        each!(&self.program, server => server.url())
    }

    pub fn port(&self) -> u16 {
        each!(&self.program, server => server.port())
    }

    /// Kills the server.
    pub async fn stop(&mut self) -> Result<()> {
        each!(&mut self.program, server => server.stop(Stop::Hard).await)
    }

    pub async fn start_again(&mut self) -> Result<()> {
        each!(&mut self.program, server => server.start_again().await)
    }
}
