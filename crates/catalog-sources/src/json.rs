//! JSON as programs write it: with `NaN`, `Infinity` and `-Infinity`, which Python writes although JSON has no such numbers.

use serde::de::DeserializeOwned;

/// Parses JSON; numbers that JSON does not have become null.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    read_with_replaced(text).map(|(value, _)| value)
}

/// The same, with the byte offset of each number that became null.
pub(crate) fn read_with_replaced<T: DeserializeOwned>(text: &str) -> Result<(T, Vec<usize>), serde_json::Error> {
    let error = match serde_json::from_str(text) {
        Ok(value) => return Ok((value, Vec::new())),
        Err(error) => error,
    };
    let (replaced, offsets) = without_special_numbers(text);
    if offsets.is_empty() {
        return Err(error);
    }
    // The positions of an error in the replaced text would be wrong.
    serde_json::from_str(&replaced).map(|value| (value, offsets)).map_err(|_| error)
}

fn without_special_numbers(text: &str) -> (String, Vec<usize>) {
    let (mut replaced, mut offsets) = (String::with_capacity(text.len()), Vec::new());
    let (mut is_string, mut is_escaped) = (false, false);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let word = if is_string {
            None
        } else {
            ["-Infinity", "Infinity", "-NaN", "NaN"].into_iter().find(|word| rest.starts_with(word))
        };
        if let Some(word) = word {
            offsets.push(text.len() - rest.len());
            replaced.push_str("null");
            rest = rest.get(word.len()..).unwrap_or_default();
            continue;
        }
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' if is_string => is_escaped = true,
            '"' => is_string = !is_string,
            _ => {}
        }
        replaced.push(character);
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    (replaced, offsets)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn numbers_that_json_does_not_have_become_null_outside_of_strings() {
        let text = r#"{"a": NaN, "b": [-Infinity, Infinity, 1], "c": "NaN \" NaN", "é": NaN}"#;
        let (value, offsets) = read_with_replaced::<Value>(text).unwrap();
        assert_eq!(value, json!({"a": null, "b": [null, null, 1], "c": "NaN \" NaN", "é": null}));
        assert_eq!(offsets.len(), 4);
        assert!(offsets.iter().all(|offset| text[*offset..].starts_with(['N', 'I', '-'])), "{offsets:?}");
        assert!(read::<Value>("{NaN: 1}").is_err());
        assert!(read::<Value>("{\"a\": nan}").is_err());
    }
}
