//! Opens a database: connection pools with the session settings that the store relies on, version check, migrations.

use std::sync::Arc;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::pool::PoolConnectionMetadata;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, MySqlPool, PgPool, SqliteConnection};

use super::migrate::{self, MigrateError};
use super::pool::{NO_PING_WITHIN, Pool};
use super::url::DatabaseUrl;
use super::{Database, Pools, SQLITE_CACHE};
use crate::error::StoreError;

/// Size and timeout of the connection pools.
#[derive(Clone, Copy, Debug)]
pub struct PoolOptions {
    /// The maximum number of connections; on SQLite, of reading ones.
    pub max_connections: u32,
    /// How long to wait for a connection before the database counts as unavailable.
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
    /// Not reachable at the moment; another attempt may succeed.
    #[error("cannot connect to the database: {0}")]
    Unreachable(#[source] sqlx::Error),
    #[error(
        "the database is {found}, but {needed} or newer is required: upgrade it, or choose another one with --database"
    )]
    TooOld { found: String, needed: &'static str },
    #[error("cannot determine the version of the database from `{0}`")]
    UnknownVersion(String),
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    #[error("cannot create the folder {folder}: {source}")]
    Folder { folder: String, source: std::io::Error },
    #[error("cannot open the SQLite file {file}: {source}; choose another one with --database sqlite:PATH")]
    File { file: String, source: sqlx::Error },
}

impl ConnectError {
    /// Whether another attempt may succeed without a change of the configuration.
    pub fn is_temporary(&self) -> bool {
        match self {
            // The driver cannot use an option, such as an invalid key file.
            Self::Unreachable(error) => !matches!(error, sqlx::Error::Configuration(_)),
            Self::Migrate(error) => error.is_temporary(),
            Self::TooOld { .. } | Self::UnknownVersion(_) | Self::Folder { .. } | Self::File { .. } => false,
        }
    }
}

impl Database {
    /// Connects, checks the version of the server and applies pending migrations.
    pub async fn connect(url: &DatabaseUrl, options: PoolOptions) -> Result<Self, ConnectError> {
        let (pools, schema_version) = match url {
            DatabaseUrl::Sqlite { path } => sqlite(path.as_deref(), options).await?,
            DatabaseUrl::Postgres(connect) => postgres(connect, options).await?,
            DatabaseUrl::MySql(connect) => mysql(connect, options).await?,
        };
        Ok(Self { pools, statements: Arc::default(), schema_version })
    }
}

async fn sqlite(path: Option<&std::path::Path>, options: PoolOptions) -> Result<(Pools, i64), ConnectError> {
    let connect = match path {
        Some(path) => {
            check_owner_of_file(path).await?;
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                std::fs::create_dir_all(folder)
                    .map_err(|source| ConnectError::Folder { folder: folder.display().to_string(), source })?;
            }
            SqliteConnectOptions::new().filename(path).create_if_missing(true).journal_mode(SqliteJournalMode::Wal)
        }
        None => SqliteConnectOptions::new().in_memory(true),
    }
    // In WAL mode a crash of the process loses nothing. A power failure may lose the last commits, but never consistency.
    .synchronous(SqliteSynchronous::Normal)
    .busy_timeout(Duration::from_secs(10))
    .foreign_keys(true)
    .pragma("case_sensitive_like", "ON")
    .pragma("cache_size", format!("-{SQLITE_CACHE}"))
    // A large transaction grows the log; it is truncated when it is reset.
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
        // An in-memory database exists within its only connection.
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

/// Refuses the file of another program before the journal mode is set, which changes the file.
async fn check_owner_of_file(path: &std::path::Path) -> Result<(), ConnectError> {
    if !path.exists() {
        return Ok(());
    }
    let options = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(10));
    let mut connection = SqliteConnection::connect_with(&options.pragma("query_only", "ON"))
        .await
        .map_err(|source| cannot_open(Some(path), source))?;
    let checked = migrate::check_sqlite(&mut connection).await;
    connection.close().await.map_err(|source| cannot_open(Some(path), source))?;
    match checked {
        // Not a database: reported where it is opened.
        Err(MigrateError::Version(source)) => Err(cannot_open(Some(path), source)),
        checked => Ok(checked?),
    }
}

/// A locked file is temporary; a path that cannot be opened is not.
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

/// Opens one connection and closes it: the pool would try a refused connection again until its timeout, and then report
/// the timeout instead of the cause.
async fn try_connection<O>(connect: &O, options: PoolOptions) -> Result<(), ConnectError>
where
    O: ConnectOptions<Connection: Sized>,
{
    let seconds = options.acquire_timeout.as_secs_f32();
    let attempt = tokio::time::timeout(options.acquire_timeout, connect.connect()).await;
    let no_response = || {
        let message = format!("no response within {seconds} s: check the address, and firewalls on the way");
        sqlx::Error::Io(std::io::Error::new(std::io::ErrorKind::TimedOut, message))
    };
    let connection = attempt.unwrap_or_else(|_| Err(no_response())).map_err(ConnectError::Unreachable)?;
    // The pool opens its own.
    let _ = connection.close().await;
    Ok(())
}

async fn postgres(connect: &PgConnectOptions, options: PoolOptions) -> Result<(Pools, i64), ConnectError> {
    try_connection(connect, options).await?;
    let pool = PgPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| Box::pin(test_if_idle(connection, metadata)))
        .after_connect(|connection, _| {
            Box::pin(async move {
                // JIT compilation of a large filter takes seconds, running it milliseconds.
                connection.execute("SET jit = off").await?;
                // A replica that vanished would keep its locks, and block the assignment of sequence numbers.
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

/// Pings an idle connection before it is used. One that was used a moment ago is not pinged, which saves a round trip.
async fn test_if_idle(connection: &mut impl Connection, metadata: PoolConnectionMetadata) -> Result<bool, sqlx::Error> {
    if metadata.idle_for >= NO_PING_WITHIN {
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
    try_connection(connect, options).await?;
    let pool = MySqlPoolOptions::new()
        .max_connections(options.max_connections)
        .acquire_timeout(options.acquire_timeout)
        .test_before_acquire(false)
        .before_acquire(|connection, metadata| Box::pin(test_if_idle(connection, metadata)))
        .after_connect(|connection, _| {
            Box::pin(async move {
                // REPEATABLE READ locks gaps and deadlocks; without strict mode, strings that are too long are truncated silently.
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

/// Checks the version and returns the name of the binary collation without padding, which differs between the two servers.
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

/// Major and minor number of a version such as `15.18 (Debian 15.18-0+deb12u1)` or `10.11.6-MariaDB`.
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
    fn versions_are_parsed_in_the_forms_that_servers_report() {
        assert_eq!(version_numbers("15.18 (Debian 15.18-0+deb12u1)"), Some([15, 18]));
        assert_eq!(version_numbers("10.11.6-MariaDB-0+deb12u1"), Some([10, 11]));
        assert_eq!(version_numbers("8.0.36"), Some([8, 0]));
        assert_eq!(version_numbers("18beta1"), Some([18, 0]));
        assert_eq!(version_numbers("unknown"), None);
    }
}
