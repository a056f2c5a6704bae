//! The configuration file of docker, podman and skopeo: `auths`, `credHelpers`, `credsStore`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model_registry_base::files;
use serde::Deserialize;

use super::{Credentials, helper};
use crate::error::{Error, Result};
use crate::reference::ImageReference;

/// The key of Docker Hub in files that docker has written.
const DOCKER_HUB_KEY: &str = "https://index.docker.io/v1/";

/// Padding is optional: files are also written by hand.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A parsed `config.json` or `auth.json`.
#[derive(Clone)]
pub struct DockerConfig {
    place: String,
    auths: BTreeMap<String, Entry>,
    helpers: BTreeMap<String, String>,
    store: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    auths: Option<BTreeMap<String, Entry>>,
    #[serde(default)]
    cred_helpers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    creds_store: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
    registrytoken: Option<String>,
}

impl DockerConfig {
    pub fn read(path: &Path) -> Result<Self> {
        let place = path.display().to_string();
        let text = files::read_text(path, files::LARGEST_SETTINGS)
            .map_err(|error| Error::Credentials { place: place.clone(), reason: format!("cannot be read: {error}") })?;
        Self::parse(&text, &place)
    }

    /// Parses the content of a file. `place` names it in errors.
    pub fn parse(text: &str, place: &str) -> Result<Self> {
        let file: File = serde_json::from_str(text).map_err(|error| Error::Credentials {
            place: place.to_owned(),
            // Without the words of the parser, which quote values.
            reason: format!(
                "is not a docker configuration (JSON with `auths`), see line {} column {}",
                error.line(),
                error.column()
            ),
        })?;
        Ok(Self {
            place: place.to_owned(),
            auths: file.auths.unwrap_or_default(),
            helpers: file.cred_helpers.unwrap_or_default(),
            store: file.creds_store.filter(|store| !store.is_empty()),
        })
    }

    /// The registries that have an entry.
    pub fn registries(&self) -> impl Iterator<Item = &str> {
        self.auths.keys().chain(self.helpers.keys()).map(String::as_str)
    }

    /// The credentials for an image: of the helper for its registry, of the entry of the longest matching path, of the store.
    pub async fn find(&self, image: &ImageReference) -> Result<Credentials> {
        let registry = image.registry();
        if let Some(name) = self.helpers.get(registry) {
            return helper::run(name, registry).await;
        }
        if let Some((key, entry)) = keys(image).find_map(|key| self.entry(&key)) {
            let credentials = entry.credentials().map_err(|reason| Error::Credentials {
                place: format!("{}: the entry `{key}`", self.place),
                reason: reason.to_owned(),
            })?;
            if let Some(credentials) = credentials {
                return Ok(credentials);
            }
        }
        match &self.store {
            Some(name) => helper::run(name, if registry == "docker.io" { DOCKER_HUB_KEY } else { registry }).await,
            None => Ok(Credentials::Anonymous),
        }
    }

    /// An entry by its key, which may have been written as a URL.
    fn entry(&self, key: &str) -> Option<(&str, &Entry)> {
        let found =
            self.auths.get_key_value(key).or_else(|| self.auths.iter().find(|(name, _)| normalized(name) == key));
        found.map(|(name, entry)| (name.as_str(), entry))
    }
}

/// Without the entries.
impl fmt::Debug for DockerConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DockerConfig").field("place", &self.place).finish_non_exhaustive()
    }
}

/// The keys for an image, from its whole repository to its registry.
fn keys(image: &ImageReference) -> impl Iterator<Item = String> {
    let whole = format!("{}/{}", image.registry(), image.repository());
    let ends: Vec<usize> = whole.match_indices('/').map(|(at, _)| at).collect();
    let prefixes: Vec<String> =
        std::iter::once(whole.len()).chain(ends.into_iter().rev()).map(|end| whole[..end].to_owned()).collect();
    let hub = (image.registry() == "docker.io").then(|| "index.docker.io".to_owned());
    prefixes.into_iter().chain(hub)
}

/// `https://host/v1/` is `host`.
fn normalized(key: &str) -> String {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    let key = key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key);
    key.to_ascii_lowercase()
}

