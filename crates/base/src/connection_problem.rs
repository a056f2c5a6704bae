//! Why a connection to another system failed, found in the chain of an error of any library, and what to do about it.
//!
//! Libraries wrap their causes differently and rarely export the types of TLS errors, so certificates and protocols are
//! recognised by the words of their messages; a test in each crate that connects proves them with real connections.

use std::error::Error;
use std::io;

/// A problem that has a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionProblem {
    /// Nothing listens on the port.
    Refused,
    /// The host name has no address.
    UnknownHost,
    NoResponse,
    /// The certificate is signed by an authority that is not trusted.
    UnknownAuthority,
    /// The certificate is for another name.
    OtherName,
    /// The certificate has expired, or is not valid yet.
    Expired,
    /// TLS was spoken to a port without TLS.
    PortWithoutTls,
    /// HTTP without TLS was spoken to a port with TLS.
    PortWithTls,
}

impl ConnectionProblem {
    /// Finds the problem in an error and its sources.
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        const WORDS: [(&str, ConnectionProblem); 15] = [
            ("unknownissuer", ConnectionProblem::UnknownAuthority),
            ("unknown issuer", ConnectionProblem::UnknownAuthority),
            ("causedasendentity", ConnectionProblem::UnknownAuthority),
            ("self-signed", ConnectionProblem::UnknownAuthority),
            ("notvalidforname", ConnectionProblem::OtherName),
            ("not valid for name", ConnectionProblem::OtherName),
            ("certificate expired", ConnectionProblem::Expired),
            ("certificate not valid yet", ConnectionProblem::Expired),
            ("invalidcontenttype", ConnectionProblem::PortWithoutTls),
            ("invalid http version parsed", ConnectionProblem::PortWithTls),
            ("plain http request", ConnectionProblem::PortWithTls),
            ("dns error", ConnectionProblem::UnknownHost),
            ("failed to lookup address", ConnectionProblem::UnknownHost),
            ("connection refused", ConnectionProblem::Refused),
            ("timed out", ConnectionProblem::NoResponse),
        ];
        let chain = error_chain(error).to_ascii_lowercase();
        let found = WORDS.iter().find(|(words, _)| chain.contains(words)).map(|(_, problem)| *problem);
        found.or_else(|| of_kind(error))
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
            Self::PortWithoutTls => "the port does not use TLS: use http:// instead of https://, or another port",
            Self::PortWithTls => "the port uses TLS: use https:// instead of http://, or another port",
        }
    }
}

fn of_kind(error: &(dyn Error + 'static)) -> Option<ConnectionProblem> {
    sources(error).find_map(|error| match error.downcast_ref::<io::Error>()?.kind() {
        io::ErrorKind::ConnectionRefused => Some(ConnectionProblem::Refused),
        io::ErrorKind::TimedOut => Some(ConnectionProblem::NoResponse),
        _ => None,
    })
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

fn sources<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
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
        for (message, expected) in [
            ("invalid peer certificate: UnknownIssuer", ConnectionProblem::UnknownAuthority),
            ("invalid peer certificate: certificate not valid for name \"db\"", ConnectionProblem::OtherName),
            ("invalid peer certificate: certificate expired: verification time …", ConnectionProblem::Expired),
            ("received corrupt message of type InvalidContentType", ConnectionProblem::PortWithoutTls),
            ("invalid HTTP version parsed", ConnectionProblem::PortWithTls),
            ("failed to lookup address information: Name or service not known", ConnectionProblem::UnknownHost),
        ] {
            assert_eq!(problem(io::Error::other(message)), Some(expected), "{message}");
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
