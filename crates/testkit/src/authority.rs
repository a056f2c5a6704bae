//! A certificate authority for tests, and the certificates it issues.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::error::{Error, Result};

/// A certificate authority with a new key pair; no other program trusts it.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its private key, both PEM.
#[derive(Debug)]
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

/// The files of a certificate and its private key.
#[derive(Debug, Clone)]
pub struct IssuedFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("key generation works");
        Self { issuer: CertifiedIssuer::self_signed(parameters, key).expect("self-signing works") }
    }

    /// The certificate of the authority itself, PEM.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// Issues a certificate for a host name, usable by servers and by clients.
    pub fn issue(&self, name: &str) -> Issued {
        let mut parameters = CertificateParams::new([name.to_owned()]).expect("the name is a valid host name");
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("key generation works");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("signing works");
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Issued {
    /// Writes `NAME.pem` and `NAME.key` into a directory.
    pub fn write(&self, directory: &Path, name: &str) -> Result<IssuedFiles> {
        let files = IssuedFiles {
            certificate: directory.join(format!("{name}.pem")),
            key: directory.join(format!("{name}.key")),
        };
        for (path, text) in [(&files.certificate, &self.certificate), (&files.key, &self.key)] {
            let failed = |source| Error::File { what: "cannot write a certificate", path: path.clone(), source };
            fs::write(path, text).map_err(failed)?;
        }
        Ok(files)
    }
}
