//! Database URLs, and the DSN forms of the Kubeflow Model Registry (parity).
//!
//! `sqlite:PATH`, `sqlite::memory:`, `postgres://…`, `host=… dbname=…`, `mysql://…`, `user:password@tcp(host:3306)/db`.
//! Error messages never contain the DSN, because it holds the password.

use std::path::PathBuf;
use std::str::FromStr;

use model_registry_base::files::{self, LARGEST_SETTINGS};
use percent_encoding::percent_decode_str;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

mod dsn;
mod servers;
mod special_characters;
mod tls;

pub use tls::{DatabaseTls, Pem};

/// A valid database URL or DSN.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file, or a database in memory without a path.
    Sqlite {
        path: Option<PathBuf>,
    },
    /// One or several servers of one database; the writable one is used.
    Postgres(Vec<PgConnectOptions>),
    MySql(Vec<MySqlConnectOptions>),
}

/// Why a database URL or DSN is invalid.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DatabaseUrlError {
    #[error(
        "the form of the database URL is unknown: use sqlite:PATH, sqlite::memory:, postgres://USER:PASSWORD@HOST/NAME or \
         mysql://USER:PASSWORD@HOST/NAME"
    )]
    UnknownForm,
    #[error("the database type `{0}` is not supported: use sqlite, postgres or mysql")]
    UnknownType(String),
    #[error("the database URL is for {found}, but the database type is {wanted}: make them agree")]
    TypeMismatch { found: &'static str, wanted: String },
    #[error("invalid {kind} DSN: {reason}")]
    Invalid { kind: &'static str, reason: String },
    #[error("`sqlite:` has no file: use sqlite:PATH, for example sqlite:registry.db")]
    NoPath,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(url: &str) -> Result<Self, DatabaseUrlError> {
        let url = url.trim();
        if let Some(rest) = url.strip_prefix("sqlite:") {
            sqlite(rest)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            postgres_url(url)
        } else if url.starts_with("mysql://") || url.starts_with("mariadb://") {
            mysql_url(url)
        } else if url.contains("@tcp(") || url.contains("@unix(") {
            dsn::mysql(url)
        } else if url.contains('=') && !url.contains("://") {
            dsn::postgres(url)
        } else {
            Err(DatabaseUrlError::UnknownForm)
        }
    }
}

impl DatabaseUrl {
    /// PostgreSQL as configured by the variables of libpq: `PGHOST`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` and others.
    pub fn postgres_of_environment() -> Self {
        Self::Postgres(vec![PgConnectOptions::new()])
    }

    /// Parses a DSN of the Kubeflow Model Registry, whose form depends on the database type (parity).
    pub fn from_type_and_dsn(kind: &str, dsn: &str) -> Result<Self, DatabaseUrlError> {
        let url = match kind {
            "sqlite" => sqlite(dsn.strip_prefix("sqlite:").unwrap_or(dsn)),
            "postgres" | "mysql" if dsn.contains("://") => dsn.parse(),
            "postgres" => dsn::postgres(dsn),
            "mysql" => dsn::mysql(dsn),
            other => return Err(DatabaseUrlError::UnknownType(other.to_owned())),
        }?;
        if url.kind() != kind {
            return Err(DatabaseUrlError::TypeMismatch { found: url.kind(), wanted: kind.to_owned() });
        }
        Ok(url)
    }

    /// `sqlite`, `postgres` or `mysql`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres(_) => "postgres",
            Self::MySql(_) => "mysql",
        }
    }

    /// Applies TLS settings that are given separately; they override those of the DSN.
    pub fn with_tls(self, tls: &DatabaseTls) -> std::io::Result<Self> {
        if !tls.is_required {
            return Ok(self);
        }
        // The drivers accept one file only, so several are concatenated.
        let roots = match tls.roots.as_slice() {
            [] | [_] => None,
            several => {
                let files =
                    several.iter().map(|path| files::read(path, LARGEST_SETTINGS)).collect::<Result<Vec<_>, _>>()?;
                Some(files.join(&b'\n'))
            }
        };
        Ok(match self {
            Self::Sqlite { .. } => self,
            Self::Postgres(servers) => Self::Postgres(
                servers.into_iter().map(|server| postgres_with_tls(server, tls, roots.clone())).collect(),
            ),
            Self::MySql(servers) => {
                Self::MySql(servers.into_iter().map(|server| mysql_with_tls(server, tls, roots.clone())).collect())
            }
        })
    }
}

