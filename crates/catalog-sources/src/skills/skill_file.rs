//! `SKILL.md`: front matter in YAML between two lines of three dashes, then Markdown.

use serde_json::{Map, Value};

use crate::yaml::core_value;

/// Lengths that the format allows, in characters; the body in lines. Longer values are published with a warning.
const LONGEST_NAME: usize = 64;
const LONGEST_DESCRIPTION: usize = 1024;
const LONGEST_COMPATIBILITY: usize = 500;
const LONGEST_BODY: usize = 500;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The content of a `SKILL.md`.
#[derive(Debug, PartialEq)]
pub(crate) struct SkillFile {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) license: Option<String>,
    pub(crate) compatibility: Option<String>,
    pub(crate) allowed_tools: Option<Vec<String>>,
    pub(crate) metadata: Option<Map<String, Value>>,
    /// Without line breaks at both ends.
    pub(crate) body: String,
    pub(crate) body_line_count: usize,
    /// Mistakes for which nothing is left out.
    pub(crate) warnings: Vec<String>,
}

/// Why a skill is left out.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SkillFileError {
    #[error("SKILL.md has no YAML frontmatter")]
    NoFrontMatter,
    #[error("SKILL.md frontmatter is not valid YAML: {0}")]
    InvalidFrontMatter(String),
    #[error("SKILL.md frontmatter is missing required 'description'")]
    NoDescription,
}

impl SkillFile {
    /// `directory` is the name of the directory that the file is in.
    pub(crate) fn parse(bytes: &[u8], directory: &str) -> Result<Self, SkillFileError> {
        let text = normalized(bytes);
        let (front_matter, body) = split(&text)?;
        let mut fields = Fields { map: read_front_matter(front_matter)?, warnings: Vec::new() };
        let description = fields.map.get("description").and_then(Value::as_str);
        let description = description.filter(|description| !description.trim().is_empty());
        let description = description.ok_or(SkillFileError::NoDescription)?.to_owned();

        let name = fields.string("name").filter(|name| !name.is_empty());
        let license = fields.string("license");
        let compatibility = fields.string("compatibility");
        let allowed_tools = fields.map.get("allowed-tools").and_then(allowed_tools);
        let metadata = match fields.map.remove("metadata") {
            Some(Value::Object(metadata)) => Some(metadata),
            None | Some(Value::Null) => None,
            Some(_) => {
                fields.warnings.push("frontmatter field \"metadata\" is not a map and was ignored".to_owned());
                None
            }
        };
        let mut warnings = fields.warnings;
        let name = match name {
            None => {
                warnings.push(format!("frontmatter is missing 'name'; using directory name \"{directory}\""));
                directory.to_owned()
            }
            Some(name) => {
                if name != directory {
                    warnings.push(format!("frontmatter name \"{name}\" does not match directory \"{directory}\""));
                }
                name
            }
        };
        for (field, value, most) in [
            ("name", Some(&name), LONGEST_NAME),
            ("description", Some(&description), LONGEST_DESCRIPTION),
            ("compatibility", compatibility.as_ref(), LONGEST_COMPATIBILITY),
        ] {
            let length = value.map_or(0, |value| value.chars().count());
            if length > most {
                warnings.push(format!("{field} is {length} characters, which exceeds the maximum of {most}"));
            }
        }
        let readable = String::from_utf8_lossy(body);
        let body = readable.trim_matches('\n').to_owned();
        let body_line_count = if body.is_empty() { 0 } else { body.split('\n').count() };
        if body_line_count > LONGEST_BODY {
            warnings.push(format!(
                "body is {body_line_count} lines, which exceeds the recommended maximum of {LONGEST_BODY}"
            ));
        }
        if matches!(readable, std::borrow::Cow::Owned(_)) {
            warnings.push("body is not valid UTF-8: invalid bytes were replaced".to_owned());
        }
        Ok(Self { name, description, license, compatibility, allowed_tools, metadata, body, body_line_count, warnings })
    }
}

struct Fields {
    map: Map<String, Value>,
    warnings: Vec<String>,
}

impl Fields {
    /// A string; null is like no value, and another type is ignored with a warning.
    fn string(&mut self, field: &str) -> Option<String> {
        match self.map.get(field)? {
            Value::String(string) => Some(string.clone()),
            Value::Null => None,
            _ => {
                self.warnings.push(format!("frontmatter field \"{field}\" is not a string and was ignored"));
                None
            }
        }
    }
}

/// Without byte order mark, and with line feeds alone as line ends.
fn normalized(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let mut text = Vec::with_capacity(bytes.len());
    for (index, byte) in bytes.iter().enumerate() {
        if *byte != b'\r' || bytes.get(index + 1) != Some(&b'\n') {
            text.push(*byte);
        }
    }
    text
}

/// The front matter, and everything after it.
fn split(text: &[u8]) -> Result<(&[u8], &[u8]), SkillFileError> {
    let (first, rest) = line(text);
    if !is_fence(first) {
        return Err(SkillFileError::NoFrontMatter);
    }
    let Some(front_matter) = rest else { return Err(unclosed()) };
    let mut left = front_matter;
    loop {
        let (this, rest) = line(left);
        if is_fence(this) {
            let length = front_matter.len() - left.len();
            return Ok((front_matter.get(..length).unwrap_or_default(), rest.unwrap_or_default()));
        }
        left = rest.ok_or_else(unclosed)?;
    }
}

fn unclosed() -> SkillFileError {
    SkillFileError::InvalidFrontMatter("frontmatter opened with '---' but has no closing delimiter".to_owned())
}

/// The first line, and what follows its line break; `None` if it has none.
fn line(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (text.get(..end).unwrap_or_default(), text.get(end + 1..)),
        None => (text, None),
    }
}

/// Three dashes in the first column, and nothing but white space after them.
fn is_fence(line: &[u8]) -> bool {
    line.strip_prefix(b"---").is_some_and(|rest| rest.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')))
}

fn read_front_matter(bytes: &[u8]) -> Result<Map<String, Value>, SkillFileError> {
    let invalid = SkillFileError::InvalidFrontMatter;
    let text = std::str::from_utf8(bytes).map_err(|error| invalid(error.to_string()))?;
    match core_value(text) {
        Ok(None) => Ok(Map::new()),
        Ok(Some(Value::Object(map))) => Ok(map),
        Ok(Some(Value::Array(_))) => Err(invalid("expected a map, found a list".to_owned())),
        Ok(Some(_)) => Err(invalid("expected a map, found a scalar".to_owned())),
        // The fence is the first line of the file.
        Err(error) => Err(invalid(match error.position() {
            Some(position) => format!("line {}: {error}", position.line + 1),
            None => error.to_string(),
        })),
    }
}

fn allowed_tools(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(string) => Some(string.split_whitespace().map(str::to_owned).collect()),
        Value::Array(list) => {
            let tools = list.iter().filter_map(Value::as_str).filter(|tool| !tool.trim().is_empty());
            Some(tools.map(str::to_owned).collect::<Vec<_>>()).filter(|tools| !tools.is_empty())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
