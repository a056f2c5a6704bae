//! Conditional requests: `If-Match` and `If-None-Match`.

use http::header::{HeaderMap, IF_MATCH, IF_NONE_MATCH};

use crate::ApiError;

/// The entity tags of a conditional request.
#[derive(Clone, Debug, Default)]
pub struct Preconditions {
    if_match: Option<Vec<String>>,
    if_none_match: Option<Vec<String>>,
}

impl Preconditions {
    /// Reads the preconditions of a request.
    pub fn of(headers: &HeaderMap) -> Self {
        let tags = |name| {
            let mut values = headers.get_all(name).iter().peekable();
            values.peek()?;
            let tags = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
            Some(tags.map(|tag| tag.trim().to_owned()).collect())
        };
        Self { if_match: tags(IF_MATCH), if_none_match: tags(IF_NONE_MATCH) }
    }

    /// Checks the preconditions of an update against the current entity tag; the error is 412.
    pub fn check(&self, etag: &str) -> Result<(), ApiError> {
        let changed = self.if_match.as_ref().is_some_and(|tags| !tags.iter().any(|tag| tag == "*" || tag == etag));
        if changed {
            return Err(ApiError::PreconditionFailed(format!(
                "the entity has changed and its ETag is now {etag}: read it again and repeat the update"
            )));
        }
        if self.is_known(etag) {
            return Err(ApiError::PreconditionFailed("the entity matches If-None-Match".to_owned()));
        }
        Ok(())
    }

    /// Whether the client already has the entity with this tag.
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
    fn an_update_requires_one_of_the_tags_in_if_match() {
        assert!(Preconditions::default().check("\"1-2\"").is_ok());
        assert!(preconditions(IF_MATCH, "\"1-1\", \"1-2\"").check("\"1-2\"").is_ok());
        assert!(preconditions(IF_MATCH, "*").check("\"1-2\"").is_ok());
        assert!(preconditions(IF_MATCH, "\"1-1\"").check("\"1-2\"").is_err());
        // Weak tags never match strongly (RFC 9110, 13.1.1).
        assert!(preconditions(IF_MATCH, "W/\"1-2\"").check("\"1-2\"").is_err());
    }

    #[test]
    fn an_entity_the_client_has_is_known() {
        assert!(preconditions(IF_NONE_MATCH, "W/\"1-2\"").is_known("\"1-2\""));
        assert!(!preconditions(IF_NONE_MATCH, "\"1-1\"").is_known("\"1-2\""));
        assert!(preconditions(IF_NONE_MATCH, "*").check("\"1-2\"").is_err());
    }
}
