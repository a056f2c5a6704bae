//! The database of the settings.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use model_registry_server::config::{self as key, ConfigError, Setting, Settings};
use model_registry_store::{DatabaseTls, DatabaseUrl, Pem, PoolOptions};

/// The database URL: `--database`, or the flags of the Kubeflow Model Registry, or a SQLite file in the user's data
/// directory.
pub(crate) fn url(settings: &Settings) -> Result<DatabaseUrl, ConfigError> {
    configured_url(settings)?.map_or_else(|| Ok(DatabaseUrl::Sqlite { path: Some(default_path("registry.db")?) }), Ok)
}

/// The database URL of a server, which has no default: a file in a container is lost with the container.
pub(crate) fn required_url(settings: &Settings, subcommand: &str) -> Result<DatabaseUrl, ConfigError> {
    configured_url(settings)?.ok_or_else(|| ConfigError {
        place: format!("--{}", key::DATABASE.flag()),
        reason: format!(
            "`{subcommand}` requires a database: set --database or {}, such as postgres://USER:PASSWORD@HOST/NAME, or \
             sqlite:/path/registry.db on a volume that outlives the process; `model-registry up` uses a file by default",
            key::DATABASE.variable()
        ),
    })
}

/// The database URL of `--database`, or of the flags of the Kubeflow Model Registry.
fn configured_url(settings: &Settings) -> Result<Option<DatabaseUrl>, ConfigError> {
    let database: DatabaseUrl = if let Some(url) = settings.string(&key::DATABASE) {
        url.parse().map_err(|error| wrong(settings, &key::DATABASE, &error))?
    } else if let Some(dsn) = settings.string(&key::EMBEDMD_DATABASE_DSN) {
        let kind = settings.string(&key::EMBEDMD_DATABASE_TYPE).unwrap_or("mysql");
        DatabaseUrl::from_type_and_dsn(kind, dsn)
            .map_err(|error| wrong(settings, &key::EMBEDMD_DATABASE_DSN, &error))?
    } else {
        return Ok(None);
    };
    let tls = tls(settings)?;
    let database = database.with_tls(&tls).map_err(|error| ConfigError {
        place: format!("--{}", key::EMBEDMD_DATABASE_SSL_CA.flag()),
        reason: format!("cannot read the certificates: {error}"),
    })?;
    Ok(Some(database))
}

/// The connection pool of the settings.
pub(crate) fn pool_options(settings: &Settings) -> PoolOptions {
    PoolOptions { max_connections: settings.database_connections(), ..PoolOptions::default() }
}

fn wrong(settings: &Settings, setting: &Setting, reason: &impl ToString) -> ConfigError {
    let place = settings.find(setting).map(|value| value.origin.to_string()).unwrap_or_default();
    ConfigError { place, reason: reason.to_string() }
}

/// A file in the user's data directory.
pub(crate) fn default_path(file_name: &str) -> Result<PathBuf, ConfigError> {
    let directories = etcetera::choose_base_strategy().map_err(|error| ConfigError {
        place: "--database".to_owned(),
        reason: format!("no home directory for the database file ({error}): set a file with --database sqlite:PATH"),
    })?;
    Ok(directories.data_dir().join("model-registry").join(file_name))
}

/// TLS of the database connection, from the flags of the Kubeflow Model Registry.
fn tls(settings: &Settings) -> Result<DatabaseTls, ConfigError> {
    let file = |setting: &Setting, pem: Pem| match settings.path(setting) {
        Some(path) => {
            pem.check(path).map(|()| Some(path.to_owned())).map_err(|reason| wrong(settings, setting, &reason))
        }
        None => Ok(None),
    };
    let certificate = file(&key::EMBEDMD_DATABASE_SSL_CERT, Pem::Certificates)?;
    let key = file(&key::EMBEDMD_DATABASE_SSL_KEY, Pem::Key)?;
    let root = file(&key::EMBEDMD_DATABASE_SSL_ROOT_CERT, Pem::Certificates)?;
    let additional = file(&key::EMBEDMD_DATABASE_SSL_CA, Pem::Certificates)?;
    let verify_server = settings.is_on(&key::EMBEDMD_DATABASE_SSL_VERIFY_SERVER_CERT);
    Ok(DatabaseTls {
        is_required: verify_server || [&certificate, &key, &root, &additional].iter().any(|path| path.is_some()),
        client: certificate.zip(key),
        roots: root.into_iter().chain(additional).collect(),
        verify_server,
    })
}