impl Entry {
    /// `None` if the entry is empty, as docker writes it where a store has the credentials.
    fn credentials(&self) -> Result<Option<Credentials>, &'static str> {
        let text = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        if let Some(token) = text(&self.identitytoken) {
            return Ok(Some(Credentials::IdentityToken(token)));
        }
        if let Some(token) = text(&self.registrytoken) {
            return Ok(Some(Credentials::Token(token)));
        }
        if let Some(auth) = text(&self.auth) {
            let (user, password) = decode(&auth).ok_or("`auth` is not the base64 form of `user:password`")?;
            return Ok(Some(Credentials::Basic { user, password }));
        }
        match (text(&self.username), text(&self.password)) {
            (Some(user), Some(password)) => Ok(Some(Credentials::Basic { user, password })),
            (None, None) => Ok(None),
            _ => Err("it has only one of `username` and `password`"),
        }
    }
}

/// `user:password` in base64; also as it is, which the Kubeflow job accepts.
fn decode(auth: &str) -> Option<(String, String)> {
    let decoded = BASE64.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = decoded.filter(|text| text.contains(':')).or_else(|| auth.contains(':').then(|| auth.to_owned()))?;
    let (user, password) = text.trim_end_matches('\0').split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn find(text: &str, image: &str) -> Result<Credentials> {
        DockerConfig::parse(text, "test.json")?.find(&image.parse().unwrap()).await
    }

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic { user: user.to_owned(), password: password.to_owned() }
    }

    #[tokio::test]
    async fn an_entry_is_found_by_its_registry_in_every_form_in_which_tools_write_it() {
        for key in [
            "quay.io",
            "https://quay.io",
            "https://quay.io/v2/",
            "http://QUAY.io/v1/",
            "quay.io/org",
            "quay.io/org/model",
        ] {
            let text = format!(r#"{{"auths":{{"{key}":{{"auth":"dXNlcjpwYTpzcw=="}}}}}}"#);
            assert_eq!(find(&text, "quay.io/org/model:1").await.unwrap(), basic("user", "pa:ss"), "{key}");
        }
        let hub = r#"{"auths":{"https://index.docker.io/v1/":{"username":"u","password":"p"}}}"#;
        assert_eq!(find(hub, "busybox").await.unwrap(), basic("u", "p"));
        assert_eq!(find(hub, "quay.io/org/model").await.unwrap(), Credentials::Anonymous);
        let other =
            r#"{"auths":{"quay.io/other":{"username":"u","password":"p"},"quay.i":{"username":"u","password":"p"}}}"#;
        assert_eq!(find(other, "quay.io/org/model").await.unwrap(), Credentials::Anonymous);
    }

    #[tokio::test]
    async fn the_longest_matching_path_wins() {
        let text =
            r#"{"auths":{"q.io":{"auth":"YTpi"},"q.io/org":{"auth":"YzpkAAA="},"q.io/org/m":{"identitytoken":"t"}}}"#;
        assert_eq!(find(text, "q.io/x").await.unwrap(), basic("a", "b"));
        assert_eq!(find(text, "q.io/org/x").await.unwrap(), basic("c", "d"), "docker pads with zeros");
        assert_eq!(find(text, "q.io/org/m").await.unwrap(), Credentials::IdentityToken("t".to_owned()));
    }

    #[tokio::test]
    async fn a_wrong_file_or_entry_is_named_without_its_secrets() {
        for (text, expected) in [
            (r#"{"auths":{"q.io":{"auth":"hunter2"}}}"#, "the entry `q.io`"),
            (r#"{"auths":{"q.io":{"password":"hunter2"}}}"#, "only one of"),
            (r#"{"auths":{"q.io":{"password":hunter2}}}"#, "line 1 column"),
            (r#"{"auths":"hunter2"}"#, "line 1 column"),
        ] {
            let error = find(text, "q.io/m").await.unwrap_err().to_string();
            assert!(error.starts_with("test.json") && error.contains(expected), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert_eq!(find(r#"{"auths":{"q.io":{}}}"#, "q.io/m").await.unwrap(), Credentials::Anonymous);
        assert_eq!(find(r#"{"auths":{"q.io":{"auth":"a:b"}}}"#, "q.io/m").await.unwrap(), basic("a", "b"));
    }
}
