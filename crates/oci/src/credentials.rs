//! Credentials for registries: given ones, and those of the files that container tools keep.

mod docker_config;
mod helper;

use std::fmt;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model_registry_base::Environment;

pub use self::docker_config::DockerConfig;
use crate::error::{Error, Result};
use crate::reference::ImageReference;

/// How a client proves who it is.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    #[default]
    Anonymous,
    Basic {
        user: String,
        password: String,
    },
    /// A refresh token, which the registry's token service exchanges for short-lived tokens.
    IdentityToken(String),
    /// A bearer token for the registry itself.
    Token(String),
}

impl Credentials {
    pub fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }

    /// The value of `Authorization` for basic authentication.
    pub(crate) fn basic(&self) -> Option<String> {
        let Self::Basic { user, password } = self else { return None };
        Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }

    /// Removes the secret from a text that comes from a registry.
    pub(crate) fn scrub(&self, text: &str) -> String {
        let secret = match self {
            Self::Anonymous => return text.to_owned(),
            Self::Basic { password, .. } => password,
            Self::IdentityToken(token) | Self::Token(token) => token,
        };
        let mut scrubbed = text.to_owned();
        for secret in [Some(secret.clone()), self.basic().map(|basic| basic["Basic ".len()..].to_owned())] {
            if let Some(secret) = secret.filter(|secret| !secret.is_empty()) {
                scrubbed = scrubbed.replace(&secret, model_registry_base::REDACTED);
            }
        }
        scrubbed
    }
}

/// Without the secrets.
impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => formatter.write_str("Anonymous"),
            Self::Basic { user, .. } => formatter.debug_struct("Basic").field("user", user).finish_non_exhaustive(),
            Self::IdentityToken(_) => formatter.write_str("IdentityToken(***)"),
            Self::Token(_) => formatter.write_str("Token(***)"),
        }
    }
}

/// Where credentials come from: given ones first, then the configuration of container tools.
#[derive(Clone, Debug, Default)]
pub struct CredentialStore {
    given: Vec<(Option<String>, Credentials)>,
    config: Option<DockerConfig>,
}

impl CredentialStore {
    /// No credentials at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// The first of these that exists: the file that `REGISTRY_AUTH_FILE` names, `config.json` in `DOCKER_CONFIG`,
    /// `containers/auth.json` in `XDG_RUNTIME_DIR`, `.docker/config.json` and `.config/containers/auth.json` in the home directory.
    ///
    /// # Errors
    ///
    /// If the file that a variable names does not exist, or a file cannot be read or parsed.
    pub fn from_environment(environment: &Environment) -> Result<Self> {
        let named = environment.get("REGISTRY_AUTH_FILE").map(|file| ("REGISTRY_AUTH_FILE", PathBuf::from(file)));
        if let Some((variable, path)) = named {
            return Self::from_file(&path).map_err(|error| within(variable, error));
        }
        let home = environment.get("HOME").map(PathBuf::from);
        let candidates = [
            environment.get("DOCKER_CONFIG").map(|directory| PathBuf::from(directory).join("config.json")),
            environment.get("XDG_RUNTIME_DIR").map(|directory| PathBuf::from(directory).join("containers/auth.json")),
            home.as_ref().map(|home| home.join(".docker/config.json")),
            home.as_ref().map(|home| home.join(".config/containers/auth.json")),
        ];
        let found = candidates.into_iter().flatten().find(|path| path.is_file());
        found.map_or_else(|| Ok(Self::none()), |path| Self::from_file(&path))
    }

    /// The credentials of a file such as docker's `config.json`.
    pub fn from_file(path: &std::path::Path) -> Result<Self> {
        Ok(Self { given: Vec::new(), config: Some(DockerConfig::read(path)?) })
    }

    /// The credentials of a configuration that was read elsewhere.
    pub fn from_config(config: DockerConfig) -> Self {
        Self { given: Vec::new(), config: Some(config) }
    }

    /// Uses these credentials for a registry (`host[:port]`), or for every registry without given ones.
    #[must_use]
    pub fn with(mut self, registry: Option<&str>, credentials: Credentials) -> Self {
        self.given.push((registry.map(str::to_ascii_lowercase), credentials));
        self
    }

    /// The credentials for an image. May run a credential helper.
    pub async fn find(&self, image: &ImageReference) -> Result<Credentials> {
        let given = |registry: Option<&str>| {
            let found = self.given.iter().find(|(name, _)| name.as_deref() == registry);
            found.map(|(_, credentials)| credentials.clone())
        };
        if let Some(credentials) = given(Some(image.registry())).or_else(|| given(None)) {
            return Ok(credentials);
        }
        match &self.config {
            Some(config) => config.find(image).await,
            None => Ok(Credentials::Anonymous),
        }
    }
}

fn within(variable: &str, error: Error) -> Error {
    match error {
        Error::Credentials { place, reason } => Error::Credentials { place: format!("{variable}: {place}"), reason },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> ImageReference {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn given_credentials_come_before_those_of_files() {
        let basic = |user: &str| Credentials::Basic { user: user.to_owned(), password: "p".to_owned() };
        let text = r#"{"auths":{"a.example":{"username":"file","password":"p"},"b.example":{"username":"file","password":"p"}}}"#;
        let config = DockerConfig::parse(text, "test").unwrap();
        let store = CredentialStore::from_config(config).with(Some("A.example"), basic("given"));
        assert_eq!(store.find(&image("a.example/m")).await.unwrap(), basic("given"));
        assert_eq!(store.find(&image("b.example/m")).await.unwrap(), basic("file"));
        assert_eq!(store.find(&image("c.example/m")).await.unwrap(), Credentials::Anonymous);
        let store = store.with(None, basic("any"));
        assert_eq!(store.find(&image("c.example/m")).await.unwrap(), basic("any"));
    }

    #[test]
    fn the_file_of_a_variable_must_exist_and_files_of_tools_need_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        let missing: Environment = [("REGISTRY_AUTH_FILE", path("missing.json"))].into_iter().collect();
        let error = CredentialStore::from_environment(&missing).unwrap_err().to_string();
        assert!(error.starts_with("REGISTRY_AUTH_FILE: ") && error.contains("missing.json"), "{error}");
        let none: Environment = [("HOME", path("home")), ("DOCKER_CONFIG", path("docker"))].into_iter().collect();
        assert!(CredentialStore::from_environment(&none).unwrap().config.is_none());
        std::fs::create_dir(directory.path().join("docker")).unwrap();
        std::fs::write(directory.path().join("docker/config.json"), "{}").unwrap();
        assert!(CredentialStore::from_environment(&none).unwrap().config.is_some());
    }

    #[test]
    fn secrets_are_neither_in_debug_output_nor_in_texts_of_registries() {
        let credentials = Credentials::Basic { user: "me".to_owned(), password: "hunter2".to_owned() };
        let echo = format!("bad header {} for hunter2", credentials.basic().unwrap());
        let scrubbed = credentials.scrub(&echo);
        assert!(!scrubbed.contains("hunter2") && !scrubbed.contains("bWU6"), "{scrubbed}");
        for secret in
            [credentials, Credentials::Token("hunter2".to_owned()), Credentials::IdentityToken("hunter2".to_owned())]
        {
            assert!(!format!("{secret:?}").contains("hunter2"));
            assert!(!secret.scrub("got hunter2").contains("hunter2"));
        }
    }
}
