//! TLS on the listening socket: rustls with aws-lc-rs, TLS 1.2 and 1.3, HTTP/2 by ALPN, certificates that are renewed
//! while the process runs.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::reload::{ReloadError, Reloading};

/// Reads a certificate chain and its key, PEM both, and keeps them fresh. Needs a runtime.
pub fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, ReloadError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let for_parsing = Arc::clone(&provider);
    let names = format!("`{}` and `{}`", certificate.display(), key.display());
    let certificates = Reloading::load(&[certificate, key], move |contents| {
        certified_key(&for_parsing, &contents[0], &contents[1])
            .map_err(|reason| format!("{names} cannot be used: {reason}"))
    })?;
    certificates.keep_fresh();
    Ok(Arc::new(config(provider, certificates)))
}

fn config(provider: Arc<CryptoProvider>, certificates: Reloading<CertifiedKey>) -> ServerConfig {
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has cipher suites for both versions")
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Resolver(certificates)));
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

fn certified_key(provider: &CryptoProvider, certificate: &[u8], key: &[u8]) -> Result<CertifiedKey, String> {
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificate is not PEM: {error}"))?;
    if chain.is_empty() {
        return Err("there is no certificate".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key is not PEM: {error}"))?;
    // Also checks that the two belong together: a half-finished renewal is not taken over.
    CertifiedKey::from_der(chain, key, provider).map_err(|error| error.to_string())
}

struct Resolver(Reloading<CertifiedKey>);

impl fmt::Debug for Resolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Resolver")
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.current())
    }
}

#[cfg(test)]
mod tests;
