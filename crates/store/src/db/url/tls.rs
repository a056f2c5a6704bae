//! TLS for the connection to a database server: the files given in a URL, a DSN or flags, and their validation.
//!
//! The files are checked once, before the first connection. The driver reads them again for every connection, and its error
//! for a missing file neither names the file nor ends the attempts to connect.

use std::path::{Path, PathBuf};

use model_registry_base::files::{self, FileError, LARGEST_SETTINGS};

/// TLS settings for the connection to a database server, as given by the flags of the Kubeflow Model Registry (parity).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseTls {
    /// The client certificate and its key.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Files with root certificates.
    pub roots: Vec<PathBuf>,
    pub verify_server: bool,
    /// Whether any of the flags is given: TLS is then required, whatever the DSN says.
    pub is_required: bool,
}

/// The required content of a TLS file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pem {
    Certificates,
    Key,
}

impl Pem {
    /// Returns an error message if the file cannot be read or lacks this content.
    pub fn check(self, path: &Path) -> Result<(), String> {
        let shown = path.display();
        let (what, mark) = match self {
            Self::Certificates => ("certificates", "-----BEGIN CERTIFICATE-----"),
            Self::Key => ("a private key", "PRIVATE KEY-----"),
        };
        let content = files::read(path, LARGEST_SETTINGS).map_err(|error| match error {
            FileError::NotRegular(kind) => format!("`{shown}` is {kind}: use a file with {what} in PEM format"),
            error => format!("cannot read `{shown}`: {error}"),
        })?;
        if content.windows(mark.len()).any(|window| window == mark.as_bytes()) {
            return Ok(());
        }
        Err(format!("`{shown}` does not contain {what} in PEM format (`-----BEGIN …`)"))
    }
}

/// The TLS parameters of a URL or DSN.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) has_root: bool,
}

impl Parameters {
    /// Parses them, in all spellings that the drivers accept, and checks their files.
    pub(super) fn read(pairs: &[(String, String)]) -> Result<Self, String> {
        let find = |names: &[&str]| pairs.iter().find(|(name, _)| names.contains(&name.as_str()));
        if find(&["sslmode", "ssl-mode"]).is_some_and(|(_, mode)| {
            ["disable", "disabled", "allow"].iter().any(|without| mode.eq_ignore_ascii_case(without))
        }) {
            // The files are not used without TLS.
            return Ok(Self::default());
        }
        let root = find(&["sslrootcert", "ssl-root-cert", "sslca", "ssl-ca"]);
        let (certificate, key) = (find(&["sslcert", "ssl-cert"]), find(&["sslkey", "ssl-key"]));
        if let (Some((given, _)), None) | (None, Some((given, _))) = (certificate, key) {
            return Err(format!("`{given}` is not enough: a client certificate needs both `sslcert` and `sslkey`"));
        }
        for (named, pem) in [(root, Pem::Certificates), (certificate, Pem::Certificates), (key, Pem::Key)] {
            // The value may be the PEM content itself instead of a path.
            if let Some((name, path)) = named.filter(|(_, value)| !value.trim().starts_with("-----BEGIN")) {
                pem.check(Path::new(path)).map_err(|reason| format!("`{name}`: {reason}"))?;
            }
        }
        Ok(Self { has_root: root.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Result<Parameters, String> {
        let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap());
        Parameters::read(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn an_unusable_file_is_reported_with_its_path() {
        let alone = "is not enough: a client certificate needs both `sslcert` and `sslkey`";
        assert_eq!(read("sslmode=require&sslcert=/c").unwrap_err(), format!("`sslcert` {alone}"));
        assert_eq!(read("ssl-key=/k").unwrap_err(), format!("`ssl-key` {alone}"));
        assert_eq!(
            read("sslmode=verify-full&sslrootcert=/no/ca.pem").unwrap_err(),
            "`sslrootcert`: cannot read `/no/ca.pem`: No such file or directory (os error 2)"
        );
        assert_eq!(
            read("ssl-ca=/").unwrap_err(),
            "`ssl-ca`: `/` is a directory: use a file with certificates in PEM format"
        );
        assert_eq!(
            read("sslrootcert=/dev/null").unwrap_err(),
            "`sslrootcert`: `/dev/null` is a device: use a file with certificates in PEM format"
        );
        let other = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        assert_eq!(
            read(&format!("sslrootcert={other}")).unwrap_err(),
            format!("`sslrootcert`: `{other}` does not contain certificates in PEM format (`-----BEGIN …`)")
        );
    }

    #[test]
    fn pem_content_is_accepted_and_without_tls_no_file_is_read() {
        let query = "sslrootcert=-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
        assert_eq!(read(query).unwrap(), Parameters { has_root: true });
        assert_eq!(read("sslmode=disable&sslrootcert=/no/ca.pem").unwrap(), Parameters::default());
        assert_eq!(read("sslmode=require").unwrap(), Parameters::default());
    }
}
