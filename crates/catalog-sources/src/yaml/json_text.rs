//! JSON of values whose numbers have more digits than a number of `serde_json` holds.
//!
//! The feature `arbitrary_precision` of `serde_json` would keep them in every value of the program, as strings: it slows all
//! documents down for the few that have such numbers.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::node::{Content, Node};
use super::scalar;

impl Node {
    /// The JSON of the value with its numbers as they are written, and sorted keys; `None` if its deserialized value has the
    /// same JSON. The keys have been checked before.
    pub(crate) fn json_as_written(&self) -> Option<String> {
        self.has_other_numbers().then(|| {
            let mut json = String::new();
            append(&mut json, self);
            json
        })
    }

    fn has_other_numbers(&self) -> bool {
        match self.content() {
            Content::Scalar { text, is_plain } => {
                let as_number = || scalar::resolve(text).to_string();
                *is_plain && is_json_number(text) && as_number().as_str() != &**text
            }
            Content::List(elements) => elements.iter().any(Self::has_other_numbers),
            Content::Map(entries) => entries.iter().any(|(_, value)| value.has_other_numbers()),
            Content::Shared(node) => node.has_other_numbers(),
        }
    }
}

fn append(json: &mut String, node: &Node) {
    // Writing to a string does not fail.
    let _ = match node.content() {
        _ if node.is_null() => write!(json, "null"),
        Content::Scalar { text, is_plain: true } if is_json_number(text) => write!(json, "{text}"),
        Content::Scalar { text, is_plain: true } => write!(json, "{}", scalar::resolve(text)),
        Content::Scalar { text, is_plain: false } => write!(json, "{}", quoted(text)),
        Content::List(elements) => {
            json.push('[');
            for (place, element) in elements.iter().enumerate() {
                json.push_str(if place == 0 { "" } else { "," });
                append(json, element);
            }
            write!(json, "]")
        }
        Content::Map(entries) => {
            json.push('{');
            let sorted: BTreeMap<&str, &Node> =
                entries.iter().map(|(key, value)| (key.as_str().unwrap_or_default(), value)).collect();
            for (place, (key, value)) in sorted.into_iter().enumerate() {
                json.push_str(if place == 0 { "" } else { "," });
                json.push_str(&quoted(key));
                json.push(':');
                append(json, value);
            }
            write!(json, "}}")
        }
        Content::Shared(node) => {
            append(json, node);
            Ok(())
        }
    };
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Whether a text is a number of JSON.
fn is_json_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned.starts_with('0')) {
        return false;
    }
    let mut rest = unsigned.get(whole..).unwrap_or_default();
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = fraction.get(length..).unwrap_or_default();
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return !exponent.is_empty() && digits(exponent) == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::yaml;

    fn as_written(text: &str) -> Option<String> {
        yaml::document(Path::new("f"), text).unwrap().unwrap().json_as_written()
    }

    #[test]
    fn numbers_keep_their_digits() {
        let json = r#"{"z":[18446744073709551616,-170141183460469231731687303715884105728],"a":{"version":1.10,"huge":1e400},"quoted":"1.10 \"","none":null,"on":true}"#;
        let expected = r#"{"a":{"huge":1e400,"version":1.10},"none":null,"on":true,"quoted":"1.10 \"","z":[18446744073709551616,-170141183460469231731687303715884105728]}"#;
        assert_eq!(as_written(json).as_deref(), Some(expected));
        assert_eq!(
            as_written("a: &x 1.10\nb: [*x, yes, 0x1F, 2025-01-01]\n").as_deref(),
            Some(r#"{"a":1.10,"b":[1.10,true,31,"2025-01-01"]}"#)
        );
    }

    #[test]
    fn values_that_a_number_holds_have_no_other_json() {
        assert_eq!(
            as_written(r#"{"a": [1, -7, 1.5, 9007199254740993, 18446744073709551615, "1.10", null, true]}"#),
            None
        );
    }

    #[test]
    fn numbers_are_those_of_json() {
        for text in ["0", "-0", "10", "1.5", "1e5", "1.5E-7", "18446744073709551616"] {
            assert!(is_json_number(text), "{text}");
        }
        for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1F", "1_000", "1.2.3", "NaN"] {
            assert!(!is_json_number(text), "{text}");
        }
    }
}
