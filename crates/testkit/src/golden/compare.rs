//! Compares a response body with the expected one.

use regex::Regex;
use serde_json::{Map, Number, Value};

/// Compares a body with the expected one and returns one line per difference.
///
/// Keys have to be the same, numbers compare by value (`1` equals `1.0`), lists by position. In the expected body
///
/// * `"$any"` matches any value, `"$id"` a string of digits, `"$ms"` a string of 13 digits, `"$uuid"` a UUID, `"$text"`
///   and `"$token"` a string that is not empty;
/// * `{"$partial": {…}}` matches an object with at least these keys, `{"$contains": […]}` a list with at least these
///   elements, `{"$unordered": […]}` a list of these elements in any order, and `{"$match": "…"}` a string that contains
///   a match of the regular expression.
pub fn differences(want: &Value, got: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare(want, got, "body", &mut lines);
    lines
}

fn compare(want: &Value, got: &Value, at: &str, lines: &mut Vec<String>) {
    match (want, got) {
        (Value::String(pattern), _) if let Some(is_match) = matches_pattern(pattern, got) => {
            if !is_match {
                lines.push(format!("{at}: want {pattern}, got {}", short(got)));
            }
        }
        (Value::Object(fields), _) if let Some((rule, inner)) = rule(fields) => {
            compare_by_rule(rule, inner, got, at, lines);
        }
        (Value::Object(want), Value::Object(got)) => compare_objects(want, got, at, lines),
        (Value::Array(want), Value::Array(got)) => {
            if want.len() != got.len() {
                lines.push(format!("{at}: want {} elements, got {}", want.len(), got.len()));
            }
            for (index, (want, got)) in want.iter().zip(got).enumerate() {
                compare(want, got, &format!("{at}[{index}]"), lines);
            }
        }
        (Value::Number(want_number), Value::Number(got_number)) if is_same_number(want_number, got_number) => {}
        _ if want == got => {}
        _ => lines.push(format!("{at}: want {}, got {}", short(want), short(got))),
    }
}

/// Whether the value matches a named pattern; `None` if the string is not the name of a pattern.
fn matches_pattern(pattern: &str, got: &Value) -> Option<bool> {
    let text = got.as_str();
    Some(match pattern {
        "$any" => true,
        "$text" | "$token" => text.is_some_and(|text| !text.is_empty()),
        "$id" => text.is_some_and(is_digits),
        "$ms" => text.is_some_and(|text| text.len() == 13 && is_digits(text)),
        "$uuid" => text.is_some_and(is_uuid),
        _ => return None,
    })
}

/// The rule (`$contains`, …) that an object with a single field stands for.
fn rule(fields: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, inner) = fields.iter().next().filter(|_| fields.len() == 1)?;
    matches!(name.as_str(), "$contains" | "$unordered" | "$partial" | "$match").then_some((name, inner))
}

fn compare_by_rule(rule: &str, inner: &Value, got: &Value, at: &str, lines: &mut Vec<String>) {
    match (rule, inner, got) {
        ("$match", Value::String(pattern), _) => match Regex::new(pattern) {
            Ok(pattern) if got.as_str().is_some_and(|text| pattern.is_match(text)) => {}
            Ok(_) => lines.push(format!("{at}: {} does not match {}", short(got), short(inner))),
            Err(error) => lines.push(format!("{at}: the scenario's regular expression is invalid: {error}")),
        },
        ("$partial", Value::Object(want), Value::Object(got)) => {
            for (key, want) in want {
                match got.get(key) {
                    Some(got) => compare(want, got, &format!("{at}.{key}"), lines),
                    None => lines.push(format!("{at}.{key}: missing")),
                }
            }
        }
        ("$partial", Value::Object(_), _) => lines.push(format!("{at}: want an object, got {}", short(got))),
        ("$contains" | "$unordered", Value::Array(want), Value::Array(got)) => {
            let mut unmatched: Vec<&Value> = got.iter().collect();
            for want in want {
                match unmatched.iter().position(|got| differences(want, got).is_empty()) {
                    Some(index) => drop(unmatched.remove(index)),
                    None => lines.push(format!("{at}: no element like {}", short(want))),
                }
            }
            if rule == "$unordered" && !unmatched.is_empty() {
                lines.push(format!("{at}: {} unexpected elements", unmatched.len()));
            }
        }
        ("$contains" | "$unordered", Value::Array(_), _) => {
            lines.push(format!("{at}: want a list, got {}", short(got)));
        }
        _ => lines.push(format!("{at}: the scenario's `{rule}` cannot hold {}", short(inner))),
    }
}

fn compare_objects(want: &Map<String, Value>, got: &Map<String, Value>, at: &str, lines: &mut Vec<String>) {
    for key in want.keys().filter(|key| !got.contains_key(*key)) {
        lines.push(format!("{at}.{key}: missing"));
    }
    for (key, value) in got.iter().filter(|(key, _)| !want.contains_key(*key)) {
        lines.push(format!("{at}.{key}: not expected ({})", short(value)));
    }
    for (key, want) in want {
        if let Some(got) = got.get(key) {
            compare(want, got, &format!("{at}.{key}"), lines);
        }
    }
}

/// Compares by value, without rounding integers to the 53 bits of a double.
fn is_same_number(one: &Number, other: &Number) -> bool {
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => one == other,
        (Some(whole), None) => is_whole(other, whole),
        (None, Some(whole)) => is_whole(one, whole),
        (None, None) => one.as_f64() == other.as_f64(),
    }
}

