//! `${name}`, JSON pointers and the encoding of paths.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

pub(super) type Bound = HashMap<String, Value>;

/// Encodes all but the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'_').remove(b'.').remove(b'-').remove(b'~');
/// Characters that scenarios write unencoded and a request line cannot contain. `%` is kept: scenarios write it encoded.
const PLAIN: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'{').add(b'}');

/// Fills in and encodes path and query; bound values are percent-encoded, so that none of them can end a segment.
pub(super) fn target(path: &str, bound: &Bound) -> Result<String, String> {
    let path = fill(path, |name| Some(utf8_percent_encode(&plain(bound.get(name)?), SEGMENT).to_string()))?;
    Ok(utf8_percent_encode(&path, PLAIN).to_string())
}

/// Replaces `${name}` in every string of the value, including keys.
pub(super) fn substitute(value: &Value, bound: &Bound) -> Result<Value, String> {
    Ok(match value {
        Value::String(text) => Value::String(substitute_text(text, bound)?),
        Value::Array(items) => {
            Value::Array(items.iter().map(|item| substitute(item, bound)).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let fields =
                fields.iter().map(|(key, field)| Ok((substitute_text(key, bound)?, substitute(field, bound)?)));
            Value::Object(fields.collect::<Result<_, String>>()?)
        }
        other => other.clone(),
    })
}

pub(super) fn substitute_text(text: &str, bound: &Bound) -> Result<String, String> {
    fill(text, |name| bound.get(name).map(plain))
}

/// Returns the value at a JSON pointer. Escapes (`~0`, `~1`) are not supported.
pub(super) fn pointer<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('/').filter(|part| !part.is_empty()).try_fold(value, |value, part| match value {
        Value::Array(items) => items.get(part.parse::<usize>().ok()?),
        other => other.get(part),
    })
}

fn fill(text: &str, value_of: impl Fn(&str) -> Option<String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, after) = rest.split_at(start);
        filled.push_str(before);
        let end = after.find('}').filter(|end| is_name(&after[2..*end]));
        let Some(end) = end else {
            // Not a name: kept unchanged.
            filled.push_str("${");
            rest = &after[2..];
            continue;
        };
        let name = &after[2..end];
        filled.push_str(&value_of(name).ok_or_else(|| format!("`{name}` is not bound"))?);
        rest = &after[end + 1..];
    }
    filled.push_str(rest);
    Ok(filled)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| character.is_alphanumeric() || character == '_')
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bound() -> Bound {
        Bound::from([
            ("id1".to_owned(), json!("17")),
            ("token".to_owned(), json!("a+b/c=")),
            ("count".to_owned(), json!(3)),
        ])
    }

    #[test]
    fn strings_and_keys_are_filled_in_at_every_depth() {
        let value = json!({"id": "${id1}", "${id1}": ["x-${id1}-${count}", {"deep": "${token}"}], "number": 1});
        let want = json!({"id": "17", "17": ["x-17-3", {"deep": "a+b/c="}], "number": 1});
        assert_eq!(substitute(&value, &bound()).unwrap(), want);
    }

    #[test]
    fn a_placeholder_without_a_valid_name_is_kept() {
        assert_eq!(substitute_text("$id ${} ${a b} ${id1", &bound()).unwrap(), "$id ${} ${a b} ${id1");
    }

    #[test]
    fn an_unbound_name_is_reported() {
        assert_eq!(substitute_text("${unbound}", &bound()).unwrap_err(), "`unbound` is not bound");
    }

    #[test]
    fn bound_values_and_spaces_are_encoded_once() {
        let path = "/models/${id1}?filterQuery=id = \"${id1}\" AND name LIKE '%25a%25'&nextPageToken=${token}";
        let want =
            "/models/17?filterQuery=id%20=%20%2217%22%20AND%20name%20LIKE%20'%25a%25'&nextPageToken=a%2Bb%2Fc%3D";
        assert_eq!(target(path, &bound()).unwrap(), want);
    }

    #[test]
    fn pointers_lead_through_lists() {
        let value = json!({"items": [{"id": "1"}, {"id": "2"}]});
        assert_eq!(pointer(&value, "/items/1/id"), Some(&json!("2")));
        assert_eq!(pointer(&value, "/items/2/id"), None);
        assert_eq!(pointer(&value, "/items/x"), None);
        assert_eq!(pointer(&value, ""), Some(&value));
    }
}
