//! Where the database is: URLs of our own and the reference's DSN forms.
//!
//! `sqlite:PATH`, `sqlite::memory:`, `postgres://…`, `host=… dbname=…`, `mysql://…`, `user:password@tcp(host:3306)/db`.
//! Messages never contain the DSN, because it holds the password.

use std::path::PathBuf;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

mod tls;

pub use tls::{DatabaseTls, Pem};

/// A database that can be connected to.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file, or memory where there is no path.
    Sqlite {
        path: Option<PathBuf>,
    },
    Postgres(Box<PgConnectOptions>),
    MySql(Box<MySqlConnectOptions>),
}

/// What is wrong with a database URL or DSN.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum DatabaseUrlError {
    #[error(
        "the database URL is of no known form: use sqlite:PATH, sqlite::memory:, postgres://USER:PASSWORD@HOST/NAME or \
         mysql://USER:PASSWORD@HOST/NAME"
    )]
    UnknownForm,
    #[error("the database type `{0}` is not supported: use sqlite, postgres or mysql")]
    UnknownType(String),
    #[error("the database URL says {found}, the database type says {wanted}: make them agree")]
    TypeMismatch { found: &'static str, wanted: String },
    #[error("invalid {kind} DSN: {reason}")]
    Invalid { kind: &'static str, reason: String },
    #[error("sqlite: names no file: use sqlite:PATH, for example sqlite:registry.db")]
    NoPath,
}

impl FromStr for DatabaseUrl {
    type Err = DatabaseUrlError;

    fn from_str(text: &str) -> Result<Self, DatabaseUrlError> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix("sqlite:") {
            sqlite(rest)
        } else if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            postgres_url(text)
        } else if text.starts_with("mysql://") || text.starts_with("mariadb://") {
            mysql_url(text)
        } else if text.contains("@tcp(") || text.contains("@unix(") {
            mysql_dsn(text)
        } else if text.contains('=') && !text.contains("://") {
            postgres_pairs(text)
        } else {
            Err(DatabaseUrlError::UnknownForm)
        }
    }
}

impl DatabaseUrl {
    /// PostgreSQL as its own tools find it: `PGHOST`, `PGUSER`, `PGPASSWORD`, `PGDATABASE` and the like.
    pub fn postgres_of_environment() -> Self {
        Self::Postgres(Box::new(PgConnectOptions::new()))
    }

    /// Reads the reference's pair of settings: the type decides the form of the DSN.
    pub fn from_type_and_dsn(kind: &str, dsn: &str) -> Result<Self, DatabaseUrlError> {
        let source = match kind {
            "sqlite" => sqlite(dsn.strip_prefix("sqlite:").unwrap_or(dsn)),
            "postgres" | "mysql" if dsn.contains("://") => dsn.parse(),
            "postgres" => postgres_pairs(dsn),
            "mysql" => mysql_dsn(dsn),
            other => return Err(DatabaseUrlError::UnknownType(other.to_owned())),
        }?;
        if source.kind() != kind {
            return Err(DatabaseUrlError::TypeMismatch { found: source.kind(), wanted: kind.to_owned() });
        }
        Ok(source)
    }

    /// `sqlite`, `postgres` or `mysql`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres(_) => "postgres",
            Self::MySql(_) => "mysql",
        }
    }

    /// Applies TLS settings given apart from the DSN; they win over it.
    pub fn with_tls(self, tls: &DatabaseTls) -> std::io::Result<Self> {
        if !tls.is_asked_for {
            return Ok(self);
        }
        // Several files are one text, because the drivers take one.
        let roots = match tls.roots.as_slice() {
            [] | [_] => None,
            several => {
                let texts = several.iter().map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
                Some(texts.join(&b'\n'))
            }
        };
        Ok(match self {
            Self::Sqlite { .. } => self,
            Self::Postgres(options) => {
                let mut options = match (roots, tls.roots.first()) {
                    (Some(text), _) => options.ssl_root_cert_from_pem(text),
                    (None, Some(path)) => options.ssl_root_cert(path),
                    (None, None) => *options,
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
                Self::Postgres(Box::new(options))
            }
            Self::MySql(options) => {
                let mut options = options.ssl_mode(if tls.verify_server {
                    MySqlSslMode::VerifyIdentity
                } else {
                    MySqlSslMode::Required
                });
                if let Some(text) = roots {
                    options = options.ssl_ca_from_pem(text);
                } else if let Some(path) = tls.roots.first() {
                    options = options.ssl_ca(path);
                }
                if let Some((certificate, key)) = &tls.client {
                    options = options.ssl_client_cert(certificate).ssl_client_key(key);
                }
                Self::MySql(Box::new(options))
            }
        })
    }
}

/// `require` with the certificate of an authority means `verify-ca`, for libpq and for the reference's driver as well.
fn check_authority(options: PgConnectOptions) -> PgConnectOptions {
    match options.get_ssl_mode() {
        PgSslMode::Require => options.ssl_mode(PgSslMode::VerifyCa),
        _ => options,
    }
}

