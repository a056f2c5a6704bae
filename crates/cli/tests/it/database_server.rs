//! A database server for one test, which can be stopped or require TLS.

use std::path::Path;

use model_registry_testkit::{
    Backend, Error, MariaDbServer, PostgresServer, Result, ServerTls, Stop, server_directory,
};
use tempfile::TempDir;

use crate::support::print_skipped;

pub(crate) struct DatabaseServer {
    program: Program,
    // Dropped last: the data goes with it.
    _directory: TempDir,
}

enum Program {
    Postgres(PostgresServer),
    MariaDb(MariaDbServer),
}

impl DatabaseServer {
    /// Starts a server; `None` after a line on standard error if the program is not installed.
    pub(crate) async fn start(backend: Backend) -> Option<Self> {
        let directory = server_directory().unwrap();
        let data = directory.path().join("data");
        let started = match backend {
            Backend::Postgres => PostgresServer::start(&data).await.map(Program::Postgres),
            _ => MariaDbServer::start(&data).await.map(Program::MariaDb),
        };
        Self::of(backend, started, directory)
    }

    /// Starts a server that requires TLS.
    pub(crate) async fn start_with_tls(backend: Backend, tls: &ServerTls) -> Option<Self> {
        let directory = server_directory().unwrap();
        let data = directory.path().join("data");
        let started = match backend {
            Backend::Postgres => PostgresServer::start_with_tls(&data, tls).await.map(Program::Postgres),
            _ => MariaDbServer::start_with_tls(&data, tls).await.map(Program::MariaDb),
        };
        Self::of(backend, started, directory)
    }

    fn of(backend: Backend, started: Result<Program>, directory: TempDir) -> Option<Self> {
        match started {
            Ok(program) => Some(Self { program, _directory: directory }),
            Err(missing @ Error::Missing { .. }) => {
                print_skipped(&format!("skipped a test that starts its own {backend} server: {missing}"));
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Starts a server whose data is in this directory.
    pub(crate) async fn start_in(backend: Backend, directory: &Path) -> Option<Self> {
        let data = directory.join("data");
        let started = match backend {
            Backend::Postgres => PostgresServer::start(&data).await.map(Program::Postgres),
            _ => MariaDbServer::start(&data).await.map(Program::MariaDb),
        };
        Self::of(backend, started, server_directory().unwrap())
    }

    pub(crate) fn port(&self) -> u16 {
        match &self.program {
            Program::Postgres(server) => server.port(),
            Program::MariaDb(server) => server.port(),
        }
    }

    /// The server of PostgreSQL.
    pub(crate) fn postgres(&mut self) -> &mut PostgresServer {
        match &mut self.program {
            Program::Postgres(server) => server,
            Program::MariaDb(_) => panic!("a server of MariaDB"),
        }
    }

    pub(crate) fn url(&self) -> String {
        match &self.program {
            Program::Postgres(server) => server.url(),
            Program::MariaDb(server) => server.url(),
        }
    }

    pub(crate) async fn stop(&mut self) {
        match &mut self.program {
            Program::Postgres(server) => server.stop(Stop::Hard).await.unwrap(),
            Program::MariaDb(server) => server.stop(Stop::Hard).await.unwrap(),
        }
    }

    pub(crate) async fn start_again(&mut self) {
        match &mut self.program {
            Program::Postgres(server) => server.start_again().await.unwrap(),
            Program::MariaDb(server) => server.start_again().await.unwrap(),
        }
    }
}
