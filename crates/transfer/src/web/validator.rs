//! Whether a file of a web server is still the same: its validator.

use std::fmt;

use http::HeaderMap;
use http::header::{ETAG, HeaderValue, IF_MATCH, IF_UNMODIFIED_SINCE, LAST_MODIFIED};

/// A strong entity tag, or the time of the last change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Validator {
    Tag(String),
    Modified(String),
}

impl Validator {
    /// The validator of a response. A weak entity tag says nothing about bytes.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
        let tag = text(ETAG).filter(|tag| tag.starts_with('"'));
        tag.map(Self::Tag).or_else(|| text(LAST_MODIFIED).map(Self::Modified))
    }

    /// Parses what `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.split_once('=')? {
            ("tag", tag) => Some(Self::Tag(tag.to_owned())),
            ("modified", time) => Some(Self::Modified(time.to_owned())),
            _ => None,
        }
    }

    /// Makes a request fail if the file is another one.
    pub(crate) fn add_condition(&self, headers: &mut HeaderMap) {
        let (name, value) = match self {
            Self::Tag(tag) => (IF_MATCH, tag),
            Self::Modified(time) => (IF_UNMODIFIED_SINCE, time),
        };
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }

    /// Whether a response is about the same file; many servers ignore the condition.
    pub(crate) fn accepts(&self, headers: &HeaderMap) -> bool {
        let (name, expected) = match self {
            Self::Tag(tag) => (ETAG, tag),
            Self::Modified(time) => (LAST_MODIFIED, time),
        };
        headers.get(name).is_none_or(|value| value.as_bytes() == expected.as_bytes())
    }
}

impl fmt::Display for Validator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => write!(formatter, "tag={tag}"),
            Self::Modified(time) => write!(formatter, "modified={time}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers_of(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_strong_tag_is_preferred_to_a_time_and_a_weak_one_is_not_used() {
        let time = ("last-modified", "Wed, 21 Oct 2015 07:28:00 GMT");
        let of = |pairs: &[(&'static str, &'static str)]| {
            let headers: HeaderMap = pairs
                .iter()
                .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            Validator::of(&headers)
        };
        assert_eq!(of(&[("etag", "\"a\""), time]), Some(Validator::Tag("\"a\"".to_owned())));
        assert_eq!(of(&[("etag", "W/\"a\""), time]), Some(Validator::Modified(time.1.to_owned())));
        assert_eq!(of(&[("etag", "W/\"a\"")]), None);
    }

    #[test]
    fn a_validator_is_a_condition_and_is_compared_with_responses() {
        let tag = Validator::Tag("\"a=b\"".to_owned());
        assert_eq!(Validator::parse(&tag.to_string()), Some(tag.clone()));
        let mut request = HeaderMap::new();
        tag.add_condition(&mut request);
        assert_eq!(request[IF_MATCH], "\"a=b\"");
        assert!(tag.accepts(&headers_of(ETAG, "\"a=b\"")) && tag.accepts(&HeaderMap::new()));
        assert!(!tag.accepts(&headers_of(ETAG, "\"c\"")));
    }
}
