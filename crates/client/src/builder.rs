//! The settings of a client.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Certificate;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::addresses::{AddressCheck, CheckedResolver, check_literal};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::notice::{Notice, OnNotice};
use crate::retries::Retries;
use crate::transport::{Credentials, Transport};

const USER_AGENT: &str = concat!("model-registry/", env!("CARGO_PKG_VERSION"));

/// Builds a [`Client`].
///
/// ```
/// # use std::time::Duration;
/// # use model_registry_client::{Client, Retries};
/// let client = Client::builder("https://models.example.com")
///     .token_file("/var/run/secrets/tokens/registry")
///     .timeout(Duration::from_secs(10))
///     .retries(Retries { attempts: 5, ..Retries::default() })
///     .build()?;
/// # Ok::<(), model_registry_client::Error>(())
/// ```
#[must_use = "nothing happens before `build`"]
pub struct ClientBuilder {
    server: String,
    token: Option<String>,
    token_file: Option<PathBuf>,
    root_certificates: Vec<u8>,
    verifies_certificates: bool,
    address_check: Option<AddressCheck>,
    timeout: Duration,
    connect_timeout: Duration,
    retries: Retries,
    on_notice: Option<OnNotice>,
}

impl ClientBuilder {
    pub(crate) fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            token: None,
            token_file: None,
            root_certificates: Vec::new(),
            verifies_certificates: true,
            address_check: None,
            timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(5),
            retries: Retries::default(),
            on_notice: None,
        }
    }

    /// Authenticates with this bearer token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Authenticates with the bearer token in this file. It is read for each request because Kubernetes renews the tokens
    /// of service accounts in place.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// Trusts these certificates (PEM) in addition to those of the system.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = pem.into();
        self
    }

    /// Whether the certificate of the server is verified, which it is by default.
    pub fn verify_certificates(mut self, verify: bool) -> Self {
        self.verifies_certificates = verify;
        self
    }

    /// Connects only to addresses that this function allows; its error is the reason. It decides about every address that the name of
    /// the server resolves to, at the moment of the connection. Behind a proxy, the proxy resolves the name.
    pub fn address_check(
        mut self,
        check: impl Fn(IpAddr) -> std::result::Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        self.address_check = Some(Arc::new(check));
        self
    }

    /// The time limit of one attempt, from connecting to the last byte of the response; 60 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The time limit for connecting; 5 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets which failed requests are retried, and when.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Calls a function when a request takes longer than usual: before each retry, and every few seconds without a response.
    pub fn on_notice(mut self, on_notice: impl Fn(&Notice<'_>) + Send + Sync + 'static) -> Self {
        self.on_notice = Some(Box::new(on_notice));
        self
    }

    /// Validates the settings, without connecting to the server.
    pub fn build(self) -> Result<Client> {
        let server = server_url(&self.server)?;
        let credentials = match (self.token, self.token_file) {
            (Some(_), Some(_)) => {
                return Err(Error::Usage("a token and a token file are both set: use one of them".to_owned()));
            }
            (Some(token), None) => Credentials::Token(bearer(&token)?),
            (None, Some(path)) => Credentials::File(path),
            (None, None) => Credentials::None,
        };
        let mut http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(self.timeout)
            .connect_timeout(self.connect_timeout)
            // A redirected POST would become a GET, and a login page would be taken for a response of the API.
            .redirect(Policy::none());
        if is_loopback(&server) {
            http = http.no_proxy();
        }
        if let Some(check) = self.address_check {
            check_literal(&server, &check)?;
            http = http.dns_resolver(Arc::new(CheckedResolver(check)));
        }
        if !self.verifies_certificates {
            http = http.tls_danger_accept_invalid_certs(true);
        }
        if server.scheme() == "http" {
            // Reading the certificates of the system takes longer than a request.
            http = http.tls_certs_only([]);
        } else if !self.root_certificates.is_empty() {
            let certificates = Certificate::from_pem_bundle(&self.root_certificates)
                .map_err(|error| Error::Usage(format!("the root certificates are not PEM: {error}")))?;
            if certificates.is_empty() {
                return Err(Error::Usage("the root certificates are not PEM: no certificate found".to_owned()));
            }
            http = http.tls_certs_merge(certificates);
        }
        let http = http.build().map_err(|error| Error::Usage(format!("cannot set up the connection: {error}")))?;
        let server = server.as_str().trim_end_matches('/').to_owned();
        let (retries, timeout, on_notice) = (self.retries, self.timeout, self.on_notice);
        Ok(Client { transport: Arc::new(Transport::new(http, server, credentials, retries, timeout, on_notice)) })
    }
}

/// Parses the address of the server. It may have a path, where a proxy maps one to the server.
fn server_url(address: &str) -> Result<Url> {
    // The message omits the address, because it contains a password; one with `/` would pass for a path.
    if address.contains('@') {
        return Err(Error::Usage("the address of the server contains a user or password: use a token".to_owned()));
    }
    let wrong = |reason: &str| Error::Usage(format!("`{address}` is not the address of a server: {reason}"));
    let url =
        Url::parse(address).map_err(|_| wrong("use a URL such as https://models.example.com or http://host:8080"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it must start with http:// or https://"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("remove the query (`?`) or fragment (`#`)"));
    }
    if let Some(server) = before_api(&url) {
        return Err(wrong(&format!("leave out the path of the API: {server}")));
    }
    Ok(url)
}

/// The address without the path of an API, such as `/api/model_registry/v1alpha3`, if it has one.
fn before_api(url: &Url) -> Option<Url> {
    let segments: Vec<&str> = url.path_segments()?.collect();
    let is_api = |pair: &[&str]| pair[0] == "api" && (pair[1].ends_with("_registry") || pair[1].ends_with("_catalog"));
    let start = segments.windows(2).position(is_api)?;
    let mut server = url.clone();
    server.set_path(&segments[..start].join("/"));
    Some(server)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The value of the header `Authorization`; marked as sensitive, so that it is never printed.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue> {
    let token = token.trim();
    if token.is_empty() {
        return Err(Error::Usage("the token is empty".to_owned()));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Error::Usage("the token contains characters that a header must not have".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_address_is_rejected_with_a_reason() {
        for (address, reason) in [
            ("models.example.com", "use a URL such as"),
            ("localhost:8080", "must start with"),
            ("ftp://models", "must start with"),
            ("http://h/?a=b", "remove the query"),
            ("http://h:8080/api/model_registry/v1alpha3", "leave out the path of the API: http://h:8080/"),
            ("https://h/proxy/api/model_registry/v1/registered_models", "the API: https://h/proxy"),
            ("http://h/api/mcp_catalog/v1alpha1/", "the API: http://h/"),
        ] {
            let Err(Error::Usage(message)) = Client::new(address) else { panic!("{address}") };
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn an_error_does_not_contain_the_password_of_the_address() {
        for password in ["hunter2", "hunter/2", "12/hunter2", "hunter?2", "hunter#2", "hun@ter2", "hun ter2"] {
            let error = Client::new(&format!("http://user:{password}@host")).unwrap_err().to_string();
            assert_eq!(error, "the address of the server contains a user or password: use a token", "{password}");
        }
    }

    #[test]
    fn debug_output_and_errors_do_not_contain_the_token() {
        let client = Client::builder("http://host").token("hunter2").build().unwrap();
        assert!(!format!("{client:?}").contains("hunter2"));
        let error = Client::builder("http://host").token("hunter\n2").build().unwrap_err().to_string();
        assert!(!error.contains("hunter"), "{error}");
    }
}
