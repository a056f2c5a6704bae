//! Requests to one registry: TLS, time limits, retries, and errors without secrets.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use model_registry_base::{ConnectionProblem, files};
use reqwest::header::{DATE, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::credentials::Credentials;
use crate::error::{Error, Result, is_temporary};
use crate::reference::ImageReference;
use crate::retry::retry_after;
use crate::settings::RegistrySettings;

const USER_AGENT: &str = concat!("model-registry/", env!("CARGO_PKG_VERSION"));
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
const MOST_REDIRECTS: usize = 5;
/// The longest body of an error that is read, and the longest message taken from it.
const LARGEST_ERROR: u64 = 64 << 10;
const LONGEST_MESSAGE: usize = 300;

pub(crate) struct Transport {
    registry: String,
    /// `https://host/v2/`
    base: Url,
    http: Client,
    settings: Arc<RegistrySettings>,
}

/// Counts bytes, so that a request that makes progress is not taken for one that hangs.
pub(crate) type Progress = Arc<AtomicU64>;

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct ErrorEntry {
    code: String,
    message: String,
}

impl Transport {
    pub(crate) fn new(image: &ImageReference, settings: &Arc<RegistrySettings>) -> Result<Self> {
        let registry = image.registry().to_owned();
        let is_plain = settings.plain_http.includes(&registry);
        let base = format!("{}://{}/v2/", if is_plain { "http" } else { "https" }, image.api_host());
        let base =
            Url::parse(&base).map_err(|error| Error::Usage(format!("`{registry}` is not a registry: {error}")))?;
        let mut http = Client::builder().user_agent(USER_AGENT).connect_timeout(CONNECT_LIMIT);
        http = http.redirect(redirects(is_plain, settings));
        if is_loopback(&base) {
            http = http.no_proxy();
        }
        if let Some(resolver) = &settings.resolver {
            http = http.dns_resolver(Arc::clone(resolver));
        }
        if !settings.verify_certificates {
            http = http.tls_danger_accept_invalid_certs(true);
        }
        let certificates = certificates(&registry, settings)?;
        if !certificates.is_empty() {
            http = http.tls_certs_merge(certificates);
        }
        let http = http.build().map_err(|error| Error::Usage(format!("cannot set up connections: {error}")))?;
        let transport = Self { registry, base, http, settings: Arc::clone(settings) };
        transport.check(&transport.base)?;
        Ok(transport)
    }

    /// The registry as the user has written it.
    pub(crate) fn registry(&self) -> &str {
        &self.registry
    }

    pub(crate) fn settings(&self) -> &RegistrySettings {
        &self.settings
    }

    pub(crate) fn http(&self) -> &Client {
        &self.http
    }

    /// The URL of a path below `/v2/`.
    pub(crate) fn url(&self, path: &str) -> Url {
        // The parts of paths were checked when they were parsed.
        self.base.join(path).unwrap_or_else(|_| self.base.clone())
    }

    /// Whether requests to this URL go to the registry itself, and may have its credentials.
    pub(crate) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Resolves the address of an upload, which may be relative, and checks it.
    pub(crate) fn resolve(&self, location: &str) -> Result<Url> {
        let invalid = || Error::Invalid {
            what: format!("the response of {}", self.registry),
            reason: "its header `Location` is not a URL".to_owned(),
        };
        let url = self.base.join(location).map_err(|_| invalid())?;
        self.check(&url)?;
        Ok(url)
    }

    /// Refuses URLs without TLS, unless the registry itself is used without, and those that the settings refuse.
    pub(crate) fn check(&self, url: &Url) -> Result<()> {
        check(url, self.base.scheme() == "http", &self.settings)
            .map_err(|reason| Error::Invalid { what: format!("an address that {} has named", self.registry), reason })
    }

    /// Sends a request, repeating it after failures that may pass. Returns the first response that is not such a failure.
    pub(crate) async fn send_repeated(
        &self,
        what: &str,
        build: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response> {
        let mut failed = 0;
        loop {
            let outcome = self.send(what, build(&self.http), &Progress::default(), self.settings.stall_limit).await;
            let (error, requested) = match outcome {
                Ok(response) if is_temporary(response.status().as_u16()) => {
                    let requested = requested_wait(&response);
                    (self.refused(what, response, &Credentials::Anonymous).await, requested)
                }
                Ok(response) => return Ok(response),
                Err(error) => (error, None),
            };
            failed += 1;
            self.back_off(failed, error, requested).await?;
        }
    }

    /// Waits before the next attempt, or returns the error if there is none.
    pub(crate) async fn back_off(&self, failed: u32, error: Error, requested: Option<Duration>) -> Result<()> {
        let wait = error.is_temporary().then(|| self.settings.retries.wait(failed, requested)).flatten();
        let Some(wait) = wait else { return Err(error) };
        tracing::debug!(registry = self.registry, %error, ?wait, "a request to the registry failed and is repeated");
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Sends a request once. It fails if `progress` does not change for the time limit.
    pub(crate) async fn send(
        &self,
        what: &str,
        request: RequestBuilder,
        progress: &Progress,
        limit: Duration,
    ) -> Result<Response> {
        let mut sending = Box::pin(request.send());
        let mut before = progress.load(Ordering::Relaxed);
        loop {
            match tokio::time::timeout(limit, &mut sending).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => return Err(self.unreachable(error)),
                Err(_) => {
                    let now = progress.load(Ordering::Relaxed);
                    if now == before {
                        return Err(self.stalled(what, limit));
                    }
                    before = now;
                }
            }
        }
    }

    pub(crate) fn stalled(&self, what: &str, limit: Duration) -> Error {
        Error::Stalled { registry: self.registry.clone(), what: what.to_owned(), seconds: limit.as_secs() }
    }

    /// The error for a request without a response, or whose response did not arrive.
    pub(crate) fn unreachable(&self, error: reqwest::Error) -> Error {
        // URLs of uploads and redirects have signatures.
        let error = error.without_url();
        let refused = model_registry_base::RefusedAddress::of(&error);
        if error.is_builder() || error.is_redirect() || refused.is_some() {
            let reason = model_registry_base::error_chain(&error);
            return Error::Invalid { what: format!("an address that {} has named", self.registry), reason };
        }
        let unknown = if error.is_timeout() { ConnectionProblem::NoResponse } else { ConnectionProblem::Other };
        let problem = ConnectionProblem::of(&error).unwrap_or(unknown);
        Error::Unreachable { registry: self.registry.clone(), problem, source: Box::new(error) }
    }

    /// The error for a response that is not a success.
    pub(crate) async fn refused(&self, what: &str, response: Response, credentials: &Credentials) -> Error {
        let status = response.status();
        let registry = self.registry.clone();
        let body = read_limited(self, response, what, LARGEST_ERROR).await.unwrap_or_default();
        let message = credentials.scrub(&message(status, &body));
        let what = what.to_owned();
        match status {
            StatusCode::UNAUTHORIZED => {
                let what = format!("refused {what}");
                Error::Unauthorized { registry, what, has_credentials: !credentials.is_anonymous() }
            }
            StatusCode::FORBIDDEN => Error::Denied { registry, what, message },
            StatusCode::NOT_FOUND => Error::NotFound { what: format!("{what} at {registry} ({message})") },
            _ => Error::Response { registry, what, status: status.as_u16(), message },
        }
    }
}

/// The time that the server wants to be left alone.
pub(crate) fn requested_wait(response: &Response) -> Option<Duration> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    retry_after(header(RETRY_AFTER)?, header(DATE).and_then(|date| httpdate::parse_http_date(date).ok()))
}

/// Reads a body of limited size.
pub(crate) async fn read_limited(
    transport: &Transport,
    mut response: Response,
    what: &str,
    limit: u64,
) -> Result<Vec<u8>> {
    let too_large = || Error::TooLarge { what: format!("{what} of {}", transport.registry), limit };
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::new();
    loop {
        let stall_limit = transport.settings.stall_limit;
        let chunk = tokio::time::timeout(stall_limit, response.chunk()).await;
        let chunk = chunk.map_err(|_| transport.stalled(what, stall_limit))?;
        let Some(chunk) = chunk.map_err(|error| transport.unreachable(error))? else { return Ok(bytes) };
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
}

fn redirects(is_plain: bool, settings: &Arc<RegistrySettings>) -> Policy {
    let settings = Arc::clone(settings);
    Policy::custom(move |attempt| {
        if attempt.previous().len() > MOST_REDIRECTS {
            return attempt.error("too many redirects");
        }
        match check(attempt.url(), is_plain, &settings) {
            Ok(()) => attempt.follow(),
            Err(reason) => attempt.error(reason),
        }
    })
}

fn check(url: &Url, is_plain_allowed: bool, settings: &RegistrySettings) -> Result<(), String> {
    match url.scheme() {
        "https" => {}
        "http" if is_plain_allowed => {}
        other => {
            return Err(format!(
                "it leaves TLS for `{other}`, which is only used for registries that are set to plain HTTP"
            ));
        }
    }
    settings.url_check.as_ref().map_or(Ok(()), |check| check(url))
}

/// The message of an error body, or the name of the status.
fn message(status: StatusCode, body: &[u8]) -> String {
    let parsed: Option<ErrorBody> = serde_json::from_slice(body).ok();
    let entries = parsed.map(|body| body.errors).unwrap_or_default();
    let texts: Vec<String> = entries
        .iter()
        .filter(|entry| !entry.code.is_empty() || !entry.message.is_empty())
        .map(|entry| format!("{}: {}", entry.code, entry.message))
        .collect();
    let text =
        if texts.is_empty() { status.canonical_reason().unwrap_or("no message").to_owned() } else { texts.join("; ") };
    let text = model_registry_base::redact(&text);
    text.chars().filter(|character| !character.is_control()).take(LONGEST_MESSAGE).collect()
}

/// The certificates that are trusted for a registry in addition to those of the system.
fn certificates(registry: &str, settings: &RegistrySettings) -> Result<Vec<Certificate>> {
    let mut found = parse_certificates(&settings.root_certificates, "the given certificates")?;
    for directory in &settings.certificate_directories {
        let directory = directory.join(registry);
        for path in certificate_files(&directory) {
            let place = path.display().to_string();
            let pem = files::read(&path, files::LARGEST_SETTINGS)
                .map_err(|error| Error::Usage(format!("{place} cannot be read: {error}")))?;
            found.extend(parse_certificates(&pem, &place)?);
        }
    }
    Ok(found)
}

fn certificate_files(directory: &Path) -> Vec<std::path::PathBuf> {
    let entries = files::entries(directory).unwrap_or_default();
    entries.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "crt")).collect()
}

