//! How a client is set up.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Certificate;
use reqwest::header::HeaderValue;
use reqwest::redirect::Policy;
use url::{Host, Url};

use crate::client::Client;
use crate::error::{Error, Result};
use crate::retries::Retries;
use crate::transport::{Credentials, Transport};

const USER_AGENT: &str = concat!("model-registry/", env!("CARGO_PKG_VERSION"));

/// Sets up a [`Client`].
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
    timeout: Duration,
    connect_timeout: Duration,
    retries: Retries,
}

impl ClientBuilder {
    pub(crate) fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            token: None,
            token_file: None,
            root_certificates: Vec::new(),
            timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(5),
            retries: Retries::default(),
        }
    }

    /// Sends this bearer token.
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Sends the bearer token in this file, which is read for every request: tokens of a Kubernetes service account
    /// are renewed in place.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.token_file = Some(path.into());
        self
    }

    /// Trusts these certificates (PEM) beside those of the system.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = pem.into();
        self
    }

    /// The time that one attempt has, from the connection to the last byte of the answer; 60 s by default.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The time that a connection has to come about; 5 s by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Checks everything; nothing is sent yet.
    pub fn build(self) -> Result<Client> {
        let server = server_url(&self.server)?;
        let credentials = match (self.token, self.token_file) {
            (Some(_), Some(_)) => return Err(Error::Usage("give a token or a token file, not both".to_owned())),
            (Some(token), None) => Credentials::Token(bearer(&token)?),
            (None, Some(path)) => Credentials::File(path),
            (None, None) => Credentials::None,
        };
        let mut http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(self.timeout)
            .connect_timeout(self.connect_timeout)
            // A redirected POST would become a GET, and a page to log in would be taken for an answer.
            .redirect(Policy::none());
        if is_loopback(&server) {
            http = http.no_proxy();
        }
        if server.scheme() == "http" {
            // Reading the system's certificates takes longer than a call.
            http = http.tls_certs_only([]);
        } else if !self.root_certificates.is_empty() {
            let certificates = Certificate::from_pem_bundle(&self.root_certificates)
                .map_err(|error| Error::Usage(format!("the root certificates are not PEM: {error}")))?;
            if certificates.is_empty() {
                return Err(Error::Usage("the root certificates are not PEM: none found".to_owned()));
            }
            http = http.tls_certs_merge(certificates);
        }
        let http = http.build().map_err(|error| Error::Usage(format!("cannot set up the connection: {error}")))?;
        Ok(Client { transport: Arc::new(Transport::new(http, &server, credentials, self.retries, self.timeout)) })
    }
}

/// Reads the server's address, which may have a path when a proxy is in front of it.
fn server_url(text: &str) -> Result<Url> {
    let wrong = |reason: &str| Error::Usage(format!("`{text}` is no address of a server: {reason}"));
    let url = Url::parse(text).map_err(|_| wrong("write it like https://models.example.com or http://host:8080"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it has to begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        // Not told again: it holds a password.
        return Err(Error::Usage("the address of the server holds a user or password: use a token".to_owned()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("it ends with a path, without `?` or `#`"));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The value of `Authorization`; never told in an error or a log.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue> {
    let token = token.trim();
    if token.is_empty() {
        return Err(Error::Usage("the token is empty".to_owned()));
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Error::Usage("the token holds characters that no token has".to_owned()))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_cannot_work_are_refused_with_the_reason() {
        for (address, reason) in [
            ("models.example.com", "write it like"),
            ("localhost:8080", "has to begin with"),
            ("ftp://models", "has to begin with"),
            ("http://h/?a=b", "without `?`"),
        ] {
            let Err(Error::Usage(message)) = Client::new(address) else { panic!("{address}") };
            assert!(message.contains(reason), "{message}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_not_told() {
        let error = Client::new("http://user:hunter2@host").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_client_shows_no_token() {
        let client = Client::builder("http://host").token("hunter2").build().unwrap();
        assert!(!format!("{client:?}").contains("hunter2"));
        let error = Client::builder("http://host").token("hunter\n2").build().unwrap_err().to_string();
        assert!(!error.contains("hunter"), "{error}");
    }
}
