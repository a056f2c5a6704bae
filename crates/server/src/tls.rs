//! TLS of the listening socket: rustls with aws-lc-rs, TLS 1.2 and 1.3, HTTP/2 by ALPN. Certificates are reloaded when
//! their files change.

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

/// Loads a certificate chain and its private key (PEM) and reloads them when they change. Requires a Tokio runtime.
pub fn server_config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, ReloadError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let for_parsing = Arc::clone(&provider);
    let names = format!("`{}` and `{}`", certificate.display(), key.display());
    let certificates = Reloading::load(&[certificate, key], move |contents| {
        certified_key(&for_parsing, &contents[0], &contents[1])
            .map_err(|reason| format!("{names} cannot be used: {reason}"))
    })?;
    certificates.watch();
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
        return Err("the file has no certificate".to_owned());
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| format!("the key is not PEM: {error}"))?;
    // This also checks that key and certificate match, so that a partial renewal is rejected.
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
