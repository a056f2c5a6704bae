//! A fresh database per test, on every database server that is configured.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection};
use tempfile::TempDir;
use url::Url;

use crate::error::{Error, Result};

/// Environment variable with the administrator's URL of a PostgreSQL server to test on.
pub const POSTGRES_VARIABLE: &str = "MR_TEST_POSTGRES_URL";
/// Environment variable with the administrator's URL of a MariaDB server to test on.
pub const MARIADB_VARIABLE: &str = "MR_TEST_MARIADB_URL";
/// Environment variable with the administrator's URL of a MySQL server to test on. `cargo xtask test` does not start one.
pub const MYSQL_VARIABLE: &str = "MR_TEST_MYSQL_URL";

/// How long a finished test waits for its database to be dropped.
const DROP_TIMEOUT: Duration = Duration::from_secs(5);

/// A database product that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Backend {
    Sqlite,
    Postgres,
    MariaDb,
    MySql,
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Backend {
    pub const ALL: [Self; 4] = [Self::Sqlite, Self::Postgres, Self::MariaDb, Self::MySql];

    /// Whether there is a server to test on; the first call reports the databases that are skipped, and why.
    pub fn is_configured(self) -> bool {
        backends().contains(&self)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::MySql => "MySQL",
        }
    }

    fn variable(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some(POSTGRES_VARIABLE),
            Self::MariaDb => Some(MARIADB_VARIABLE),
            Self::MySql => Some(MYSQL_VARIABLE),
        }
    }

    fn admin_url(self) -> Option<String> {
        let value = std::env::var_os(self.variable()?)?.into_string().ok()?;
        (!value.is_empty()).then_some(value)
    }
}

/// Returns the databases to test on: SQLite always, the others when their variable is set.
///
/// The first call writes a line to standard error for every database that is skipped.
pub fn backends() -> Vec<Backend> {
    static REPORT: Once = Once::new();
    let (there, absent): (Vec<_>, Vec<_>) =
        Backend::ALL.into_iter().partition(|backend| *backend == Backend::Sqlite || backend.admin_url().is_some());
    REPORT.call_once(|| {
        for backend in absent {
            let variable = backend.variable().unwrap_or_default();
            let remedy = match backend {
                Backend::MySql => "set it to the URL of a server",
                _ => "`cargo xtask test` starts a server and sets it",
            };
            // Not by `eprintln!`, whose output the test harness captures and drops when the test passes.
            let _ = writeln!(std::io::stderr(), "not tested on {backend}: {variable} is not set; {remedy}");
        }
    });
    there
}

/// An empty database with a unique name; dropping this value drops the database.
#[derive(Debug)]
pub struct TestDatabase {
    backend: Backend,
    url: String,
    home: Home,
}

#[derive(Debug)]
enum Home {
    Directory { _directory: TempDir },
    Server { admin_url: String, name: String },
}

impl TestDatabase {
    /// Creates a database on the server whose URL is in the environment.
    pub async fn create(backend: Backend) -> Result<Self> {
        let Some(variable) = backend.variable() else { return Self::create_file() };
        let admin_url = backend.admin_url().ok_or(Error::NoServer { backend: backend.name(), variable })?;
        Self::create_on(backend, &admin_url).await
    }

    /// Creates a database on a server that the test has started itself, for example to stop it. SQLite ignores the URL.
    pub async fn create_on(backend: Backend, admin_url: &str) -> Result<Self> {
        let database = Self::absent_on(backend, admin_url)?;
        database.create_now().await?;
        Ok(database)
    }

    /// Reserves the name of a database that does not exist before `create_now`, so that a program can be started without it.
    pub fn absent_on(backend: Backend, admin_url: &str) -> Result<Self> {
        if backend == Backend::Sqlite {
            return Self::create_file();
        }
        let name = unique_name();
        let mut url = Url::parse(admin_url).map_err(|source| Error::Url { url: admin_url.to_owned(), source })?;
        url.set_path(&name);
        Ok(Self { backend, url: url.into(), home: Home::Server { admin_url: admin_url.to_owned(), name } })
    }

