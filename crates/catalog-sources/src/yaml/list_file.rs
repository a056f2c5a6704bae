//! Files that are a map with one long list, read item by item: only one item is in memory at a time.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use granit_parser::Event;

use super::composer::Composer;
use super::{Entry, IGNORED, ReadError, TextLimit, UnknownKey};
use crate::problem::{Position, Problem};

/// The shape of such a file.
#[derive(Clone, Copy)]
pub(crate) struct ListFile {
    /// The key of the list.
    pub(crate) list: &'static str,
    /// Further known keys.
    pub(crate) other_keys: &'static [&'static str],
    pub(crate) unknown_keys: UnknownKeys,
}

/// How unknown keys are treated.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnknownKeys {
    /// The file is unusable.
    Rejected,
    /// The key is ignored with a notice.
    Ignored,
}

impl ListFile {
    /// Calls `each` for every item of the list, and stops at its first error. Returns notices about unknown keys next to the
    /// list.
    pub(crate) fn read(
        self,
        file: &Path,
        reader: impl Read,
        limit: TextLimit,
        mut each: impl FnMut(Entry<'_>) -> Result<(), Problem>,
    ) -> Result<Vec<Problem>, Problem> {
        let failed = |error: ReadError| Problem::of_read_error(file, &error);
        let mut notices = Vec::new();
        let mut composer = Composer::new(reader, limit);
        match composer.begin().map_err(failed)? {
            None => return Ok(notices),
            Some((Event::MappingStart(..), _)) => {}
            Some(first) => {
                let position = first.1;
                let node = composer.item(first, 0).map_err(failed)?;
                composer.finish().map_err(failed)?;
                if node.is_null() {
                    return Ok(notices);
                }
                return Err(Problem::at(file, position, format!("expected a map with the list `{}`", self.list)));
            }
        }
        let mut lines: HashMap<String, usize> = HashMap::new();
        loop {
            let first = composer.next().map_err(failed)?;
            if matches!(first.0, Event::MappingEnd) {
                break;
            }
            let key = composer.item(first, 1).map_err(failed)?;
            let name = key.as_str().unwrap_or_default();
            if let Some(line) = lines.insert(name.to_owned(), key.position.line) {
                let reason = format!("`{name}`: duplicate key, first in line {line}");
                return Err(Problem::at(file, key.position, reason));
            }
            let first = composer.next().map_err(failed)?;
            if name == self.list {
                self.read_list(file, &mut composer, first, &mut each)?;
                continue;
            }
            let _value = composer.item(first, 1).map_err(failed)?;
            if !self.other_keys.contains(&name) {
                let known: Vec<&str> = self.other_keys.iter().copied().chain([self.list]).collect();
                let unknown = UnknownKey::new(key.position, name, &known);
                match self.unknown_keys {
                    UnknownKeys::Rejected => return Err(Problem::at(file, key.position, unknown.to_string())),
                    UnknownKeys::Ignored => notices.push(Problem::at(file, key.position, unknown.with(IGNORED))),
                }
            }
        }
        composer.finish().map_err(failed)?;
        Ok(notices)
    }

    /// Reads the list, which may be null.
    fn read_list<R: Read>(
        self,
        file: &Path,
        composer: &mut Composer<R>,
        first: (Event<'static>, Position),
        each: &mut impl FnMut(Entry<'_>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let failed = |error: ReadError| Problem::of_read_error(file, &error);
        if !matches!(first.0, Event::SequenceStart(..)) {
            let node = composer.item(first, 1).map_err(failed)?;
            if node.is_null() {
                return Ok(());
            }
            let reason = format!("`{}`: expected a list, found {}", self.list, node.describe());
            return Err(Problem::at(file, node.position, reason));
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
