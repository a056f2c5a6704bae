//! An authority whose certificates nobody else trusts, and what it issues.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};

use crate::error::{Error, Result};

/// A certificate authority that is made on the spot.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, both PEM.
#[derive(Debug)]
pub struct Issued {
    pub certificate: String,
    pub key: String,
}

/// The files of a certificate.
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
        let key = KeyPair::generate().expect("a key pair is made");
        Self { issuer: CertifiedIssuer::self_signed(parameters, key).expect("it signs itself") }
    }

    /// What those who trust it have to know, PEM.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate of a host, or of a client of that name.
    pub fn issue(&self, name: &str) -> Issued {
        let mut parameters = CertificateParams::new([name.to_owned()]).expect("it is a name");
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().expect("a key pair is made");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("the authority signs");
        Issued { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Issued {
    /// Writes both into a directory, under the name that they get there.
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
