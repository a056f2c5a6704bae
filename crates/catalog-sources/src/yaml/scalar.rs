//! Resolves scalars without quotes to null, booleans, numbers or strings.

use serde_json::Value;

/// Resolves a scalar without quotes; null is handled by the caller.
pub(super) fn resolve(text: &str) -> Value {
    if let Some(value) = boolean(text) {
        return value.into();
    }
    // Dates and versions start like numbers, so the whole string has to parse.
    if text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-' | '.'))
        && let Ok(Value::Number(number)) = serde_saphyr::from_str(text)
    {
        return number.into();
    }
    Value::String(text.to_owned())
}

/// Booleans of YAML 1.1: existing files written for the Kubeflow Model Registry use them.
pub(super) fn boolean(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "yes", "y", "on"]) {
        return Some(true);
    }
    is_one_of(["false", "no", "n", "off"]).then_some(false)
}

pub(super) fn float(text: &str) -> Option<f64> {
    let is_common = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    if is_common && let Ok(number) = text.parse() {
        return Some(number);
    }
    serde_saphyr::from_str(text).ok()
}

pub(super) fn integer(text: &str) -> Option<i128> {
    text.parse().ok().or_else(|| serde_saphyr::from_str(text).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_resolve_to_booleans_numbers_or_strings() {
        for (text, value) in [
            ("7", json!(7)),
            ("-7", json!(-7)),
            ("0.50", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("0x1F", json!(31)),
            ("18446744073709551615", json!(u64::MAX)),
            ("Yes", json!(true)),
            ("off", json!(false)),
            ("1.2.3", json!("1.2.3")),
            ("2025-03-01", json!("2025-03-01")),
            ("---", json!("---")),
            ("- 7", json!("- 7")),
            (".inf", json!(".inf")),
            ("north", json!("north")),
        ] {
            assert_eq!(resolve(text), value, "{text}");
        }
    }

    #[test]
    fn numbers_are_parsed_where_one_is_expected() {
        assert_eq!((float("1e3"), float("7"), float("x")), (Some(1000.0), Some(7.0), None));
        assert_eq!(float("-.inf"), Some(f64::NEG_INFINITY));
        assert_eq!((integer("0o17"), integer("-9"), integer("1.5")), (Some(15), Some(-9), None));
    }
}
