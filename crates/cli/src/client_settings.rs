//! The settings of the client commands: from flags, environment variables and a profile, in this order of precedence.

use std::path::PathBuf;

use clap::ArgMatches;
use model_registry_base::files::{self, LARGEST_SETTINGS};
use model_registry_client::{Client, ClientBuilder};
use model_registry_server::config::{ConfigError, Environment};

use crate::notes::Notes;
use crate::output::Format;
use crate::profiles::{Profile, Profiles};

/// The environment variables of the client commands.
pub(crate) const VARIABLES: &[&str] = &["MR_CA_FILE", "MR_PROFILE", "MR_SERVER", "MR_TOKEN", "MR_TOKEN_FILE"];

const DEFAULT_SERVER: &str = "http://127.0.0.1:8080";

/// A value with its origin: `--flag`, `MR_VARIABLE`, `profile NAME` or `default`.
#[derive(Clone, Debug)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) origin: String,
}

impl<T> Sourced<T> {
    fn map<U>(self, convert: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced { value: convert(self.value), origin: self.origin }
    }
}

/// The settings of the client commands.
#[derive(Debug)]
pub(crate) struct ClientSettings {
    /// The configuration file with the profiles, which need not exist.
    pub(crate) file: PathBuf,
    pub(crate) profile: Option<Sourced<String>>,
    pub(crate) server: Sourced<String>,
    pub(crate) token: Option<Sourced<String>>,
    pub(crate) token_file: Option<Sourced<PathBuf>>,
    pub(crate) ca_file: Option<Sourced<PathBuf>>,
    pub(crate) output: Sourced<String>,
    /// Whether other users can read tokens in the configuration file.
    exposes_tokens: bool,
}

/// The flags and environment variables.
pub(crate) struct Explicit<'a> {
    pub(crate) arguments: &'a ArgMatches,
    pub(crate) environment: &'a Environment,
}

impl Explicit<'_> {
    fn flag(&self, name: &str) -> Option<Sourced<String>> {
        let value = self.arguments.try_get_one::<String>(name).ok().flatten()?;
        Some(Sourced { value: value.clone(), origin: format!("--{name}") })
    }

    fn variable(&self, name: &str) -> Option<Sourced<String>> {
        self.environment.get(name).map(|value| Sourced { value: value.to_owned(), origin: name.to_owned() })
    }

    pub(crate) fn get(&self, flag: &str, variable: &str) -> Option<Sourced<String>> {
        self.flag(flag).or_else(|| self.variable(variable))
    }
}

impl ClientSettings {
    pub(crate) fn load(arguments: &ArgMatches, environment: &Environment) -> Result<Self, ConfigError> {
        let explicit = Explicit { arguments, environment };
        let profiles = Profiles::load()?;
        let named = explicit.get("profile", "MR_PROFILE");
        let named = named.as_ref().map(|name| (name.value.as_str(), name.origin.as_str()));
        let selected = profiles.select(named)?;
        let origin = selected.map(|(name, _)| format!("profile {name}")).unwrap_or_default();
        let profile = selected.map(|(_, profile)| profile.clone()).unwrap_or_default();
        let default = |value: &str| Sourced { value: value.to_owned(), origin: "default".to_owned() };

        let server = explicit.get("server", "MR_SERVER");
        let (token, token_file) = match explicit_credentials(&explicit) {
            (None, None) if is_server_of(&profile, server.as_ref()) => profile_credentials(&profile, &origin),
            credentials => credentials,
        };
        let ca_file = explicit.get("ca-file", "MR_CA_FILE").map(|file| file.map(PathBuf::from));
        let output = explicit.flag("output").or_else(|| sourced(profile.output.as_ref(), &origin));
        let output = output.unwrap_or_else(|| default("table"));
        if !Format::NAMES.contains(&output.value.as_str()) {
            let place = format!("{}, {}", profiles.path.display(), output.origin);
            let reason = format!("`{}` is not an output format: use {}", output.value, Format::NAMES.join(", "));
            return Err(ConfigError { place, reason });
        }
        Ok(Self {
            profile: selected.map(|(name, _)| Sourced {
                value: name.to_owned(),
                origin: named.map_or_else(|| profiles.path.display().to_string(), |(_, origin)| origin.to_owned()),
            }),
            server: server
                .or_else(|| sourced(profile.server.as_ref(), &origin))
                .unwrap_or_else(|| default(DEFAULT_SERVER)),
            token,
            token_file,
            ca_file: ca_file.or_else(|| sourced(profile.ca_file.as_ref(), &origin)),
            output,
            exposes_tokens: profiles.expose_tokens(),
            file: profiles.path,
        })
    }

    pub(crate) fn warn_about_permissions(&self, notes: Notes) {
        if self.exposes_tokens {
            let file = self.file.display();
            notes.print(&format!("other users can read the tokens in {file}: run `chmod 600 {file}`"));
        }
    }

    /// The client, which reports slow requests as notes.
    pub(crate) fn client(&self, notes: Notes) -> anyhow::Result<Client> {
        Ok(self.builder()?.on_notice(move |notice| notes.notice(notice)).build()?)
    }

    /// The settings of the client.
    pub(crate) fn builder(&self) -> anyhow::Result<ClientBuilder> {
        let mut builder = Client::builder(&self.server.value);
        if let Some(token) = &self.token {
            builder = builder.token(&token.value);
        }
        if let Some(file) = &self.token_file {
            builder = builder.token_file(&file.value);
        }
        if let Some(pem) = self.certificates()? {
            builder = builder.root_certificates(pem);
        }
        Ok(builder)
    }

    /// The content of the file of trusted certificates.
    pub(crate) fn certificates(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let Some(file) = &self.ca_file else { return Ok(None) };
        let pem = files::read(&file.value, LARGEST_SETTINGS).map_err(|error| ConfigError {
            place: file.origin.clone(),
            reason: format!("cannot read `{}`: {error}", file.value.display()),
        })?;
        Ok(Some(pem))
    }
}

fn sourced<T: Clone>(value: Option<&T>, origin: &str) -> Option<Sourced<T>> {
    value.map(|value| Sourced { value: value.clone(), origin: origin.to_owned() })
}

/// Whether the server is that of the profile: the token of a profile is sent to no other server.
fn is_server_of(profile: &Profile, server: Option<&Sourced<String>>) -> bool {
    let is_same = |left: &str, right: &str| left.trim_end_matches('/') == right.trim_end_matches('/');
    server.is_none_or(|server| profile.server.as_ref().is_some_and(|own| is_same(&server.value, own)))
}

/// A token or a file with a token; never both.
type Credentials = (Option<Sourced<String>>, Option<Sourced<PathBuf>>);

fn explicit_credentials(explicit: &Explicit<'_>) -> Credentials {
    let token = explicit.get("token", "MR_TOKEN");
    let file = explicit.get("token-file", "MR_TOKEN_FILE").map(|file| file.map(PathBuf::from));
    match (token, file) {
        // The flag of one precedes the variable of the other.
        (Some(token), Some(file)) if token.origin.starts_with("--") || !file.origin.starts_with("--") => {
            (Some(token), None)
        }
        (_, Some(file)) => (None, Some(file)),
        (token, None) => (token, None),
    }
}

fn profile_credentials(profile: &Profile, origin: &str) -> Credentials {
    match sourced(profile.token.as_ref(), origin) {
        Some(token) => (Some(token), None),
        None => (None, sourced(profile.token_file.as_ref(), origin)),
    }
}
