//! How registries are reached.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;
use url::Url;

use crate::retry::RetryPolicy;

/// Decides whether a URL may be requested; the error is the reason.
pub type UrlCheck = Arc<dyn Fn(&Url) -> Result<(), String> + Send + Sync>;

/// How registries are reached. The default needs TLS with certificates that the system trusts.
#[derive(Clone)]
pub struct RegistrySettings {
    /// Registries (`host[:port]`) that are reached without TLS.
    pub plain_http: PlainHttp,
    /// Whether certificates are verified.
    pub verify_certificates: bool,
    /// Certificates (PEM) that are trusted in addition to those of the system.
    pub root_certificates: Vec<u8>,
    /// Directories with a subdirectory `host[:port]` for a registry, whose `*.crt` files are trusted for that registry only.
    pub certificate_directories: Vec<PathBuf>,
    /// Which failures are repeated.
    pub retries: RetryPolicy,
    /// How long a request may make no progress.
    pub stall_limit: Duration,
    /// How long a registry may take to verify an uploaded blob, which some do by reading all of it.
    pub commit_limit: Duration,
    /// Bytes of one request of an upload. A registry or a proxy may limit them.
    pub part_size: u64,
    /// Checks every URL, also those of redirects, token services and uploads.
    pub url_check: Option<UrlCheck>,
    /// Resolves host names, for example to allowed addresses only.
    pub resolver: Option<Arc<dyn Resolve>>,
}

/// The registries that are reached without TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PlainHttp {
    #[default]
    None,
    /// These (`host[:port]`).
    Registries(Vec<String>),
    All,
}

impl PlainHttp {
    pub(crate) fn includes(&self, registry: &str) -> bool {
        match self {
            Self::None => false,
            Self::Registries(names) => names.iter().any(|name| name.eq_ignore_ascii_case(registry)),
            Self::All => true,
        }
    }
}

/// Where container tools look for certificates of registries.
const CERTIFICATE_DIRECTORIES: [&str; 2] = ["/etc/containers/certs.d", "/etc/docker/certs.d"];

/// 16 MiB: small enough to be held in memory for each of several files, and to be sent again.
const PART_SIZE: u64 = 16 << 20;

impl Default for RegistrySettings {
    fn default() -> Self {
        Self {
            plain_http: PlainHttp::None,
            verify_certificates: true,
            root_certificates: Vec::new(),
            certificate_directories: CERTIFICATE_DIRECTORIES.map(PathBuf::from).to_vec(),
            retries: RetryPolicy::default(),
            stall_limit: Duration::from_mins(1),
            commit_limit: Duration::from_mins(10),
            part_size: PART_SIZE,
            url_check: None,
            resolver: None,
        }
    }
}

impl fmt::Debug for RegistrySettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RegistrySettings")
            .field("plain_http", &self.plain_http)
            .field("verify_certificates", &self.verify_certificates)
            .field("part_size", &self.part_size)
            .finish_non_exhaustive()
    }
}
