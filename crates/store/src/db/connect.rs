//! Opens a database: pools with the session settings everything else relies on, version check, migrations.

use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, Executor, MySqlPool, PgPool};

use super::migrate::{self, MigrateError};
use super::pool::{Pool, TRUSTED};
use super::source::DatabaseUrl;
use super::{Database, Pools, SQLITE_CACHE};
use crate::error::StoreError;

/// Size and patience of the pools.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// Connections at most; on SQLite, readers at most.
    pub max_connections: u32,
    /// How long a request waits for a connection before the database counts as unavailable.
    pub acquire_timeout: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { max_connections: 16, acquire_timeout: Duration::from_secs(5) }
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Not reachable now; trying again later may help.
    #[error("cannot connect to the database: {0}")]
    Unreachable(#[source] sqlx::Error),
    #[error("the database is {found}; {needed} or newer is needed: upgrade it, or name another one with --database")]
    TooOld { found: String, needed: &'static str },
    #[error("cannot read the database's version from `{0}`")]
    UnknownVersion(String),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error("cannot create the folder {folder}: {source}")]
    Folder { folder: String, source: std::io::Error },
    #[error("cannot open the SQLite file {file}: {source}; name another one with --database sqlite:PATH")]
    File { file: String, source: sqlx::Error },
}

impl ConnectError {
    /// Whether another attempt may succeed without anybody changing the configuration.
    pub fn is_temporary(&self) -> bool {
        match self {
            // What the driver says of options that it cannot use, such as a key that is none.
            Self::Unreachable(error) => !matches!(error, sqlx::Error::Configuration(_)),
            Self::Migrate(error) => error.is_temporary(),
            Self::TooOld { .. } | Self::UnknownVersion(_) | Self::Folder { .. } | Self::File { .. } => false,
        }
    }
}

impl Database {
    /// Connects, checks the server's version and applies the migrations that are missing.
    pub async fn connect(source: &DatabaseUrl, options: PoolOptions) -> Result<Self, ConnectError> {
        let (pools, schema_version) = match source {
            DatabaseUrl::Sqlite { path } => sqlite(path.as_deref(), options).await?,
            DatabaseUrl::Postgres(connect) => postgres(connect, options).await?,
            DatabaseUrl::MySql(connect) => mysql(connect, options).await?,
        };
        Ok(Self { pools, statements: Arc::default(), schema_version, gather: Arc::default() })
    }
}

async fn sqlite(path: Option<&std::path::Path>, options: PoolOptions) -> Result<(Pools, i64), ConnectError> {
    let connect = match path {
        Some(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .map_err(|source| ConnectError::Folder { folder: folder.display().to_string(), source })?;
            }
            SqliteConnectOptions::new().filename(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal)
        }
        None => SqliteConnectOptions::new().in_memory(true),
    }
    // In WAL mode a crash of the process loses nothing; a power failure may lose the last commits, never consistency.
    .synchronous(SqliteSynchronous::Normal)
    .busy_timeout(Duration::from_secs(10))
    .foreign_keys(true)
    .pragma("case_sensitive_like", "ON")
    .pragma("cache_size", format!("-{SQLITE_CACHE}"))
    // A large load leaves a log of its own size; the next one after it has been copied starts small.
    .pragma("journal_size_limit", "67108864")
    .pragma("temp_store", "MEMORY");
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .acquire_timeout(options.acquire_timeout.max(Duration::from_secs(30)))
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(connect.clone())
        .await
        .map_err(|source| cannot_open(path, source))?;
    let version = migrate::sqlite(&write).await?;
    let write = Pool::new(write);
    let read = if path.is_none() {
        // An in-memory database belongs to its one connection.
        write.clone()
    } else {
        let read = SqlitePoolOptions::new()
            .max_connections(options.max_connections)
            .test_before_acquire(false)
            .acquire_timeout(options.acquire_timeout)
            .connect_lazy_with(connect.pragma("query_only", "ON"));
        Pool::new(read)
    };
    Ok((Pools::Sqlite { read, write }, version))
}

/// A file that another process holds is free again soon; waiting for a folder to become a file is no use.
fn cannot_open(path: Option<&std::path::Path>, source: sqlx::Error) -> ConnectError {
    match (path, StoreError::from(source)) {
        (Some(path), StoreError::Database(source) | StoreError::Unavailable(source)) => {
            ConnectError::File { file: path.display().to_string(), source }
        }
        (_, StoreError::Retry(source) | StoreError::Database(source) | StoreError::Unavailable(source)) => {
            ConnectError::Unreachable(source)
        }
        (_, error) => ConnectError::Unreachable(sqlx::Error::Configuration(error.into())),
    }
}

