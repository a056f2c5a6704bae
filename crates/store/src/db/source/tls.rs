//! TLS to a database server: which files are named for it, in a URL, a DSN or flags, and whether they can be what they are for.
//!
//! They are looked at once, before the first connection: the driver reads them again for each one, and what it says of a
//! missing file neither names the file nor ends the waiting for the database.

use std::path::{Path, PathBuf};

/// TLS files and checks for the connection to a database server, as the reference's flags give them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseTls {
    /// The client's certificate with its key; used together or not at all.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Files with the certificates of authorities.
    pub roots: Vec<PathBuf>,
    pub verify_server: bool,
    /// Whether any of the flags was given: TLS is needed then, whatever the DSN says.
    pub is_asked_for: bool,
}

/// What a file of TLS has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pem {
    Certificates,
    Key,
}

impl Pem {
    /// Says what is wrong with a file, if it cannot be read or holds nothing of the kind.
    pub fn check(self, path: &Path) -> Result<(), String> {
        let shown = path.display();
        let (what, mark) = match self {
            Self::Certificates => ("certificates", "-----BEGIN CERTIFICATE-----"),
            Self::Key => ("a private key", "PRIVATE KEY-----"),
        };
        if path.is_dir() {
            return Err(format!("`{shown}` is a directory: name one file with {what} in PEM form"));
        }
        let content = std::fs::read(path).map_err(|error| format!("cannot read `{shown}`: {error}"))?;
        if content.windows(mark.len()).any(|window| window == mark.as_bytes()) {
            return Ok(());
        }
        Err(format!("`{shown}` does not hold {what} in PEM form (`-----BEGIN …`)"))
    }
}

/// What the parameters of a URL or DSN say about TLS.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) has_root: bool,
}

impl Parameters {
    /// Reads them, in all spellings that the drivers take, and checks the files they name.
    pub(super) fn read(pairs: &[(String, String)]) -> Result<Self, String> {
        let find = |names: &[&str]| pairs.iter().find(|(name, _)| names.contains(&name.as_str()));
        if find(&["sslmode", "ssl-mode"]).is_some_and(|(_, mode)| {
            ["disable", "disabled", "allow"].iter().any(|without| mode.eq_ignore_ascii_case(without))
        }) {
            // Without TLS nobody reads the files.
            return Ok(Self::default());
        }
        let root = find(&["sslrootcert", "ssl-root-cert", "sslca", "ssl-ca"]);
        let (certificate, key) = (find(&["sslcert", "ssl-cert"]), find(&["sslkey", "ssl-key"]));
        if let (Some((given, _)), None) | (None, Some((given, _))) = (certificate, key) {
            return Err(format!("`{given}` is given alone: a client certificate needs both `sslcert` and `sslkey`"));
        }
        for (named, pem) in [(root, Pem::Certificates), (certificate, Pem::Certificates), (key, Pem::Key)] {
            // The text itself may be given instead of a path.
            if let Some((name, path)) = named.filter(|(_, text)| !text.trim().starts_with("-----BEGIN")) {
                pem.check(Path::new(path)).map_err(|reason| format!("`{name}`: {reason}"))?;
            }
        }
        Ok(Self { has_root: root.is_some() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Parameters, String> {
        let pairs = text.split('&').map(|pair| pair.split_once('=').unwrap());
        Parameters::read(&pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn files_that_cannot_be_what_they_are_for_are_named() {
        let alone = "is given alone: a client certificate needs both `sslcert` and `sslkey`";
        assert_eq!(read("sslmode=require&sslcert=/c").unwrap_err(), format!("`sslcert` {alone}"));
        assert_eq!(read("ssl-key=/k").unwrap_err(), format!("`ssl-key` {alone}"));
        assert_eq!(
            read("sslmode=verify-full&sslrootcert=/no/ca.pem").unwrap_err(),
            "`sslrootcert`: cannot read `/no/ca.pem`: No such file or directory (os error 2)"
        );
        assert_eq!(
            read("ssl-ca=/").unwrap_err(),
            "`ssl-ca`: `/` is a directory: name one file with certificates in PEM form"
        );
        assert_eq!(
            read("sslrootcert=/dev/null").unwrap_err(),
            "`sslrootcert`: `/dev/null` does not hold certificates in PEM form (`-----BEGIN …`)"
        );
    }

    #[test]
    fn texts_instead_of_files_are_taken_and_without_tls_nothing_is_read() {
        let text = "sslrootcert=-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
        assert_eq!(read(text).unwrap(), Parameters { has_root: true });
        assert_eq!(read("sslmode=disable&sslrootcert=/no/ca.pem").unwrap(), Parameters::default());
        assert_eq!(read("sslmode=require").unwrap(), Parameters::default());
    }
}
