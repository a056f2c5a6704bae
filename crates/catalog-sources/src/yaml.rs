//! YAML files: reading with limits, and problems with file, line and column.
//!
//! A value is read in two steps: the parser's events become nodes that know their position (`composer.rs`), and a node is
//! deserialized into a structure (`deserializer.rs`). So a value of the wrong type
//! makes only its item unusable.

mod characters;
mod composer;
mod core_schema;
mod deserializer;
mod json_text;
mod list_file;
mod node;
mod scalar;
mod streamed;
mod tolerant;
mod violation;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt::Display;
use std::io::Read;
use std::path::Path;

use model_registry_base::files::{self as limited, FileError, RegularFile};
use serde::de::{DeserializeOwned, IgnoredAny};

use self::composer::Composer;
pub(crate) use self::core_schema::core_value;
pub(crate) use self::deserializer::{ReadError, UnknownKey};
pub(crate) use self::list_file::ListFile;
pub(crate) use self::node::Node;
pub(crate) use self::streamed::{Part, json_as_yaml, read_streamed};
pub(crate) use self::tolerant::{StringList, Tolerant};
pub(crate) use self::violation::Violation;
use crate::problem::{Position, Problem};
use crate::{files, sample};

/// Most bytes of text in a file, with aliases expanded.
#[derive(Clone, Copy)]
pub(crate) enum TextLimit {
    /// A file that the server is configured to read: a catalog of some hundred thousand models.
    Source = 1 << 30,
    /// Anything else: the body of a request, and configuration files.
    Request = 64 << 20,
}

/// The largest file that is read into memory as a whole.
const LARGEST_IN_MEMORY: u64 = 256 << 20;

/// Completes the message about an unknown key.
pub(crate) const IGNORED: &str = ", which is ignored";

/// A value of a file.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub(crate) file: &'a Path,
    pub(crate) node: &'a Node,
}

impl<'a> Entry<'a> {
    /// A problem of the value as a whole.
    pub(crate) fn problem(self, reason: impl Display) -> Problem {
        Problem::at(self.file, self.node.position, reason.to_string())
    }

    /// A problem at another position of the file; without one, at the value itself.
    pub(crate) fn problem_at(self, position: Option<Position>, reason: impl Display) -> Problem {
        Problem::at(self.file, position.unwrap_or(self.node.position), reason.to_string())
    }

    pub(crate) fn problem_of(self, violation: &Violation) -> Problem {
        self.problem_at(Some(violation.position(self)), &violation.reason)
    }

    /// Deserializes the value. Keys that its type does not have are returned and otherwise ignored.
    pub(crate) fn read<T: DeserializeOwned>(self) -> (Result<T, ReadError>, Vec<UnknownKey>) {
        deserializer::read(self.node)
    }

    /// Deserializes the value of a key; `None` if it is missing or null.
    pub(crate) fn read_field<T: DeserializeOwned>(self, key: &str) -> Result<Option<T>, ReadError> {
        deserializer::read_field(self.node, key)
    }

    /// Checks that the value is a map, without duplicate keys.
    #[expect(clippy::zero_sized_map_values, reason = "serde does not read a map as a set")]
    pub(crate) fn check_keys(self) -> Result<(), ReadError> {
        self.read::<HashMap<String, IgnoredAny>>().0.map(drop)
    }

    /// The keys of the value that are not among the known ones.
    pub(crate) fn unknown_keys(self, known: &[&str]) -> Vec<UnknownKey> {
        let keys = self.node.entries().unwrap_or_default().iter().map(|(key, _)| key);
        let unknown = keys.filter(|key| key.as_str().is_none_or(|name| !known.contains(&name)));
        unknown.map(|key| UnknownKey::new(key.position, key.as_str().unwrap_or_default(), known)).collect()
    }

    pub(crate) fn get(self, key: &str) -> Option<Entry<'a>> {
        self.node.get(key).map(|node| Entry { node, ..self })
    }
}

impl Problem {
    fn of_file_error(file: &Path, error: &FileError) -> Self {
        Self::of_file(file, format!("cannot be read: {error}"))
    }

    fn of_read_error(file: &Path, error: &ReadError) -> Self {
        match error.position() {
            Some(position) => Self::at(file, position, error.to_string()),
            None => Self::of_file(file, error.to_string()),
        }
    }
}

/// Reads a whole document; `None` for an empty file.
pub(crate) fn document(file: &Path, text: &str) -> Result<Option<Node>, Problem> {
    let mut composer = Composer::new(text.as_bytes(), TextLimit::Request);
    let read = composer.begin().and_then(|first| {
        let node = first.map(|first| composer.item(first, 0)).transpose()?;
        composer.finish()?;
        Ok(node.filter(|node| !node.is_null()))
    });
    read.map_err(|error| Problem::of_read_error(file, &error))
}

/// Opens a file of the disk or of the built-in sample.
pub(crate) fn open(file: &Path) -> Result<Box<dyn Read>, Problem> {
    if let Some(text) = sample::find(file) {
        return Ok(Box::new(text.as_bytes()));
    }
    Ok(Box::new(RegularFile::open(file).map_err(|error| Problem::of_file_error(file, &error))?))
}

/// Reads a file of the disk or of the built-in sample into memory.
pub(crate) fn read_text(file: &Path) -> Result<String, Problem> {
    if let Some(text) = sample::find(file) {
        return Ok(text.to_owned());
    }
    let read = || limited::read(file, LARGEST_IN_MEMORY).map_err(|error| Problem::of_file_error(file, &error));
    let bytes = files::read_unchanged(file, read)?;
    String::from_utf8(bytes).map_err(|_| Problem::of_file(file, "is not valid UTF-8"))
}
