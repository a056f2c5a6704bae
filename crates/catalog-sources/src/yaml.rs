//! YAML as people write it, read with limits, and errors that say where.
//!
//! A value is made of the parser's events first (`compose.rs`) and read as a structure then (`typed.rs`): so a value that is
//! not what it should be harms nothing but itself.

mod breach;
mod compose;
mod input;
mod scalar;
mod tree;
mod typed;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use granit_parser::Event;
use serde::de::DeserializeOwned;

pub(crate) use self::breach::Breach;
use self::compose::Composer;
pub(crate) use self::tree::Node;
pub use self::tree::Place;
pub(crate) use self::typed::{Mistake, UnknownKey};
use crate::sample;

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct Problem {
    /// `file:line:column`, as editors understand it, or the file alone.
    pub place: String,
    pub reason: String,
}

impl Problem {
    pub fn at(file: &Path, place: Place, reason: impl Into<String>) -> Self {
        let place = format!("{}:{}:{}", file.display(), place.line, place.column);
        Self { place, reason: one_line(reason.into()) }
    }

    pub fn of_file(file: &Path, reason: impl Into<String>) -> Self {
        Self { place: file.display().to_string(), reason: one_line(reason.into()) }
    }

    fn of_mistake(file: &Path, mistake: &Mistake) -> Self {
        match mistake.place() {
            Some(place) => Self::at(file, place, mistake.to_string()),
            None => Self::of_file(file, mistake.to_string()),
        }
    }
}

/// A reason quotes what people wrote.
fn one_line(reason: String) -> String {
    if !reason.contains(char::is_control) {
        return reason;
    }
    let escaped = |character: char| {
        if character.is_control() { character.escape_debug().to_string() } else { character.to_string() }
    };
    reason.chars().map(escaped).collect()
}

/// How much text a file may come to, aliases written out.
#[derive(Clone, Copy)]
pub(crate) enum MostText {
    /// A file that the server is configured to read: a catalog of some hundred thousand models.
    OfSource = 1 << 30,
    /// Anything else: what a client sends, and files of settings.
    OfRequest = 64 << 20,
}

/// What becomes of an unknown key that does no harm.
pub(crate) const DOES_NOTHING: &str = ": it does nothing";

/// A value of a file.
#[derive(Clone, Copy)]
pub(crate) struct Entry<'a> {
    pub file: &'a Path,
    pub node: &'a Node,
}

impl<'a> Entry<'a> {
    /// What is wrong with the value as a whole.
    pub(crate) fn problem(self, reason: impl Display) -> Problem {
        Problem::at(self.file, self.node.place, reason.to_string())
    }

    /// What is wrong somewhere else in the file.
    pub(crate) fn problem_at(self, place: Option<Place>, reason: impl Display) -> Problem {
        Problem::at(self.file, place.unwrap_or(self.node.place), reason.to_string())
    }

    /// The rule that something in it breaks.
    pub(crate) fn problem_of(self, breach: &Breach) -> Problem {
        self.problem_at(Some(breach.place(self)), &breach.reason)
    }

    /// Reads the value, and tells the keys that nothing has.
    pub(crate) fn read<T: DeserializeOwned>(self) -> (Result<T, Mistake>, Vec<UnknownKey>) {
        typed::read(self.node)
    }

    pub(crate) fn get(self, key: &str) -> Option<Entry<'a>> {
        self.node.get(key).map(|node| Entry { node, ..self })
    }
}

/// Reads a document as a whole; an empty file has none.
pub(crate) fn document(file: &Path, text: &str) -> Result<Option<Node>, Problem> {
    let mut composer = Composer::new(text.as_bytes(), MostText::OfRequest);
    let read = composer.begin().and_then(|first| {
        let node = first.map(|first| composer.item(first, 0)).transpose()?;
        composer.finish()?;
        Ok(node.filter(|node| !node.is_null()))
    });
    read.map_err(|mistake| Problem::of_mistake(file, &mistake))
}

/// Reads a document as one structure; keys that it does not have do not matter.
pub fn read<T: DeserializeOwned + Default>(file: &Path, text: &str) -> Result<T, Problem> {
    let Some(node) = document(file, text)? else { return Ok(T::default()) };
    let (read, _) = typed::read(&node);
    read.map_err(|mistake| Problem::of_mistake(file, &mistake))
}