async fn postgres(connect: &PgConnectOptions, options: PoolOptions) -> Result<(Pools, i64), ConnectError> {
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| Box::pin(test_if_idle(connection, metadata)))
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Compiling a large filter takes seconds, running it milliseconds.
                connection.execute("SET jit = off").await?;
                // A replica that vanished without a word would keep its locks, and all changes from being numbered.
                connection.execute("SET idle_in_transaction_session_timeout = '60s'").await?;
                Ok(())
            })
        })
        .connect_with(connect.clone())
        .await
        .map_err(ConnectError::Unreachable)?;
    check_postgres(&pool).await?;
    let version = migrate::postgres(&pool).await?;
    Ok((Pools::Postgres(Pool::new(pool)), version))
}

/// Asks a connection whether it still answers before it is used, unless it just did: that is a round trip.
async fn test_if_idle(connection: &mut impl Connection, metadata: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
    if metadata.idle_for >= TRUSTED {
        connection.ping().await?;
    }
    Ok(true)
}

async fn check_postgres(pool: &PgPool) -> Result<(), ConnectError> {
    let (version,): (String,) =
        sqlx::query_as("SHOW server_version").fetch_one(pool).await.map_err(ConnectError::Unreachable)?;
    let [major, ..] = version_numbers(&version).ok_or_else(|| ConnectError::UnknownVersion(version.clone()))?;
    if major < 13 {
        return Err(ConnectError::TooOld { found: format!("PostgreSQL {version}"), needed: "PostgreSQL 13" });
    }
    Ok(())
}

async fn mysql(connect: &MySqlConnectOptions, options: PoolOptions) -> Result<(Pools, i64), ConnectError> {
    let pool = MySqlPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| Box::pin(test_if_idle(connection, metadata)))
        .after_connect(|connection, _| {
            Box::pin(async move {
                // Repeatable reads would lock gaps and deadlock; a permissive mode would cut texts silently.
                connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").await?;
                connection.execute("SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')").await?;
                Ok(())
            })
        })
        .connect_with(connect.clone())
        .await
        .map_err(ConnectError::Unreachable)?;
    let collation = check_mysql(&pool).await?;
    let version = migrate::mysql(&pool, collation).await?;
    Ok((Pools::MySql(Pool::new(pool)), version))
}

/// Checks the version and gives the binary collation without padding, which the two servers name differently.
async fn check_mysql(pool: &MySqlPool) -> Result<&'static str, ConnectError> {
    let (version,): (String,) =
        sqlx::query_as("SELECT VERSION()").fetch_one(pool).await.map_err(ConnectError::Unreachable)?;
    let [major, minor] = version_numbers(&version).ok_or_else(|| ConnectError::UnknownVersion(version.clone()))?;
    let (needed, minimum, collation) = if version.contains("MariaDB") {
        ("MariaDB 10.6", (10, 6), "utf8mb4_nopad_bin")
    } else {
        ("MySQL 8.0", (8, 0), "utf8mb4_0900_bin")
    };
    if (major, minor) < minimum {
        let name = needed.split(' ').next().unwrap_or_default();
        return Err(ConnectError::TooOld { found: format!("{name} {version}"), needed });
    }
    Ok(collation)
}

/// The first two numbers of a version such as `15.18 (Debian 15.18-0+deb12u1)` or `10.11.6-MariaDB`.
fn version_numbers(version: &str) -> Option<[u32; 2]> {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().ok());
    let major = numbers.next()??;
    let minor = numbers.next().flatten().unwrap_or(0);
    Some([major, minor])
}

#[cfg(test)]
mod tests {
    use super::version_numbers;

    #[test]
    fn reads_the_versions_that_servers_report() {
        assert_eq!(version_numbers("15.18 (Debian 15.18-0+deb12u1)"), Some([15, 18]));
        assert_eq!(version_numbers("10.11.6-MariaDB-0+deb12u1"), Some([10, 11]));
        assert_eq!(version_numbers("8.0.36"), Some([8, 0]));
        assert_eq!(version_numbers("18beta1"), Some([18, 0]));
        assert_eq!(version_numbers("unknown"), None);
    }
}
