//! The configuration file of the client commands: profiles, each with a server and its credentials.

mod edit;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;
use model_registry_base::files::{self, LARGEST_SETTINGS};
use model_registry_server::config::ConfigError;
use serde::Deserialize;

pub(crate) use edit::ProfilesEdit;

/// The file `model-registry/client.toml` in the user's configuration directory.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The profile to use by default.
    pub(crate) default: Option<String>,
    #[serde(rename = "profiles")]
    pub(crate) named: BTreeMap<String, Profile>,
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

/// A server, its credentials and the output format.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Profile {
    pub(crate) server: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) output: Option<String>,
}

impl Profiles {
    /// Loads the file; without a file there are no profiles.
    pub(crate) fn load() -> Result<Self, ConfigError> {
        let Ok(directories) = etcetera::choose_base_strategy() else { return Ok(Self::default()) };
        let path = directories.config_dir().join("model-registry").join("client.toml");
        match files::read_text(&path, LARGEST_SETTINGS) {
            Ok(text) => Self::parse(&path, &text),
            Err(error) if error.is_not_found() => Ok(Self { path, ..Self::default() }),
            Err(error) => Err(ConfigError {
                place: path.display().to_string(),
                reason: format!("cannot read the configuration file: {error}"),
            }),
        }
    }

    fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let mut profiles: Self = toml::from_str(text).map_err(|error| {
            let position = error.span().map_or(0, |span| span.start);
            let before = &text[..position.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
            ConfigError {
                place: format!("{}:{line}:{column}", path.display()),
                reason: error.message().lines().collect::<Vec<_>>().join(", "),
            }
        })?;
        path.clone_into(&mut profiles.path);
        Ok(profiles)
    }

    /// Whether other users can read tokens in the file.
    pub(crate) fn expose_tokens(&self) -> bool {
        #[cfg(unix)]
        {
            let mode = std::fs::metadata(&self.path)
                .map(|metadata| std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()));
            self.named.values().any(|profile| profile.token.is_some()) && mode.is_ok_and(|mode| mode & 0o077 != 0)
        }
        #[cfg(not(unix))]
        false
    }

    /// The profile with a name, given with its origin, or else the default profile.
    pub(crate) fn select(&self, name: Option<(&str, &str)>) -> Result<Option<(&str, &Profile)>, ConfigError> {
        let place = self.path.display().to_string();
        let default = self.default.as_deref().map(|name| (name, place.as_str()));
        let Some((name, place)) = name.or(default) else { return Ok(None) };
        if let Some((name, profile)) = self.named.get_key_value(name) {
            return Ok(Some((name, profile)));
        }
        Err(ConfigError { place: place.to_owned(), reason: self.unknown(name) })
    }

    /// The reason why no profile has a name.
    pub(crate) fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = self.named.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "has no profiles".to_owned() } else { format!("has {}", known.join(", ")) };
        format!("no profile `{name}`: {} {known}", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Profiles, ConfigError> {
        Profiles::parse(Path::new("client.toml"), text)
    }

    #[test]
    fn an_unknown_key_is_reported_with_its_position() {
        let error = parse("[profiles.a]\nserver = \"http://a\"\ntokn = \"x\"\n").unwrap_err().to_string();
        assert_eq!(
            error,
            "client.toml:3:1: unknown field `tokn`, expected one of `server`, `token`, `token-file`, `ca-file`, `output`"
        );
    }

    #[test]
    fn a_named_profile_overrides_the_default_profile() {
        let profiles = parse("default = \"a\"\n[profiles.a]\nserver = \"http://a\"\n[profiles.b]\n").unwrap();
        assert_eq!(profiles.select(None).unwrap().unwrap().0, "a");
        assert_eq!(profiles.select(Some(("b", "--profile"))).unwrap().unwrap().0, "b");
        let error = profiles.select(Some(("c", "--profile"))).unwrap_err().to_string();
        assert_eq!(error, "--profile: no profile `c`: client.toml has a, b");
        assert!(parse("").unwrap().select(None).unwrap().is_none());
    }
}
