//! Files that are a map with one long list, read item by item: only one item is in memory at a time.
//!
//! A file without its list says nothing about what is published, so it is an error: programs that rewrite a file truncate it
//! first. Only an empty list, `[]`, publishes nothing.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use granit_parser::Event;

use super::composer::Composer;
use super::deserializer::is_word;
use super::{Entry, IGNORED, ReadError, TextLimit, UnknownKey};
use crate::problem::{Position, Problem};

/// The shape of such a file.
#[derive(Clone, Copy)]
pub(crate) struct ListFile {
    /// The key of the list.
    pub(crate) list: &'static str,
    /// Further known keys.
    pub(crate) other_keys: &'static [&'static str],
}

impl ListFile {
    /// Calls `each` for every item of the list, and stops at its first error. Returns notices about unknown keys next to the
    /// list, which are ignored.
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
        let start = match composer.begin().map_err(failed)? {
            None => return Err(Problem::of_file(file, self.says_nothing("is empty"))),
            Some((Event::MappingStart(..), position)) => position,
            Some(first) => {
                let position = first.1;
                let node = composer.item(first, 0).map_err(failed)?;
                composer.finish().map_err(failed)?;
                if node.is_null() {
                    return Err(Problem::of_file(file, self.says_nothing("is empty")));
                }
                return Err(Problem::at(file, position, format!("expected a map with the list `{}`", self.list)));
            }
        };
        let mut lines: HashMap<String, usize> = HashMap::new();
        let mut unknown_keys = Vec::new();
        loop {
            let first = composer.next().map_err(failed)?;
            if matches!(first.0, Event::MappingEnd) {
                break;
            }
            let key = composer.item(first, 1).map_err(failed)?;
            let name = key.as_str().unwrap_or_default();
            if let Some(line) = lines.insert(name.to_owned(), key.position.line) {
                let named = if is_word(name) { format!("`{name}`: ") } else { String::new() };
                let reason = format!("{named}duplicate key, first in line {line}");
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
                unknown_keys.push(UnknownKey::new(key.position, name, &known));
            }
        }
        composer.finish().map_err(failed)?;
        if !lines.contains_key(self.list) {
            // Words only: the path may lead to any file of the machine.
            let words = unknown_keys.iter().filter(|unknown| unknown.is_word());
            let found: Vec<String> = words.map(ToString::to_string).collect();
            let found = if found.is_empty() { String::new() } else { format!(" ({})", found.join("; ")) };
            let position = unknown_keys.first().map_or(start, |unknown| unknown.position);
            let reason = self.says_nothing(&format!("lacks the list `{}`{found}", self.list));
            return Err(Problem::at(file, position, reason));
        }
        notices.extend(unknown_keys.iter().map(|unknown| Problem::at(file, unknown.position, unknown.with(IGNORED))));
        Ok(notices)
    }

    /// Reads the list.
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
            let reason = format!("`{}`: expected a list, found {}", self.list, node.describe());
            let reason = if node.is_null() { self.says_nothing(&reason) } else { reason };
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

    /// The reason with the way to publish nothing on purpose.
    fn says_nothing(self, reason: &str) -> String {
        format!("{reason}: nothing is changed; write `{}: []` to publish nothing", self.list)
    }
}
