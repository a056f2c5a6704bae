//! Settings: one declaration each, from which the flags, the environment variables, the file's keys, `--help`, the
//! JSON schema of the file and its documentation all follow.
//!
//! A value comes from, in this order: the flag, the environment variable `MR_…`, the file (TOML, or the reference's YAML), the default. An empty
//! environment variable counts as unset. This is the only module that reads the environment.
//!
//! ```
//! # use model_registry_server::config::{self, Environment, Group, Schema, Sources};
//! let schema = Schema::new(&[config::SETTINGS]);
//! let command = schema.attach(clap::Command::new("server"), &[Group::Listen, Group::Limits]);
//! let arguments = command.get_matches_from(["server", "--port", "9090"]);
//! let environment = Environment::from_iter([("MR_LIMITS_MAX_BODY", "1MiB")]);
//! let settings = schema.load(&Sources { arguments: &arguments, environment: &environment, default_file: None })?;
//! assert_eq!(settings.number(&config::PORT), 9090);
//! assert_eq!(settings.size(&config::LIMITS_MAX_BODY), 1024 * 1024);
//! # Ok::<(), config::ConfigError>(())
//! ```
//!
//! To add a setting: one constant and its place in `SETTINGS` in `config/declarations.rs`, then `reference.rs`'s output
//! is regenerated. Settings of one subcommand only are declared there and passed to [`Schema::new`] beside ours.

mod apply;
mod declarations;
mod effective;
mod file;
mod load;
mod mask;
mod reference;
mod setting;
mod value;
mod yaml;

pub use apply::Telemetry;
pub use declarations::*;
pub use effective::{Effective, Origin, Settings};
pub(crate) use file::Source;
pub use load::{Environment, Schema, Sources};
pub use mask::mask;
pub use reference::{example_file, json_schema, markdown};
pub use setting::{Group, Setting, SettingType};

/// A setting that cannot be used: one line that says where, what, and what instead. The process ends with exit code 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ConfigError {
    /// `--flag`, `MR_VARIABLE` or `file:line:column`.
    pub place: String,
    /// What is wrong.
    pub reason: String,
}

impl ConfigError {
    pub(crate) fn new(place: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { place: place.into(), reason: reason.into() }
    }
}

#[cfg(test)]
mod tests;