    /// Creates the database reserved with `absent_on`. SQLite's file is created by the program that opens it.
    pub async fn create_now(&self) -> Result<()> {
        let Home::Server { admin_url, name } = &self.home else { return Ok(()) };
        match self.backend {
            Backend::Sqlite => {}
            Backend::Postgres => {
                let mut connection = PgConnection::connect(admin_url).await?;
                connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
                connection.close().await?;
            }
            Backend::MariaDb | Backend::MySql => {
                let mut connection = MySqlConnection::connect(admin_url).await?;
                connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"))).await?;
                connection.close().await?;
            }
        }
        Ok(())
    }

    fn create_file() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("model-registry-test-").tempdir()?;
        let url = format!("sqlite:{}", directory.path().join("registry.db").display());
        Ok(Self { backend: Backend::Sqlite, url, home: Home::Directory { _directory: directory } })
    }

    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Runs a statement on a separate connection, for damage that no request could cause.
    pub async fn execute(&self, statement: &'static str) -> Result<()> {
        match self.backend {
            Backend::Sqlite => {
                SqliteConnection::connect(&format!("{}?mode=rwc", self.url)).await?.execute(statement).await?;
            }
            Backend::Postgres => {
                PgConnection::connect(&self.url).await?.execute(statement).await?;
            }
            Backend::MariaDb | Backend::MySql => {
                MySqlConnection::connect(&self.url).await?.execute(statement).await?;
            }
        }
        Ok(())
    }

    /// Reads a BIGINT, the first column of the only row, on a separate connection.
    pub async fn fetch_number(&self, query: &'static str) -> Result<i64> {
        Ok(match self.backend {
            Backend::Sqlite => {
                sqlx::query_scalar(query)
                    .fetch_one(&mut SqliteConnection::connect(&format!("{}?mode=rwc", self.url)).await?)
                    .await?
            }
            Backend::Postgres => {
                sqlx::query_scalar(query).fetch_one(&mut PgConnection::connect(&self.url).await?).await?
            }
            Backend::MariaDb | Backend::MySql => {
                sqlx::query_scalar(query).fetch_one(&mut MySqlConnection::connect(&self.url).await?).await?
            }
        })
    }

    /// The URL to give to the program under test: `sqlite:PATH`, `postgres://…` or `mysql://…`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    /// Blocks for some ten milliseconds. A database that cannot be dropped is deleted with its server.
    fn drop(&mut self) {
        let Home::Server { admin_url, name } = &self.home else { return };
        let (backend, admin_url, name) = (self.backend, admin_url.clone(), name.clone());
        // On a new thread: the current one may belong to the test's runtime, which cannot block, or the runtime has ended.
        let dropping = thread::spawn(move || {
            let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
            let dropping =
                async { tokio::time::timeout(DROP_TIMEOUT, drop_database(backend, &admin_url, &name)).await };
            let _ = runtime.block_on(dropping);
        });
        let _ = dropping.join();
    }
}

async fn drop_database(backend: Backend, admin_url: &str, name: &str) -> Result<()> {
    match backend {
        Backend::Sqlite => {}
        Backend::Postgres => {
            let mut connection = PgConnection::connect(admin_url).await?;
            connection.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))).await?;
        }
        Backend::MariaDb | Backend::MySql => {
            let mut connection = MySqlConnection::connect(admin_url).await?;
            // MariaDB lacks `WITH (FORCE)`: without this, a transaction that a test left open would block us for a day. Its
            // rollback may need the runtime that waits for this thread.
            let open_connections = "SELECT CAST(id AS SIGNED) FROM information_schema.processlist WHERE db = ?";
            for (id,) in sqlx::query_as::<_, (i64,)>(open_connections).bind(name).fetch_all(&mut connection).await? {
                // Ignored: the connection may have ended in the meantime.
                let _ = connection.execute(AssertSqlSafe(format!("KILL {id}"))).await;
            }
            connection.execute("SET lock_wait_timeout = 2").await?;
            connection.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name}"))).await?;
        }
    }
    Ok(())
}

/// Returns a name of lower-case letters and digits, which needs no quotes; unique among all processes that use the server.
fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = RandomState::new().hash_one(std::process::id());
    format!("mr_test_{random:016x}_{count}")
}
