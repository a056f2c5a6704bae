//! Opens a database: connection pools with the session settings that the store relies on, version check, migrations.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Connection, MySql, MySqlConnection, PgConnection, Postgres, Sqlite, SqliteConnection};

use super::migrate::{self, MigrateError};
use super::pool::{Pool, PoolSettings};
use super::storage_state::StorageState;
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
    #[error("cannot read the time of the database: {0}")]
    Time(#[source] StoreError),
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
            Self::Time(_) => true,
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
        None => in_memory(),
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
    let memory = if path.is_some() {
        None
    } else {
        let kept = SqliteConnection::connect_with(&connect).await.map_err(|source| cannot_open(path, source))?;
        Some(Arc::new(Mutex::new(kept)))
    };
    let storage = Arc::new(StorageState::default());
    let acquire_timeout = options.acquire_timeout.max(Duration::from_secs(30));
    let settings = PoolSettings { max_connections: 1, acquire_timeout, ages: false };
    let write: Pool<Sqlite> = Pool::new(vec![connect.clone()], settings, Arc::clone(&storage));
    let mut connection = write.connect().await.map_err(|source| cannot_open(path, source))?;
    let version = migrate::sqlite(&mut connection).await?;
    connection.release();
    let read = if path.is_none() {
        // Readers of a database in memory would wait for the writer in any case.
        write.clone()
    } else {
        let settings = PoolSettings {
            max_connections: options.max_connections,
            acquire_timeout: options.acquire_timeout,
            ages: true,
        };
        Pool::new(vec![connect.pragma("query_only", "ON")], settings, storage)
    };
    Ok((Pools::Sqlite { read, write, _memory: memory }, version))
}

/// A new database in memory that several connections of this process can open.
fn in_memory() -> SqliteConnectOptions {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    SqliteConnectOptions::new().filename(format!("/model-registry-{number}")).vfs("memdb").create_if_missing(true)
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
        (
            Some(path),
            StoreError::Database(source) | StoreError::Unavailable(source) | StoreError::Storage { source, .. },
        ) => ConnectError::File { file: path.display().to_string(), source },
        (
            _,
            StoreError::Retry(source)
            | StoreError::Database(source)
            | StoreError::Unavailable(source)
            | StoreError::Storage { source, .. },
        ) => ConnectError::Unreachable(source),
        (_, error) => ConnectError::Unreachable(sqlx::Error::Configuration(error.into())),
    }
}

fn of_servers(options: PoolOptions) -> PoolSettings {
    PoolSettings { max_connections: options.max_connections, acquire_timeout: options.acquire_timeout, ages: true }
}

async fn postgres(servers: &[PgConnectOptions], options: PoolOptions) -> Result<(Pools, i64), ConnectError> {
    let pool: Pool<Postgres> = Pool::new(servers.to_vec(), of_servers(options), Arc::default());
    let mut connection = pool.connect().await.map_err(ConnectError::Unreachable)?;
    check_postgres(&mut connection).await?;
    let version = migrate::postgres(&mut connection).await?;
    connection.release();
    Ok((Pools::Postgres(pool), version))
}

async fn check_postgres(connection: &mut PgConnection) -> Result<(), ConnectError> {
    let (version,): (String,) =
        sqlx::query_as("SHOW server_version").fetch_one(connection).await.map_err(ConnectError::Unreachable)?;
    let [major, ..] = version_numbers(&version).ok_or_else(|| ConnectError::UnknownVersion(version.clone()))?;
    if major < 13 {
        return Err(ConnectError::TooOld { found: format!("PostgreSQL {version}"), needed: "PostgreSQL 13" });
    }
    Ok(())
}

async fn mysql(servers: &[MySqlConnectOptions], options: PoolOptions) -> Result<(Pools, i64), ConnectError> {
    let pool: Pool<MySql> = Pool::new(servers.to_vec(), of_servers(options), Arc::default());
    let mut connection = pool.connect().await.map_err(ConnectError::Unreachable)?;
    let collation = check_mysql(&mut connection).await?;
    let version = migrate::mysql(&mut connection, collation).await?;
    connection.release();
    Ok((Pools::MySql(pool), version))
}

/// Checks the version and returns the name of the binary collation without padding, which differs between the two servers.
async fn check_mysql(connection: &mut MySqlConnection) -> Result<&'static str, ConnectError> {
    let (version,): (String,) =
        sqlx::query_as("SELECT VERSION()").fetch_one(connection).await.map_err(ConnectError::Unreachable)?;
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
