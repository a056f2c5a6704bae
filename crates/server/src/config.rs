//! Settings: each is declared once; flags, environment variables, keys of the file, `--help`, the JSON schema of the
//! file and the documentation derive from the declaration.
//!
//! Precedence: flag, environment variable `MR_…`, file (TOML, or the YAML of the Kubeflow Model Registry), default. An
//! empty environment variable counts as unset. This is the only module that reads the environment.
//!
//! ```
//! # use model_registry_server::config::{self, Environment, Group, Inputs, Schema};
//! let schema = Schema::new(&[config::SETTINGS]);
//! let command = schema.attach(clap::Command::new("server"), &[Group::Listen, Group::Limits]);
//! let arguments = command.get_matches_from(["server", "--port", "9090"]);
//! let environment = Environment::from_iter([("MR_LIMITS_MAX_BODY", "1MiB")]);
//! let settings = schema.load(&Inputs { arguments: &arguments, environment: &environment, default_file: None })?;
//! assert_eq!(settings.number(&config::PORT), 9090);
//! assert_eq!(settings.size(&config::LIMITS_MAX_BODY), 1024 * 1024);
//! # Ok::<(), config::ConfigError>(())
//! ```
//!
//! To add a setting: a constant in `config/declarations.rs` and its entry in `SETTINGS` there, then regenerate
//! `docs/configure.md` (`model-registry config reference`). The settings of a single subcommand are declared in its
//! file and passed to [`Schema::new`] in addition to [`SETTINGS`].

mod apply;
mod declarations;
mod effective;
mod file;
mod load;
mod memory;
mod reference;
mod setting;
mod value;
mod variables;
mod yaml;

pub use apply::Telemetry;
pub use declarations::*;
pub use effective::{EffectiveValue, Origin, Settings};
pub(crate) use file::TomlFile;
pub use load::{Inputs, Schema};
pub use model_registry_base::Environment;
use model_registry_base::redact;
pub use reference::{example_file, json_schema, markdown};
pub use setting::{Group, Setting, SettingType};
pub use value::size as parse_size;

/// An unusable setting, on one line: where, what is wrong, what to do. The process ends with exit code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {}", redact(.reason))]
pub struct ConfigError {
    /// `--flag`, `MR_VARIABLE` or `file:line:column`.
    pub place: String,
    /// What is wrong and what to do.
    pub reason: String,
}

impl ConfigError {
    pub(crate) fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests;