impl std::fmt::Display for DatabaseUrl {
    /// Names the place without user or password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { path: None } => f.write_str("SQLite in memory"),
            Self::Sqlite { path: Some(path) } => write!(f, "SQLite file {}", path.display()),
            Self::Postgres(options) => write!(
                f,
                "PostgreSQL {} at {}:{}",
                options.get_database().unwrap_or_default(),
                options.get_host(),
                options.get_port()
            ),
            Self::MySql(options) => write!(
                f,
                "MySQL {} at {}:{}",
                options.get_database().unwrap_or_default(),
                options.get_host(),
                options.get_port()
            ),
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

fn postgres_url(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let invalid = |reason| DatabaseUrlError::Invalid { kind: "PostgreSQL", reason };
    let mut options = PgConnectOptions::from_str(text).map_err(|error| invalid(reason(&error)))?;
    named(options.get_database(), "PostgreSQL")?;
    if tls::Parameters::read(&query_of(text)).map_err(invalid)?.has_root {
        options = check_authority(options);
    }
    Ok(DatabaseUrl::Postgres(Box::new(options.application_name("model-registry"))))
}

fn mysql_url(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let invalid = |reason| DatabaseUrlError::Invalid { kind: "MySQL", reason };
    let text = text.replacen("mariadb://", "mysql://", 1);
    let options = MySqlConnectOptions::from_str(&text).map_err(|error| invalid(reason(&error)))?;
    named(options.get_database(), "MySQL")?;
    tls::Parameters::read(&query_of(&text)).map_err(invalid)?;
    Ok(DatabaseUrl::MySql(Box::new(options.charset("utf8mb4"))))
}

/// The parameters behind a URL's question mark.
fn query_of(url: &str) -> Vec<(String, String)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decoded(name), decoded(&value.replace('+', " ")))).collect()
}

fn named(database: Option<&str>, kind: &'static str) -> Result<(), DatabaseUrlError> {
    let invalid = |reason: &str| Err(DatabaseUrlError::Invalid { kind, reason: reason.to_owned() });
    match database {
        None | Some("") => invalid("it names no database; put one behind the last slash"),
        Some(name) if name.contains('?') => invalid("the database name must not contain `?`"),
        Some(_) => Ok(()),
    }
}

/// libpq's `key=value` form; values may be quoted with `'`, `\` escapes.
fn postgres_pairs(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let invalid = |reason: String| DatabaseUrlError::Invalid { kind: "PostgreSQL", reason };
    let mut options = PgConnectOptions::new_without_pgpass().application_name("model-registry");
    let mut database = None;
    let pairs = pairs(text).map_err(invalid)?;
    let tls = tls::Parameters::read(&pairs).map_err(invalid)?;
    for (key, value) in pairs {
        options = match key.as_str() {
            "host" => options.host(&value),
            "port" => options.port(value.parse().map_err(|_| invalid(format!("`port` is no number: {value}")))?),
            "user" => options.username(&value),
            "password" => options.password(&value),
            "dbname" | "database" => {
                database = Some(value.clone());
                options.database(&value)
            }
            "sslmode" => {
                options.ssl_mode(value.parse().map_err(|_| invalid(format!("`sslmode` is not known: {value}")))?)
            }
            "sslrootcert" => options.ssl_root_cert(value),
            "sslcert" => options.ssl_client_cert(value),
            "sslkey" => options.ssl_client_key(value),
            "application_name" => options.application_name(&value),
            "options" => options.options([("options", value)]),
            // What Go's driver also takes and what changes nothing here.
            "connect_timeout" | "TimeZone" | "timezone" | "target_session_attrs" | "client_encoding" => options,
            other => return Err(invalid(format!("unknown key `{other}`"))),
        };
    }
    named(database.as_deref(), "PostgreSQL")?;
    if tls.has_root {
        options = check_authority(options);
    }
    Ok(DatabaseUrl::Postgres(Box::new(options)))
}

fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=').ok_or_else(|| "expected key=value pairs".to_owned())?;
        let after = after.trim_start();
        let (quoted, body) = match after.strip_prefix('\'') {
            Some(body) => (true, body),
            None => (false, after),
        };
        let mut value = String::new();
        let mut characters = body.char_indices();
        let mut end = None;
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                '\'' if quoted => {
                    end = Some(at + 1);
                    break;
                }
                character if !quoted && character.is_whitespace() => {
                    end = Some(at);
                    break;
                }
                character => value.push(character),
            }
        }
        if quoted && end.is_none() {
            return Err(format!("the value of `{}` has no closing quote", key.trim()));
        }
        pairs.push((key.trim().to_owned(), value));
        rest = end.map_or("", |end| body[end..].trim_start());
    }
    Ok(pairs)
}