fn postgres_with_tls(options: PgConnectOptions, tls: &DatabaseTls, roots: Option<Vec<u8>>) -> PgConnectOptions {
    let mut options = match (roots, tls.roots.first()) {
        (Some(pem), _) => options.ssl_root_cert_from_pem(pem),
        (None, Some(path)) => options.ssl_root_cert(path),
        (None, None) => options,
    };
    options = options.ssl_mode(PgSslMode::Require);
    if tls.verify_server {
        options = options.ssl_mode(PgSslMode::VerifyFull);
    } else if !tls.roots.is_empty() {
        options = check_authority(options);
    }
    if let Some((certificate, key)) = &tls.client {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    options
}

fn mysql_with_tls(options: MySqlConnectOptions, tls: &DatabaseTls, roots: Option<Vec<u8>>) -> MySqlConnectOptions {
    let mode = if tls.verify_server { MySqlSslMode::VerifyIdentity } else { MySqlSslMode::Required };
    let mut options = options.ssl_mode(mode);
    if let Some(pem) = roots {
        options = options.ssl_ca_from_pem(pem);
    } else if let Some(path) = tls.roots.first() {
        options = options.ssl_ca(path);
    }
    if let Some((certificate, key)) = &tls.client {
        options = options.ssl_client_cert(certificate).ssl_client_key(key);
    }
    options
}

/// Treats `require` with a root certificate as `verify-ca`, as libpq and the driver of the Kubeflow Model Registry do.
fn check_authority(options: PgConnectOptions) -> PgConnectOptions {
    match options.get_ssl_mode() {
        PgSslMode::Require => options.ssl_mode(PgSslMode::VerifyCa),
        _ => options,
    }
}

impl std::fmt::Display for DatabaseUrl {
    /// Shows the database without user and password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { path: None } => f.write_str("SQLite in memory"),
            Self::Sqlite { path: Some(path) } => write!(f, "SQLite file {}", path.display()),
            Self::Postgres(servers) => {
                let database = servers.first().and_then(PgConnectOptions::get_database).unwrap_or_default();
                let hosts = servers.iter().map(|server| (server.get_host(), server.get_port()));
                write!(f, "PostgreSQL {database} at {}", servers::shown(hosts))
            }
            Self::MySql(servers) => {
                let database = servers.first().and_then(MySqlConnectOptions::get_database).unwrap_or_default();
                let hosts = servers.iter().map(|server| (server.get_host(), server.get_port()));
                write!(f, "MySQL {database} at {}", servers::shown(hosts))
            }
        }
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

fn sqlite(rest: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    match path {
        "" => Err(DatabaseUrlError::NoPath),
        ":memory:" => Ok(DatabaseUrl::Sqlite { path: None }),
        path => Ok(DatabaseUrl::Sqlite { path: Some(PathBuf::from(path)) }),
    }
}

fn postgres_url(url: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let invalid = |reason: String| DatabaseUrlError::Invalid { kind: "PostgreSQL", reason };
    special_characters::check(url).map_err(invalid)?;
    let has_root = tls::Parameters::read(&query_of(url)).map_err(invalid)?.has_root;
    let url = servers::without_session_attributes(url).map_err(invalid)?;
    let servers = servers::urls(&url).map_err(invalid)?.into_iter().map(|url| {
        let options = PgConnectOptions::from_str(&url).map_err(|error| invalid(reason(&error)))?;
        named(options.get_database(), "PostgreSQL")?;
        let options = if has_root { check_authority(options) } else { options };
        Ok(options.application_name("model-registry"))
    });
    Ok(DatabaseUrl::Postgres(servers.collect::<Result<_, _>>()?))
}

fn mysql_url(url: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let invalid = |reason: String| DatabaseUrlError::Invalid { kind: "MySQL", reason };
    special_characters::check(url).map_err(invalid)?;
    tls::Parameters::read(&query_of(url)).map_err(invalid)?;
    let url = url.replacen("mariadb://", "mysql://", 1);
    let servers = servers::urls(&url).map_err(invalid)?.into_iter().map(|url| {
        let options = MySqlConnectOptions::from_str(&url).map_err(|error| invalid(reason(&error)))?;
        named(options.get_database(), "MySQL")?;
        Ok(options.charset("utf8mb4"))
    });
    Ok(DatabaseUrl::MySql(servers.collect::<Result<_, _>>()?))
}

/// The decoded query parameters of a URL.
fn query_of(url: &str) -> Vec<(String, String)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(&value.replace('+', " ")))).collect()
}

fn named(database: Option<&str>, kind: &'static str) -> Result<(), DatabaseUrlError> {
    let invalid = |reason: &str| Err(DatabaseUrlError::Invalid { kind, reason: reason.to_owned() });
    match database {
        None | Some("") => invalid("it has no database name; add it after the last `/`"),
        Some(name) if name.contains('?') => invalid("the database name must not contain `?`"),
        Some(_) => Ok(()),
    }
}

fn decoded(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

/// The error message of the driver, without those that quote the DSN.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(source) => source.to_string(),
        _ => "it cannot be parsed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
