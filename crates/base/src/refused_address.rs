//! The error for an address that the rules of a caller do not allow, found again in the errors of HTTP libraries.

use std::error::Error;

use crate::connection_problem::sources;

/// No connection was made: the rules refuse the address. The text is the reason.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RefusedAddress(pub String);

impl RefusedAddress {
    /// Finds it in an error and its sources.
    pub fn of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a Self> {
        sources(error).find_map(|error| error.downcast_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot connect")]
    struct Outer(#[source] Box<dyn Error + Send + Sync>);

    #[test]
    fn a_refusal_is_found_in_the_sources_of_an_error() {
        let refused = RefusedAddress("a metadata server".to_owned());
        let outer = Outer(Box::new(Outer(Box::new(refused.clone()))));
        assert_eq!(RefusedAddress::of(&outer), Some(&refused));
        assert_eq!(RefusedAddress::of(&Outer("refused".into())), None);
    }
}
