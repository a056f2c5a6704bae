//! The preconditions that a request may carry: If-Match and If-None-Match.

use http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};

use crate::ApiError;

/// The tags that a request compares the entity with.
#[derive(Clone, Debug, Default)]
pub struct Preconditions {
    if_match: Option<Vec<String>>,
    if_none_match: Option<Vec<String>>,
}

impl Preconditions {
    /// Reads them from a request.
    pub fn of(headers: &HeaderMap) -> Self {
        let tags = |name| {
            let mut values = headers.get_all(name).iter().peekable();
            values.peek()?;
            let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
            Some(tags.map(|tag| tag.trim().to_owned()).collect())
        };
        Self { if_match: tags(IF_MATCH), if_none_match: tags(IF_NONE_MATCH) }
    }

    /// Refuses a change of an entity that is not the one the client saw.
    pub fn check(&self, etag: &str) -> Result<(), ApiError> {
        let changed = self.if_match.as_ref().is_some_and(|tags| !tags.iter().any(|tag| tag == "*" || tag == etag));
        if changed {
            return Err(ApiError::PreconditionFailed(format!(
                "the entity has changed: its ETag is {etag} now; read it again and repeat the change"
            )));
        }
        if self.is_known(etag) {
            return Err(ApiError::PreconditionFailed("the entity matches If-None-Match".to_owned()));
        }
        Ok(())
    }

    /// Whether the client has what this tag is of.
    pub fn is_known(&self, etag: &str) -> bool {
        let matches = |tag: &String| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag;
        self.if_none_match.as_ref().is_some_and(|tags| tags.iter().any(matches))
    }
}

#[cfg(test)]
mod tests {
    use http::header::HeaderValue;

    use super::*;

    fn preconditions(name: http::HeaderName, value: &str) -> Preconditions {
        Preconditions::of(&HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())]))
    }

    #[test]
    fn a_change_needs_one_of_the_tags_in_if_match() {
        assert!(Preconditions::default().check("\"1-2\"").is_ok());
        assert!(preconditions(IF_MATCH, "\"1-1\", \"1-2\"").check("\"1-2\"").is_ok());
        assert!(preconditions(IF_MATCH, "*").check("\"1-2\"").is_ok());
        assert!(preconditions(IF_MATCH, "\"1-1\"").check("\"1-2\"").is_err());
        // Weak tags never match strongly (RFC 9110, 13.1.1).
        assert!(preconditions(IF_MATCH, "W/\"1-2\"").check("\"1-2\"").is_err());
    }

    #[test]
    fn a_known_entity_is_not_sent_again() {
        assert!(preconditions(IF_NONE_MATCH, "W/\"1-2\"").is_known("\"1-2\""));
        assert!(!preconditions(IF_NONE_MATCH, "\"1-1\"").is_known("\"1-2\""));
        assert!(preconditions(IF_NONE_MATCH, "*").check("\"1-2\"").is_err());
    }
}
