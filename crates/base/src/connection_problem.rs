//! Why a connection to another system failed, found in the chain of an error of any library, and what to do about it.
//!
//! Causes are recognised by their types: those of the standard library and of rustls, which every connection of this project uses
//! for TLS. A few errors of HTTP libraries have private types, and are recognised by their words; tests of the crates that connect
//! prove them with real connections.

use std::error::Error;
use std::io;

use rustls::CertificateError;

/// A problem that has a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionProblem {
    /// Nothing listens on the port.
    Refused,
    /// The host name has no address.
    UnknownHost,
    /// No connection, or no response, within the time limit.
    NoResponse,
    /// The certificate is signed by an authority that is not trusted.
    UnknownAuthority,
    /// The certificate is for another name.
    OtherName,
    /// The certificate has expired, or is not valid yet.
    Expired,
    /// The certificate is wrong in another way.
    InvalidCertificate,
    /// TLS was spoken to a port without TLS.
    PortWithoutTls,
    /// HTTP without TLS was spoken to a port with TLS.
    PortWithTls,
    /// Any other failure, such as a connection that was closed before the end of the response.
    Other,
}

impl ConnectionProblem {
    /// Finds the problem in an error and its sources; `None` if it is not a known one.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        sources(error).find_map(of_cause)
    }

    /// Whether the same attempt may succeed later; otherwise settings have to change.
    pub fn is_temporary(self) -> bool {
        matches!(self, Self::Refused | Self::UnknownHost | Self::NoResponse | Self::Other)
    }

    /// What to do, as a part of a sentence.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Refused => "nothing listens on this address and port: start the server, or correct the address",
            Self::UnknownHost => "the host name is unknown: correct it, or check the DNS of this machine",
            Self::NoResponse => "the server does not respond: check the address, and firewalls on the way",
            Self::UnknownAuthority => {
                "the certificate is signed by an authority that is not trusted here: set the file with the certificate of \
                 the authority"
            }
            Self::OtherName => "the certificate is for another name: use a name that is in the certificate",
            Self::Expired => "the certificate has expired or is not valid yet: renew it, or correct the clock",
            Self::InvalidCertificate => "the certificate cannot be used: issue a new one for servers",
            Self::PortWithoutTls => "the port does not use TLS: use http:// instead of https://, or another port",
            Self::PortWithTls => "the port uses TLS: use https:// instead of http://, or another port",
            Self::Other => "check the address, and the log of the server",
        }
    }
}

fn of_cause(error: &(dyn Error + 'static)) -> Option<ConnectionProblem> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // `source` of an I/O error skips the error inside.
        return error.get_ref().and_then(|inner| sources(inner).find_map(of_cause)).or_else(|| match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(ConnectionProblem::Refused),
            io::ErrorKind::TimedOut => Some(ConnectionProblem::NoResponse),
            _ => of_words(&error.to_string()),
        });
    }
    match error.downcast_ref::<rustls::Error>() {
        Some(tls) => of_tls(tls),
        // The words of a source are in the message of many errors around it, whose types are looked at first.
        None if error.source().is_none() => of_words(&error.to_string()),
        None => (error.to_string() == "dns error").then_some(ConnectionProblem::UnknownHost),
    }
}

fn of_tls(error: &rustls::Error) -> Option<ConnectionProblem> {
    Some(match error {
        rustls::Error::InvalidCertificate(certificate) => match certificate {
            // A certificate that is its own authority is an error of another library, in `Other`.
            CertificateError::UnknownIssuer | CertificateError::Other(_) => ConnectionProblem::UnknownAuthority,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                ConnectionProblem::OtherName
            }
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => ConnectionProblem::Expired,
            _ => ConnectionProblem::InvalidCertificate,
        },
        rustls::Error::NoCertificatesPresented => ConnectionProblem::InvalidCertificate,
        rustls::Error::InvalidMessage(_) => ConnectionProblem::PortWithoutTls,
        _ => return None,
    })
}

/// Recognises errors whose types are private to their libraries.
fn of_words(message: &str) -> Option<ConnectionProblem> {
    const WORDS: [(&str, ConnectionProblem); 5] = [
        // What a server with TLS sends first, an alert, is not a response in HTTP.
        ("invalid HTTP version", ConnectionProblem::PortWithTls),
        ("dns error", ConnectionProblem::UnknownHost),
        ("failed to lookup address", ConnectionProblem::UnknownHost),
        ("server does not support TLS", ConnectionProblem::PortWithoutTls),
        ("timed out", ConnectionProblem::NoResponse),
    ];
    WORDS.iter().find(|(words, _)| message.contains(words)).map(|(_, problem)| *problem)
}

/// Joins the messages of an error and its sources, each once: libraries often repeat their source in their own message.
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut chain = error.to_string();
    for error in sources(error).skip(1) {
        let message = error.to_string();
        if !chain.ends_with(&message) {
            chain.push_str(": ");
            chain.push_str(&message);
        }
    }
    chain
}

pub(crate) fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot fetch the keys")]
    struct Outer(#[source] io::Error);

    fn problem(source: io::Error) -> Option<ConnectionProblem> {
        ConnectionProblem::of(&Outer(source))
    }

    #[test]
    fn a_problem_is_found_in_the_sources_of_an_error() {
        let tls = |error: rustls::Error| io::Error::new(io::ErrorKind::InvalidData, error);
        let certificate = |error| tls(rustls::Error::InvalidCertificate(error));
        for (source, expected) in [
            (certificate(CertificateError::UnknownIssuer), ConnectionProblem::UnknownAuthority),
            (certificate(CertificateError::NotValidForName), ConnectionProblem::OtherName),
            (certificate(CertificateError::Expired), ConnectionProblem::Expired),
            (certificate(CertificateError::BadSignature), ConnectionProblem::InvalidCertificate),
            (
                tls(rustls::Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType)),
                ConnectionProblem::PortWithoutTls,
            ),
            (io::Error::other("invalid HTTP version parsed"), ConnectionProblem::PortWithTls),
            (
                io::Error::other("failed to lookup address information: Name or service not known"),
                ConnectionProblem::UnknownHost,
            ),
            // As a database driver wraps it.
            (
                io::Error::other(Outer(tls(rustls::Error::NoCertificatesPresented))),
                ConnectionProblem::InvalidCertificate,
            ),
        ] {
            let message = source.to_string();
            assert_eq!(problem(source), Some(expected), "{message}");
        }
        assert_eq!(problem(io::ErrorKind::ConnectionRefused.into()), Some(ConnectionProblem::Refused));
        assert_eq!(problem(io::ErrorKind::TimedOut.into()), Some(ConnectionProblem::NoResponse));
        assert_eq!(problem(io::Error::other("disk full")), None);
    }

    #[test]
    fn a_chain_has_every_message_once() {
        assert_eq!(error_chain(&Outer(io::Error::other("disk gone"))), "cannot fetch the keys: disk gone");
        assert_eq!(error_chain(&io::Error::other(Outer(io::Error::other("a")))), "cannot fetch the keys: a");
    }
}