/// Go's form: `[user[:password]@][tcp|unix(address)]/database[?parameters]`.
fn mysql_dsn(text: &str) -> Result<DatabaseUrl, DatabaseUrlError> {
    let invalid = |reason: String| DatabaseUrlError::Invalid { kind: "MySQL", reason };
    // The password may contain any of the separators, so the text is taken apart from its end.
    let (address, tail) =
        text.rsplit_once('/').ok_or_else(|| invalid("it has no slash before the database name".to_owned()))?;
    let (database, parameters) = match tail.split_once('?') {
        Some((_, parameters)) if parameters.contains('?') => {
            return Err(invalid("the database name must not contain `?`".to_owned()));
        }
        Some((database, parameters)) => (database, parameters),
        None => (tail, ""),
    };
    let database = decoded(database);
    named(Some(&database), "MySQL")?;
    let (credentials, network) = address.rsplit_once('@').unwrap_or(("", address));
    let mut options = MySqlConnectOptions::new().database(&database).charset("utf8mb4");
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    if !user.is_empty() {
        options = options.username(user);
    }
    if !password.is_empty() {
        options = options.password(password);
    }
    let inside = |prefix: &str| network.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(')'));
    if let Some(path) = inside("unix(") {
        options = options.socket(path);
    } else if let Some(place) = inside("tcp(") {
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port),
            _ => (place, "3306"),
        };
        let port = port.parse().map_err(|_| invalid(format!("the port is no number: {port}")))?;
        options = options.host(host.trim_matches(['[', ']'])).port(port);
    } else if !network.is_empty() {
        return Err(invalid("the address is neither tcp(host:port) nor unix(path)".to_owned()));
    }
    for pair in parameters.split('&') {
        if let Some(("tls", value)) = pair.split_once('=') {
            options = options.ssl_mode(match value {
                "true" => MySqlSslMode::VerifyIdentity,
                "skip-verify" => MySqlSslMode::Required,
                "preferred" => MySqlSslMode::Preferred,
                "false" => MySqlSslMode::Disabled,
                other => return Err(invalid(format!("`tls` is not known: {other}"))),
            });
        }
    }
    Ok(DatabaseUrl::MySql(Box::new(options)))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The error's text without the DSN that some of them quote.
fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(source) => source.to_string(),
        _ => "it cannot be read".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match text.parse::<DatabaseUrl>() {
            Ok(source) => source.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_documented_form_is_read() {
        assert_eq!(shown("sqlite::memory:"), "SQLite in memory");
        assert_eq!(shown("sqlite:/var/lib/registry.db"), "SQLite file /var/lib/registry.db");
        assert_eq!(shown("sqlite://registry.db"), "SQLite file registry.db");
        assert_eq!(shown("postgres://u:p@db:5433/models?sslmode=disable"), "PostgreSQL models at db:5433");
        assert_eq!(shown("host=db port=5433 user=u password='it\\'s' dbname=models"), "PostgreSQL models at db:5433");
        assert_eq!(shown("mysql://u:p@db/models"), "MySQL models at db:3306");
        assert_eq!(shown("root:de/m@o@tcp(db:3307)/models?charset=utf8mb4"), "MySQL models at db:3307");
        assert_eq!(shown("root@tcp([::1]:3307)/models"), "MySQL models at ::1:3307");
    }

    #[test]
    fn mistakes_are_named_without_the_password() {
        assert!(shown("redis://x").starts_with("the database URL is of no known form"));
        assert_eq!(shown("sqlite:"), "sqlite: names no file: use sqlite:PATH, for example sqlite:registry.db");
        assert_eq!(shown("root:secret@tcp(db:x)/models"), "invalid MySQL DSN: the port is no number: x");
        assert_eq!(
            shown("root:secret@tcp(db:1)/a?b=1?c=2"),
            "invalid MySQL DSN: the database name must not contain `?`"
        );
        assert_eq!(
            shown("host=db password=secret"),
            "invalid PostgreSQL DSN: it names no database; put one behind the last slash"
        );
        assert_eq!(shown("host=db dbname=x pasword=secret"), "invalid PostgreSQL DSN: unknown key `pasword`");
    }

    #[test]
    fn the_reference_s_type_and_dsn_have_to_agree() {
        assert_eq!(DatabaseUrl::from_type_and_dsn("mysql", "u:p@tcp(h:1)/d").unwrap().kind(), "mysql");
        assert_eq!(DatabaseUrl::from_type_and_dsn("postgres", "host=h dbname=d").unwrap().kind(), "postgres");
        assert_eq!(
            DatabaseUrl::from_type_and_dsn("mysql", "postgres://h/d").unwrap_err(),
            DatabaseUrlError::TypeMismatch { found: "postgres", wanted: "mysql".to_owned() }
        );
        assert_eq!(
            DatabaseUrl::from_type_and_dsn("oracle", "x").unwrap_err(),
            DatabaseUrlError::UnknownType("oracle".to_owned())
        );
    }
}