/// A file that is a mapping with one list in it.
#[derive(Clone, Copy)]
pub(crate) struct ListFile {
    /// The key of the list.
    pub list: &'static str,
    /// All keys that mean something.
    pub keys: &'static [&'static str],
    pub unknown_keys: UnknownKeys,
}

/// What becomes of a key that means nothing.
#[derive(Clone, Copy)]
pub(crate) enum UnknownKeys {
    /// The file is not used.
    Refused,
    /// It is told.
    DoesNothing,
}

impl ListFile {
    /// Reads the list item by item, so that no more than one of them is in memory, until one is refused. The answer is what
    /// is told of the keys beside the list.
    pub(crate) fn read(
        self,
        file: &Path,
        reader: impl Read,
        most: MostText,
        mut each: impl FnMut(Entry<'_>) -> Result<(), Problem>,
    ) -> Result<Vec<Problem>, Problem> {
        let failed = |mistake: Mistake| Problem::of_mistake(file, &mistake);
        let mut told = Vec::new();
        let mut composer = Composer::new(reader, most);
        match composer.begin().map_err(failed)? {
            None => return Ok(told),
            Some((Event::MappingStart(..), _)) => {}
            Some(first) => {
                let place = first.1;
                let node = composer.item(first, 0).map_err(failed)?;
                composer.finish().map_err(failed)?;
                if node.is_null() {
                    return Ok(told);
                }
                return Err(Problem::at(file, place, format!("expected a map with the list `{}`", self.list)));
            }
        }
        let mut lines: HashMap<String, usize> = HashMap::new();
        loop {
            let first = composer.next().map_err(failed)?;
            if matches!(first.0, Event::MappingEnd) {
                break;
            }
            let key = composer.item(first, 1).map_err(failed)?;
            let text = key.text().unwrap_or_default();
            if let Some(line) = lines.insert(text.to_owned(), key.place.line) {
                let reason = format!("`{text}`: the key is there already, in line {line}");
                return Err(Problem::at(file, key.place, reason));
            }
            let first = composer.next().map_err(failed)?;
            if text == self.list {
                self.read_list(file, &mut composer, first, &mut each)?;
                continue;
            }
            let _value = composer.item(first, 1).map_err(failed)?;
            if !self.keys.contains(&text) {
                let unknown = UnknownKey::new(key.place, text, self.keys);
                match self.unknown_keys {
                    UnknownKeys::Refused => return Err(Problem::at(file, key.place, unknown.to_string())),
                    UnknownKeys::DoesNothing => {
                        told.push(Problem::at(file, key.place, unknown.with(DOES_NOTHING)));
                    }
                }
            }
        }
        composer.finish().map_err(failed)?;
        Ok(told)
    }

    /// The list, which may be null.
    fn read_list<R: Read>(
        self,
        file: &Path,
        composer: &mut Composer<R>,
        first: (Event<'static>, Place),
        each: &mut impl FnMut(Entry<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let failed = |mistake: Mistake| Problem::of_mistake(file, &mistake);
        if !matches!(first.0, Event::SequenceStart(..)) {
            let node = composer.item(first, 1).map_err(failed)?;
            if node.is_null() {
                return Ok(());
            }
            return Err(Problem::at(
                file,
                node.place,
                format!("`{}`: expected a list, found {}", self.list, node.what()),
            ));
        }
        loop {
            let first = composer.next().map_err(failed)?;
            if matches!(first.0, Event::SequenceEnd) {
                return Ok(());
            }
            let node = composer.item(first, 2).map_err(failed)?;
            each(Entry { file, node: &node })?;
        }
    }
}

/// Opens a file; the built-in sample has paths of its own.
pub(crate) fn open(file: &Path) -> Result<Box<dyn Read>, Problem> {
    if let Some(text) = sample::find(file) {
        return Ok(Box::new(text.as_bytes()));
    }
    let opened = File::open(file).map_err(|error| Problem::of_file(file, format!("cannot be read: {error}")))?;
    Ok(Box::new(BufReader::with_capacity(1 << 16, opened)))
}

/// Reads a file as text; the built-in sample has paths of its own.
pub(crate) fn read_text(file: &Path) -> Result<String, Problem> {
    if let Some(text) = sample::find(file) {
        return Ok(text.to_owned());
    }
    let bytes = std::fs::read(file).map_err(|error| Problem::of_file(file, format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| Problem::of_file(file, "is not UTF-8 text"))
}
