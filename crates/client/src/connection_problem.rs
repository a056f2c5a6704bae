//! The kinds of failed connections, which have different remedies.

use std::error::Error;
use std::io::ErrorKind;

use rustls::CertificateError;

/// Why a connection failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionProblem {
    /// Nothing listens on the port.
    Refused,
    /// The name of the host has no address.
    UnknownHost,
    /// The authority that issued the certificate of the server is unknown.
    UntrustedCertificate,
    /// The certificate of the server has expired, is for another name, or is otherwise wrong.
    InvalidCertificate,
    /// The URL begins with `https`, but the server does not use TLS on this port.
    NotTls,
    /// The URL begins with `http`, but the server uses TLS on this port.
    Tls,
    /// No connection within the time limit.
    TimedOut,
    /// The connection was closed or reset before the end of the response, or another failure.
    Other,
}

impl ConnectionProblem {
    /// Whether a repetition may succeed: settings have to change otherwise.
    pub(crate) fn is_temporary(self) -> bool {
        !matches!(self, Self::UntrustedCertificate | Self::InvalidCertificate | Self::NotTls | Self::Tls)
    }

    pub(crate) fn of(error: &reqwest::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(problem) = Self::of_cause(error) {
                return problem;
            }
            cause = error.source();
        }
        if error.is_timeout() { Self::TimedOut } else { Self::Other }
    }

    fn of_cause(error: &(dyn Error + 'static)) -> Option<Self> {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            // `source` of an I/O error skips the error inside.
            let inner = error.get_ref().and_then(|inner| Self::of_cause(inner));
            return inner.or((error.kind() == ErrorKind::ConnectionRefused).then_some(Self::Refused));
        }
        if let Some(tls) = error.downcast_ref::<rustls::Error>() {
            return Some(Self::of_tls(tls));
        }
        // The HTTP library does not export the types of these errors.
        let text = error.to_string();
        if text == "dns error" {
            return Some(Self::UnknownHost);
        }
        // What a server with TLS sends first, an alert, is not a response in HTTP.
        text.contains("invalid HTTP version").then_some(Self::Tls)
    }

    fn of_tls(error: &rustls::Error) -> Self {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_)) => {
                Self::UntrustedCertificate
            }
            rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented => Self::InvalidCertificate,
            rustls::Error::InvalidMessage(_) => Self::NotTls,
            _ => Self::Other,
        }
    }
}
