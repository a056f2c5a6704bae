//! Finds numbers that JSON does not have, but that Python and others write into it: `NaN`, `Infinity`, `-Infinity`.

use model_registry_api::double;

/// Describes the first such number in a body that is not valid JSON: its place, and what to send instead.
pub(super) fn find(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let mut last_string: Option<&str> = None;
    let mut key: Option<&str> = None;
    let mut characters = text.char_indices();
    while let Some((start, character)) = characters.next() {
        match character {
            '"' => {
                let mut is_escaped = false;
                let end = characters.by_ref().find(|(_, character)| {
                    let is_end = *character == '"' && !is_escaped;
                    is_escaped = *character == '\\' && !is_escaped;
                    is_end
                });
                last_string = text.get(start + 1..end?.0);
            }
            ':' => key = last_string,
            'a'..='z' | 'A'..='Z' => {
                let word = word_at(text, start);
                if let Some(number) = named(word) {
                    let sign = text[..start].chars().next_back().filter(|sign| matches!(sign, '-' | '+'));
                    return Some(describe(text, start, key, sign, word, number));
                }
                // Steps over the rest of `true`, `null` and the like.
                for _ in 1..word.chars().count() {
                    characters.next();
                }
            }
            _ => {}
        }
    }
    None
}

fn word_at(text: &str, start: usize) -> &str {
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(rest.len());
    &rest[..end]
}

/// The double that a word stands for, without its sign.
fn named(word: &str) -> Option<f64> {
    match word.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "infinity" | "inf" => Some(f64::INFINITY),
        _ => None,
    }
}

fn describe(text: &str, start: usize, key: Option<&str>, sign: Option<char>, word: &str, number: f64) -> String {
    let start = start - sign.map_or(0, char::len_utf8);
    let before = &text[..start];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let number = if sign == Some('-') { -number } else { number };
    let name = double::name(number).unwrap_or_default();
    let found = format!("{}{word}", sign.map(String::from).unwrap_or_default());
    let of = key.map(|key| format!(" of `{key}`")).unwrap_or_default();
    format!("the value{of} at line {line}, column {column} is {found}. {found} is not JSON: send the string \"{name}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_that_json_does_not_have_is_described_with_its_place() {
        for (body, expected) in [
            (
                r#"{"name": "loss", "value": NaN}"#,
                r#"the value of `value` at line 1, column 27 is NaN. NaN is not JSON: send the string "NaN""#,
            ),
            (
                "{\"NaN\": true,\n \"p\": {\"double_value\": -Infinity}}",
                r#"the value of `double_value` at line 2, column 24 is -Infinity. -Infinity is not JSON: send the string "-Infinity""#,
            ),
            (
                r#"{"a\"": [null, inf]}"#,
                r#"the value of `a\"` at line 1, column 16 is inf. inf is not JSON: send the string "Infinity""#,
            ),
            ("nan", r#"the value at line 1, column 1 is nan. nan is not JSON: send the string "NaN""#),
        ] {
            assert_eq!(find(body.as_bytes()).as_deref(), Some(expected), "{body}");
        }
        for body in [r#"{"a": "NaN", "b": "Infinity}"#, r#"{"a": nothing}"#, "", r#"{"a": tru}"#, r#"{"a": "\"NaN"}"#] {
            assert_eq!(find(body.as_bytes()), None, "{body}");
        }
    }
}
