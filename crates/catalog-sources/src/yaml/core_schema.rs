//! Values by the core schema of YAML 1.2: `yes` and `n` are strings, and a key is what is written.
//!
//! Files written for the Kubeflow Model Registry use the booleans of YAML 1.1 (`scalar.rs`); files of other formats do not.

use serde_json::{Map, Value};

use super::TextLimit;
use super::composer::Composer;
use super::deserializer::ReadError;
use super::node::{Content, Node};
use super::scalar;

/// Most bytes of a value in JSON, with aliases expanded.
const LONGEST: usize = 1 << 20;

/// Reads a document; `None` for an empty one. Of two equal keys the last one wins.
pub(crate) fn core_value(text: &str) -> Result<Option<Value>, ReadError> {
    let mut composer = Composer::new(text.as_bytes(), TextLimit::Request);
    let Some(first) = composer.begin()? else { return Ok(None) };
    let node = composer.item(first, 0)?;
    composer.finish()?;
    let mut left = LONGEST;
    value(&node, &mut left).map(Some)
}

fn value(node: &Node, left: &mut usize) -> Result<Value, ReadError> {
    let mut spend = |bytes: usize| {
        *left = left.checked_sub(bytes).ok_or_else(|| {
            ReadError::at(node.position, format!("longer than {} KiB with aliases expanded", LONGEST / 1024))
        })?;
        Ok::<(), ReadError>(())
    };
    spend(1)?;
    match node.content() {
        Content::Scalar { text, is_plain } => {
            spend(text.len())?;
            Ok(if *is_plain { plain(text) } else { Value::String(text.clone()) })
        }
        Content::List(elements) => elements.iter().map(|element| value(element, left)).collect(),
        Content::Map(entries) => {
            let mut map = Map::new();
            for (key, element) in entries {
                let Content::Scalar { text, .. } = key.content() else {
                    return Err(ReadError::at(key.position, "a key is not a scalar"));
                };
                *left = left.saturating_sub(text.len());
                map.insert(text.clone(), value(element, left)?);
            }
            Ok(Value::Object(map))
        }
        Content::Shared(node) => value(node, left),
    }
}

/// A scalar without quotes. Numbers that JSON does not have are strings.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => true.into(),
        "false" | "False" | "FALSE" => false.into(),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && digits.contains(|digit: char| digit.is_ascii_digit())
        && !digits.contains('_');
    if !is_number {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix)
                .ok()
                .filter(|_| !digits.starts_with(['+', '-']))
                .map(Value::from);
        }
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse::<i64>().ok().map(Value::from);
    }
    let is_float = digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'));
    let float = is_float.then(|| scalar::float(text)).flatten().filter(|float| float.is_finite());
    float.map(Value::from)
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use serde_json::json;

    use super::*;

    #[test]
    fn scalars_follow_yaml_1_2() {
        for (text, expected) in [
            ("yes", json!("yes")),
            ("on", json!("on")),
            ("True", json!(true)),
            ("Null", json!(null)),
            ("~", json!(null)),
            ("7", json!(7)),
            ("+7", json!(7)),
            ("007", json!(7)),
            ("0x1F", json!(31)),
            ("0o17", json!(15)),
            ("0x-1", json!("0x-1")),
            ("1_000", json!("1_000")),
            ("1.50", json!(1.5)),
            ("1e3", json!(1000.0)),
            (".inf", json!(".inf")),
            (".5", json!(0.5)),
            ("1.2.3", json!("1.2.3")),
            ("2025-01-02", json!("2025-01-02")),
            ("99999999999999999999", json!("99999999999999999999")),
            ("'7'", json!("7")),
            ("!!str 7", json!("7")),
        ] {
            assert_eq!(core_value(text).unwrap_or_else(|error| panic!("{text}: {error}")), Some(expected), "{text}");
        }
    }

    #[test]
    fn keys_are_what_is_written_and_the_last_of_two_wins() {
        let read = core_value("n: 1\ny: 2\n7: 3\nn: &x [4]\nz: *x\n").unwrap();
        assert_eq!(read, Some(json!({"n": [4], "y": 2, "7": 3, "z": [4]})));
        assert_eq!(core_value("# nothing\n").unwrap(), None);
    }

    #[test]
    fn aliases_that_expand_to_much_are_refused() {
        let mut text = format!("a0: &a0 {}\n", "x".repeat(1000));
        for level in 1..5 {
            let alias = format!("*a{}, ", level - 1).repeat(8);
            writeln!(text, "a{level}: &a{level} [{alias}]").unwrap();
        }
        let error = core_value(&text).unwrap_err().to_string();
        assert!(error.contains("aliases expanded"), "{error}");
    }
}
