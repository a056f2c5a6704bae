//! Which database the settings name.

use std::path::PathBuf;

use etcetera::BaseStrategy;
use model_registry_server::config::{self as key, ConfigError, Setting, Settings};
use model_registry_store::{DatabaseSource, DatabaseTls, SourceError};

/// The database of `--database`, of the reference's flags, or a file in the user's data directory.
pub(crate) fn source(settings: &Settings) -> Result<DatabaseSource, ConfigError> {
    let source = if let Some(url) = settings.text(&key::DATABASE) {
        url.parse().map_err(|error| wrong(settings, &key::DATABASE, &error))?
    } else if let Some(dsn) = settings.text(&key::EMBEDMD_DATABASE_DSN) {
        let kind = settings.text(&key::EMBEDMD_DATABASE_TYPE).unwrap_or("mysql");
        DatabaseSource::from_type_and_dsn(kind, dsn)
            .map_err(|error| wrong(settings, &key::EMBEDMD_DATABASE_DSN, &error))?
    } else {
        DatabaseSource::Sqlite { path: Some(default_path()?) }
    };
    Ok(source.with_tls(&tls(settings)))
}

fn wrong(settings: &Settings, setting: &Setting, error: &SourceError) -> ConfigError {
    let place = settings.find(setting).map(|value| value.origin.to_string()).unwrap_or_default();
    ConfigError { place, reason: error.to_string() }
}

fn default_path() -> Result<PathBuf, ConfigError> {
    let directories = etcetera::choose_base_strategy().map_err(|error| ConfigError {
        place: "--database".to_owned(),
        reason: format!("no home directory to keep the data in ({error}): name a file with --database sqlite:PATH"),
    })?;
    Ok(directories.data_dir().join("model-registry").join("registry.db"))
}

fn tls(settings: &Settings) -> DatabaseTls {
    let path = |setting: &Setting| settings.path(setting).map(PathBuf::from);
    DatabaseTls {
        certificate: path(&key::EMBEDMD_DATABASE_SSL_CERT),
        key: path(&key::EMBEDMD_DATABASE_SSL_KEY),
        root_certificate: path(&key::EMBEDMD_DATABASE_SSL_ROOT_CERT).or_else(|| path(&key::EMBEDMD_DATABASE_SSL_CA)),
        verify_server: settings.is_on(&key::EMBEDMD_DATABASE_SSL_VERIFY_SERVER_CERT),
    }
}
