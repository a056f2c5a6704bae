//! How the registry is reached.

use std::path::PathBuf;

use model_registry_base::{Environment, files};
use model_registry_client::{Client, Error as ClientError};
use url::Url;

use super::super::credentials::expanded;
use super::super::mistakes::Mistakes;
use super::super::options::{Values, option_name};
use super::{Places, boolean};
use crate::pod::{Level, Log};

/// The variable with the path of the token of a pipeline.
pub(super) const PIPELINE_TOKEN: &str = "KF_PIPELINES_SA_TOKEN_PATH";

/// Address and credentials of the registry.
#[derive(Clone)]
pub(crate) struct RegistryAccess {
    pub(crate) url: String,
    token: Token,
    certificates: Vec<u8>,
    verifies_certificates: bool,
    /// The least level of messages about requests.
    log_level: Level,
}

#[derive(Clone)]
enum Token {
    None,
    Text(String),
    /// Read for each request, because Kubernetes renews it.
    File(PathBuf),
}

impl std::fmt::Debug for RegistryAccess {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RegistryAccess").field("url", &self.url).finish_non_exhaustive()
    }
}

impl RegistryAccess {
    pub(crate) fn client(&self) -> Result<Client, ClientError> {
        let log = Log::new("registry", self.log_level);
        let builder = Client::builder(&self.url)
            .root_certificates(self.certificates.clone())
            .verify_certificates(self.verifies_certificates)
            .on_notice(move |notice| log.warning(&notice.to_string()));
        match &self.token {
            Token::None => builder,
            Token::Text(token) => builder.token(token),
            Token::File(path) => builder.token_file(path),
        }
        .build()
    }
}

pub(super) fn read(
    values: &Values,
    environment: &Environment,
    places: &Places,
    mistakes: &mut Mistakes,
    notes: &mut Vec<String>,
) -> Option<RegistryAccess> {
    let is_secure = boolean(values, "registry-is-secure", mistakes).unwrap_or(true);
    let url = url(values, mistakes);
    let token = token(values, environment, places, mistakes);
    if matches!(token, Some(Token::None)) {
        if is_secure {
            mistakes.add(
                option_name("registry-user-token"),
                "user token must be provided for secure connection: set a token, or --registry-is-secure=false",
            );
        } else {
            notes.push("User access token is missing".to_owned());
        }
    }
    let certificates = if is_secure { certificates(values, environment, mistakes, notes) } else { Vec::new() };
    let level = values.raw("registry-log-level").map(|level| (level.text.clone(), level.origin.clone()));
    let log_level = match level {
        Some((text, origin)) => Level::parse(&text).or_else(|| {
            mistakes.add(origin, "the level is not a number such as 10 (debug), 20 (info), 30 (warning)");
            None
        }),
        None => Some(Level::Warning),
    };
    if !is_secure && url.as_deref().is_some_and(|url| url.starts_with("https://")) {
        notes.push("the certificate of the registry is not verified (--registry-is-secure=false)".to_owned());
    }
    let access = RegistryAccess {
        url: url?,
        token: token?,
        certificates,
        verifies_certificates: is_secure,
        log_level: log_level?,
    };
    // The address and the certificates are checked by the client itself.
    mistakes.take(&values.origin("registry-server-address"), access.client().map(drop))?;
    Some(access)
}

/// The address, with the port of the option if it has none.
fn url(values: &Values, mistakes: &mut Mistakes) -> Option<String> {
    let port = values.raw("registry-port").cloned();
    let number = port.as_ref().and_then(|port| port.text.trim().parse::<u16>().ok()).filter(|port| *port > 0);
    if let Some(port) = port.filter(|_| number.is_none()) {
        mistakes.add(port.origin, format!("`{}` is not a port: a number from 1 to 65535", port.text));
    }
    let option = "registry-server-address";
    let Some(address) = values.get(option) else {
        mistakes.add(option_name(option), "Registry server address must be set");
        return None;
    };
    let origin = values.origin(option);
    let address = address.trim();
    let parsed = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let Some(mut url) = parsed else {
        mistakes.add(origin, "the address is not a URL: write http://HOST or https://HOST");
        return None;
    };
    // The parser forgets a port that is the usual one of the scheme.
    let authority = address.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(""));
    let has_port = authority.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    if !has_port {
        let _ = url.set_port(Some(number?));
    }
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn token(values: &Values, environment: &Environment, places: &Places, mistakes: &mut Mistakes) -> Option<Token> {
    if let Some(token) = values.get("registry-user-token") {
        return Some(Token::Text(token.to_owned()));
    }
    let option = "registry-user-token-envvar";
    if let Some(variable) = values.get(option) {
        let Some(path) = environment.get(variable) else {
            mistakes.add(values.origin(option), format!("the variable {variable} is not set"));
            return None;
        };
        let readable = readable_token(PathBuf::from(path));
        return mistakes.take(&values.origin(option), readable).map(Token::File);
    }
    if let Some(path) = environment.get(PIPELINE_TOKEN) {
        return mistakes.take(PIPELINE_TOKEN, readable_token(PathBuf::from(path))).map(Token::File);
    }
    let own = &places.service_account_token;
    Some(if files::read(own, files::LARGEST_SETTINGS).is_ok() { Token::File(own.clone()) } else { Token::None })
}

fn readable_token(path: PathBuf) -> Result<PathBuf, String> {
    match files::read_text(&path, files::LARGEST_SETTINGS) {
        Ok(_) => Ok(path),
        Err(error) => Err(format!("Unable read user token from '{}': {error}", path.display())),
    }
}

/// The certificates to trust. A file that does not exist is left out: jobs name a file of an optional volume.
fn certificates(
    values: &Values,
    environment: &Environment,
    mistakes: &mut Mistakes,
    notes: &mut Vec<String>,
) -> Vec<u8> {
    let (option, variable) = ("registry-custom-ca", "registry-custom-ca-envvar");
    let mut candidates: Vec<(String, PathBuf)> = Vec::new();
    if let Some(path) = values.get(option) {
        candidates.push((values.origin(option), expanded(path)));
    }
    if let Some(name) = values.get(variable) {
        match environment.get(name) {
            Some(path) => candidates.push((values.origin(variable), expanded(path))),
            None => mistakes.add(values.origin(variable), format!("the variable {name} is not set")),
        }
    }
    for (origin, path) in candidates {
        match files::read(&path, files::LARGEST_SETTINGS) {
            Ok(pem) => return pem,
            Err(error) if error.is_not_found() => notes
                .push(format!("Registry custom CA file {} not found, falling back to system defaults", path.display())),
            Err(error) => mistakes.add(origin, format!("cannot read {}: {error}", path.display())),
        }
    }
    Vec::new()
}