fn parse_certificates(pem: &[u8], place: &str) -> Result<Vec<Certificate>> {
    if pem.is_empty() {
        return Ok(Vec::new());
    }
    let invalid = || Error::Usage(format!("{place} contains no certificate in PEM form"));
    let parsed = Certificate::from_pem_bundle(pem).map_err(|_| invalid())?;
    if parsed.is_empty() { Err(invalid()) } else { Ok(parsed) }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::PlainHttp;

    fn transport(reference: &str, settings: RegistrySettings) -> Result<Transport> {
        Transport::new(&reference.parse().unwrap(), &Arc::new(settings))
    }

    #[test]
    fn tls_is_used_unless_plain_http_is_set_for_the_registry() {
        let base = |reference: &str, plain_http: PlainHttp| {
            transport(reference, RegistrySettings { plain_http, ..RegistrySettings::default() })
                .unwrap()
                .base
                .to_string()
        };
        assert_eq!(base("127.0.0.1:5000/m", PlainHttp::None), "https://127.0.0.1:5000/v2/");
        let some = PlainHttp::Registries(vec!["Host:5000".to_owned()]);
        assert_eq!(base("host:5000/m", some.clone()), "http://host:5000/v2/");
        assert_eq!(base("host:5001/m", some), "https://host:5001/v2/");
        assert_eq!(base("busybox", PlainHttp::None), "https://registry-1.docker.io/v2/");
    }

    #[test]
    fn an_address_without_tls_is_refused_where_the_registry_uses_tls() {
        let secure = transport("quay.io/m", RegistrySettings::default()).unwrap();
        assert_eq!(
            secure.resolve("/v2/m/blobs/uploads/1?x=y").unwrap().as_str(),
            "https://quay.io/v2/m/blobs/uploads/1?x=y"
        );
        assert!(secure.resolve("https://storage.example/u").is_ok());
        for wrong in ["http://quay.io/u", "file:///etc/passwd", "http://", "//"] {
            assert!(secure.resolve(wrong).is_err(), "{wrong}");
        }
        assert!(
            secure.is_own(&secure.url("m/blobs/x")) && !secure.is_own(&"https://storage.example/v2".parse().unwrap())
        );
        let refuse: crate::settings::UrlCheck =
            Arc::new(|url| Err(format!("{} is blocked", url.host_str().unwrap_or_default())));
        let blocked =
            transport("quay.io/m", RegistrySettings { url_check: Some(refuse), ..RegistrySettings::default() });
        assert!(blocked.err().unwrap().to_string().contains("quay.io is blocked"));
    }

    #[test]
    fn messages_of_registries_are_shortened_and_a_page_of_a_proxy_is_not_shown() {
        let body =
            br#"{"errors":[{"code":"DENIED","message":"no"},{"code":"X","message":"see https://u:hunter2@h/"}]}"#;
        assert_eq!(message(StatusCode::FORBIDDEN, body), "DENIED: no; X: see https://u:***@h/");
        assert_eq!(message(StatusCode::BAD_GATEWAY, b"<html>"), "Bad Gateway");
        let long = format!(r#"{{"errors":[{{"code":"X","message":"{}"}}]}}"#, "y".repeat(10_000));
        assert_eq!(message(StatusCode::BAD_REQUEST, long.as_bytes()).len(), LONGEST_MESSAGE);
    }
}
