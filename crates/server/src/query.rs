//! Query strings, parsed by the rules of Go's `net/url`, which the Kubeflow Model Registry uses: the same URLs are
//! valid.
//!
//! The first value of a repeated key is used, an empty value counts as absent, unknown keys are ignored, `+` is a
//! space. A malformed escape, a `;` between parameters, invalid UTF-8 and a null byte are 400.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::ApiError;

/// The decoded parameters of a request, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    /// Parses the part of a URL after the `?`.
    pub fn parse(text: &str) -> Result<Self, ApiError> {
        let mut parameters = Vec::new();
        for segment in text.split('&').filter(|segment| !segment.is_empty()) {
            if segment.contains(';') {
                return Err(ApiError::Invalid("invalid semicolon separator in query".into()));
            }
            let (key, value) = segment.split_once('=').unwrap_or((segment, ""));
            let key = decode(key)?;
            let value = decode(value)?;
            reject_null_bytes(&key, &value)?;
            parameters.push((key, value));
        }
        Ok(Self { parameters })
    }

    /// The first value of `key`; an empty one counts as absent.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Whether `key` is present, with or without a value.
    pub fn has(&self, key: &str) -> bool {
        self.parameters.iter().any(|(name, _)| name == key)
    }

    /// All non-empty values of `key`, for parameters that are lists.
    pub fn get_all<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters
            .iter()
            .filter(move |(name, value)| name == key && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

impl<S: Sync> FromRequestParts<S> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        Self::parse(parts.uri.query().unwrap_or_default())
    }
}

fn decode(text: &str) -> Result<String, ApiError> {
    if !text.contains(['%', '+']) {
        return Ok(text.to_owned());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((position, byte)) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => {
                let high = bytes.next().and_then(|(_, digit)| hex(digit));
                let low = bytes.next().and_then(|(_, digit)| hex(digit));
                let (Some(high), Some(low)) = (high, low) else {
                    let escape: String = text[position..].chars().take(3).collect();
                    return Err(ApiError::Invalid(format!("invalid URL escape {escape:?}")));
                };
                decoded.push(high << 4 | low);
            }
            other => decoded.push(other),
        }
    }
    String::from_utf8(decoded).map_err(|_| ApiError::Invalid(format!("invalid UTF-8 in query string: {text:?}")))
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

// parity: the message names the parameter twice. The six characters of the escape are rejected as well as the byte,
// since clients forward JSON strings.
fn reject_null_bytes(key: &str, value: &str) -> Result<(), ApiError> {
    let is_bad = |text: &str| text.contains('\0') || text.contains("\\u0000");
    if is_bad(value) || is_bad(key) {
        let key = key.replace('\0', "\\0");
        return Err(ApiError::Invalid(format!(
            "Invalid {key} query parameter: invalid {key} parameter: contains null bytes which are not allowed"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(text: &str) -> String {
        Query::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_first_value_of_a_repeated_key_is_used() {
        let query = Query::parse("pageSize=1&pageSize=2").unwrap();
        assert_eq!(query.get("pageSize"), Some("1"));
        assert_eq!(query.get_all("pageSize").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn an_empty_value_counts_as_absent() {
        let query = Query::parse("name=&nextPageToken&x=1").unwrap();
        assert_eq!(query.get("name"), None);
        assert_eq!(query.get("nextPageToken"), None);
        assert_eq!(query.get("absent"), None);
        assert_eq!(query.get("x"), Some("1"));
    }

    #[test]
    fn plus_escapes_and_equal_signs_are_decoded() {
        let query = Query::parse("filterQuery=name+%3D+%27a%2Bb%27&token=a=b&%6eame=%C3%A4").unwrap();
        assert_eq!(query.get("filterQuery"), Some("name = 'a+b'"));
        assert_eq!(query.get("token"), Some("a=b"));
        assert_eq!(query.get("name"), Some("ä"));
    }

    #[test]
    fn malformed_queries_are_rejected() {
        assert_eq!(rejected("name=%zz"), r#"invalid URL escape "%zz""#);
        assert_eq!(rejected("name=%4"), r#"invalid URL escape "%4""#);
        assert_eq!(rejected("name=%"), r#"invalid URL escape "%""#);
        assert_eq!(rejected("a=1;b=2"), "invalid semicolon separator in query");
        assert_eq!(rejected("name=%ff"), r#"invalid UTF-8 in query string: "%ff""#);
        assert_eq!(rejected("name=%é1"), r#"invalid URL escape "%é1""#);
    }

    #[test]
    fn an_escaped_semicolon_is_part_of_the_value() {
        assert_eq!(Query::parse("name=a%3Bb").unwrap().get("name"), Some("a;b"));
    }

    #[test]
    fn null_bytes_are_rejected_in_any_parameter() {
        let message = "Invalid name query parameter: invalid name parameter: contains null bytes which are not allowed";
        assert_eq!(rejected("name=a%00b"), message);
        assert_eq!(rejected("name=a%5Cu0000b"), message);
        assert_eq!(rejected("name=a\\u0000b"), message);
    }
}