fn is_whole(double: &Number, whole: i128) -> bool {
    #[expect(clippy::cast_possible_truncation, reason = "exact for integers below 2^127")]
    double.as_f64().is_some_and(|double| double.fract() == 0.0 && double.abs() < 1e30 && double as i128 == whole)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12]) && groups.iter().all(|group| group.bytes().all(is_hex))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(160) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[expect(clippy::needless_pass_by_value, reason = "keeps the tests short")]
    fn check(want: Value, got: Value) -> Vec<String> {
        differences(&want, &got)
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn every_missing_unexpected_and_different_key_is_reported() {
        let got = check(json!({"a": 1, "b": {"c": "x"}, "d": null}), json!({"b": {"c": "y"}, "d": null, "e": [1]}));
        assert_eq!(got, ["body.a: missing", "body.e: not expected ([1])", "body.b.c: want \"x\", got \"y\""]);
    }

    #[test]
    fn null_differs_from_absent_and_types_differ() {
        assert_eq!(check(json!({"a": null}), json!({})), ["body.a: missing"]);
        assert_eq!(check(json!("1"), json!(1)), ["body: want \"1\", got 1"]);
        assert_eq!(check(json!(1), json!(true)), ["body: want 1, got true"]);
        assert_eq!(check(json!({}), json!([])), ["body: want {}, got []"]);
        assert_eq!(check(Value::Null, json!("")), ["body: want null, got \"\""]);
    }

    #[test]
    fn numbers_are_compared_by_value() {
        assert_eq!(check(json!([1, 0.5, -0.0]), json!([1.0, 0.5, 0])), NONE);
        assert_eq!(check(json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992_u64)).len(), 1);
        assert_eq!(check(json!(9_007_199_254_740_993_u64), json!(9_007_199_254_740_992.0)).len(), 1);
        assert_eq!(check(json!(1), json!(1.5)), ["body: want 1, got 1.5"]);
    }

    #[test]
    fn lists_are_compared_by_position_and_length() {
        assert_eq!(check(json!([1, 2]), json!([2])), ["body: want 2 elements, got 1", "body[0]: want 1, got 2"]);
    }

    #[test]
    fn patterns_match_only_their_kind_of_string() {
        let uuid = "0195c1f4-7a3e-7c11-8a52-3f0d0e6c9b1a";
        for (pattern, good) in
            [("$id", "17"), ("$ms", "1735689600000"), ("$uuid", uuid), ("$text", "x"), ("$token", "MQ==")]
        {
            assert_eq!(check(json!(pattern), json!(good)), NONE, "{pattern}");
            assert_eq!(check(json!(pattern), json!("")).len(), 1, "{pattern}");
            assert_eq!(check(json!(pattern), json!(17)).len(), 1, "{pattern}");
        }
        for (pattern, bad) in [
            ("$id", "-1"),
            ("$ms", "173568960000"),
            ("$ms", "17356896000000"),
            ("$uuid", "0195C1F4-7a3e-7c11-8a52-3f0d0e6c9b1a"),
        ] {
            assert_eq!(check(json!(pattern), json!(bad)), [format!("body: want {pattern}, got \"{bad}\"")]);
        }
        assert_eq!(check(json!({"a": "$any"}), json!({"a": null})), NONE);
        assert_eq!(check(json!({"a": "$any"}), json!({})), ["body.a: missing"]);
        assert_eq!(check(json!("$anything"), json!("$anything")), NONE);
    }

    #[test]
    fn partial_ignores_further_keys_of_its_own_object_only() {
        let want = json!({"$partial": {"a": {"b": 1}}});
        assert_eq!(check(want.clone(), json!({"a": {"b": 1}, "c": 2})), NONE);
        assert_eq!(check(want.clone(), json!({"a": {"b": 1, "d": 2}})), ["body.a.d: not expected (2)"]);
        assert_eq!(check(want.clone(), json!({})), ["body.a: missing"]);
        assert_eq!(check(want, json!(1)), ["body: want an object, got 1"]);
    }

    #[test]
    fn contains_and_unordered_match_each_element_once() {
        assert_eq!(check(json!({"$contains": ["$id", 2]}), json!([3, 2, "1"])), NONE);
        assert_eq!(check(json!({"$contains": [2, 2]}), json!([2, 3])), ["body: no element like 2"]);
        assert_eq!(check(json!({"$unordered": [1, {"$partial": {"a": 1}}]}), json!([{"a": 1, "b": 2}, 1])), NONE);
        assert_eq!(check(json!({"$unordered": [1]}), json!([1, 1])), ["body: 1 unexpected elements"]);
        assert_eq!(check(json!({"$unordered": [1]}), json!({})), ["body: want a list, got {}"]);
    }

    #[test]
    fn match_searches_and_reports_an_invalid_expression() {
        assert_eq!(check(json!({"$match": "^2025-03"}), json!("2025-03-01T00:00:00Z")), NONE);
        assert_eq!(
            check(json!({"$match": "not found$"}), json!("not found!")),
            ["body: \"not found!\" does not match \"not found$\""]
        );
        assert_eq!(check(json!({"$match": "x"}), json!(1)), ["body: 1 does not match \"x\""]);
        assert!(check(json!({"$match": "("}), json!("x"))[0].contains("regular expression is invalid"));
    }

    #[test]
    fn a_rule_name_next_to_another_key_is_an_ordinary_key() {
        assert_eq!(check(json!({"$match": "x", "a": 1}), json!({"$match": "x", "a": 1})), NONE);
    }
}
