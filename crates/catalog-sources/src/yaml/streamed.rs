//! Documents of other publishers, read value by value: a map with one long list or map, or a list.

use std::io::Read;
use std::path::Path;

use granit_parser::Event;

use super::composer::Composer;
use super::{Entry, Node, ReadError, TextLimit};
use crate::problem::Problem;

/// A value of such a document.
pub(crate) enum Part<'a> {
    /// An element of the long list, with `key` of the long map.
    Element { key: Option<&'a Node>, value: Entry<'a> },
    /// A member of the document next to them.
    Member { key: &'a Node, value: Entry<'a> },
}

/// Calls `each` for the elements under `long` and for the other members of a document, or for the elements of a document that
/// is a list. Returns whether there was such a list or map, even if it is empty.
pub(crate) fn read_streamed(
    file: &Path,
    reader: impl Read,
    limit: TextLimit,
    long: &str,
    mut each: impl FnMut(Part<'_>) -> Result<(), Problem>,
) -> Result<bool, Problem> {
    let failed = |error: ReadError| Problem::of_read_error(file, &error);
    let mut composer = Composer::new(reader, limit);
    let mut found = false;
    match composer.begin().map_err(failed)? {
        Some(first @ (Event::SequenceStart(..), _)) => {
            found = elements(file, &mut composer, &first.0, 1, &mut each)?;
        }
        Some((Event::MappingStart(..), _)) => loop {
            let first = composer.next().map_err(failed)?;
            if matches!(first.0, Event::MappingEnd) {
                break;
            }
            let key = composer.item(first, 1).map_err(failed)?;
            let first = composer.next().map_err(failed)?;
            let is_long = key.as_str() == Some(long);
            if is_long && matches!(first.0, Event::SequenceStart(..) | Event::MappingStart(..)) {
                found = elements(file, &mut composer, &first.0, 2, &mut each)?;
            } else {
                let value = composer.item(first, 1).map_err(failed)?;
                each(Part::Member { key: &key, value: Entry { file, node: &value } })?;
            }
        },
        None => return Err(Problem::of_file(file, "is empty")),
        Some((_, position)) => return Err(Problem::at(file, position, "expected a map or a list")),
    }
    composer.finish().map_err(failed)?;
    Ok(found)
}

/// Reads the elements of a list or map that starts with this event, nested `depth` levels deep.
fn elements<R: Read>(
    file: &Path,
    composer: &mut Composer<R>,
    first: &Event<'static>,
    depth: usize,
    each: &mut impl FnMut(Part<'_>) -> Result<(), Problem>,
) -> Result<bool, Problem> {
    let failed = |error: ReadError| Problem::of_read_error(file, &error);
    let is_map = matches!(first, Event::MappingStart(..));
    loop {
        let first = composer.next().map_err(failed)?;
        if matches!(first.0, Event::SequenceEnd | Event::MappingEnd) {
            return Ok(true);
        }
        let one = composer.item(first, depth).map_err(failed)?;
        if is_map {
            let first = composer.next().map_err(failed)?;
            let value = composer.item(first, depth).map_err(failed)?;
            each(Part::Element { key: Some(&one), value: Entry { file, node: &value } })?;
        } else {
            each(Part::Element { key: None, value: Entry { file, node: &one } })?;
        }
    }
}

/// JSON as YAML: pairs of escapes that spell one character beyond 16 bits, which YAML does not have, become the character.
pub(crate) fn json_as_yaml(json: String) -> String {
    if !json.contains("\\ud") && !json.contains("\\uD") {
        return json;
    }
    let mut yaml = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(start) = rest.find('\\') {
        let (before, escape) = rest.split_at(start);
        yaml.push_str(before);
        if let Some(character) = surrogate_pair(escape) {
            yaml.push(character);
            rest = escape.get(SURROGATE_PAIR..).unwrap_or_default();
        } else {
            // The escaped character too: it may be a backslash.
            let length = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
            yaml.push_str(escape.get(..length).unwrap_or_default());
            rest = escape.get(length..).unwrap_or_default();
        }
    }
    yaml + rest
}

/// Bytes of two escapes such as `\ud83d\ude00`.
const SURROGATE_PAIR: usize = 12;

fn surrogate_pair(escape: &str) -> Option<char> {
    let pair = escape.get(..SURROGATE_PAIR)?;
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?, 16).ok();
    let (high, low) = pair.split_at(SURROGATE_PAIR / 2);
    char::decode_utf16([unit(high)?, unit(low)?]).next()?.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> Result<(bool, Vec<String>), Problem> {
        let mut seen = Vec::new();
        let found = read_streamed(Path::new("f"), text.as_bytes(), TextLimit::Source, "long", |part| {
            seen.push(match part {
                Part::Element { key, value } => {
                    format!("{}={}", key.and_then(Node::as_str).unwrap_or("-"), value.node.as_str().unwrap_or("?"))
                }
                Part::Member { key, .. } => format!("member {}", key.as_str().unwrap_or("?")),
            });
            Ok(())
        })?;
        Ok((found, seen))
    }

    #[test]
    fn the_long_list_or_map_is_read_element_by_element() {
        let own = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect::<Vec<_>>();
        for (text, found, expected) in [
            ("{\"a\":1,\"long\":[1,2],\"b\":{}}", true, own(&["member a", "-=1", "-=2", "member b"])),
            ("long:\n  x: 1\n  y: 2\n", true, own(&["x=1", "y=2"])),
            ("[1, 2]", true, own(&["-=1", "-=2"])),
            ("{long: []}", true, own(&[])),
            ("{long: null}", false, own(&["member long"])),
            ("{\n\t\"a\":\t1\n}", false, own(&["member a"])),
        ] {
            assert_eq!(parts(text).unwrap(), (found, expected), "{text}");
        }
        for (text, reason) in [("", "is empty"), ("text", "expected a map or a list"), ("{\"long\": [1,", "")] {
            assert!(parts(text).unwrap_err().reason.contains(reason), "{text}");
        }
    }

    #[test]
    fn characters_beyond_16_bits_are_read_from_json() {
        let yaml = json_as_yaml(r#"{"a": "\ud83d\ude00 \\ud83d\ude00 \u00e9 \/", "b": "\uD83D"}"#.to_owned());
        assert_eq!(yaml, r#"{"a": "😀 \\ud83d\ude00 \u00e9 \/", "b": "\uD83D"}"#);
    }
}
