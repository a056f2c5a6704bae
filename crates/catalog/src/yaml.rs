//! YAML as people write it, read with limits, and errors that say where.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::marker::PhantomData;
use std::path::Path;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Options, Spanned};

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
    pub(crate) fn at(file: &Path, location: Location, reason: impl Into<String>) -> Self {
        let place = format!("{}:{}:{}", file.display(), location.line(), location.column());
        Self { place, reason: reason.into() }
    }

    pub(crate) fn of_file(file: &Path, reason: impl Into<String>) -> Self {
        Self { place: file.display().to_string(), reason: reason.into() }
    }
}

/// How much text a file may come to, aliases written out.
#[derive(Clone, Copy)]
pub(crate) enum MostText {
    /// A file that the server is configured to read: a catalog of some hundred thousand models.
    OfSource = 1 << 30,
    /// Anything else: what a client sends, and files of settings.
    OfRequest = 64 << 20,
}

/// Limits; aliases and nesting stay small, since a small file can grow without bound through them.
fn options(most: MostText) -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(1 << 31),
            max_events: 200_000_000,
            max_nodes: 100_000_000,
            max_total_scalar_bytes: most as usize,
            max_depth: 32,
            max_documents: 1,
            max_aliases: 10_000,
            max_anchors: 10_000,
        },
        with_snippet: false,
    }
}

/// Reads a document.
pub(crate) fn read<T: DeserializeOwned>(file: &Path, text: &str) -> Result<T, Problem> {
    // An empty file has no document at all.
    let text = if text.trim().is_empty() { "{}" } else { text };
    serde_saphyr::from_str_with_options(text, options(MostText::OfRequest)).map_err(|error| problem(file, &error))
}

fn problem(file: &Path, error: &serde_saphyr::Error) -> Problem {
    let reason = error.without_snippet().to_string();
    match error.location() {
        Some(location) => {
            // The position is in front already.
            let suffix = format!(" at line {}, column {}", location.line(), location.column());
            Problem::at(file, location, reason.trim_end_matches(&suffix).to_owned())
        }
        None => Problem::of_file(file, reason),
    }
}

/// A file that is a mapping with one list in it.
#[derive(Clone, Copy)]
pub(crate) struct ListFile {
    /// The key of the list.
    pub(crate) list: &'static str,
    /// All keys that mean something.
    pub(crate) keys: &'static [&'static str],
    pub(crate) unknown_keys: UnknownKey,
}

/// What becomes of a key that means nothing.
#[derive(Clone, Copy)]
pub(crate) enum UnknownKey {
    /// The file is not used.
    Refused,
    /// It is told.
    DoesNothing,
}

impl ListFile {
    /// Reads the list item by item, so that no more than one of them is in memory. The answer is what is told of the keys
    /// beside the list.
    pub(crate) fn read<T: DeserializeOwned>(
        self,
        file: &Path,
        reader: impl Read,
        most: MostText,
        each: impl FnMut(Spanned<T>),
    ) -> Result<Vec<Problem>, Problem> {
        let root = Root { shape: self, each, item: PhantomData };
        let unknown = serde_saphyr::with_deserializer_from_reader_with_options(reader, options(most), |deserializer| {
            deserializer.deserialize_option(root)
        })
        .map_err(|error| problem(file, &error))?;
        let told = |Spanned { value: key, referenced, .. }: Spanned<String>| {
            Problem::at(file, referenced, format!("unknown key `{key}`: it does nothing"))
        };
        Ok(unknown.into_iter().map(told).collect())
    }
}

/// The mapping, or nothing in an empty file.
struct Root<T, F> {
    shape: ListFile,
    each: F,
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(Spanned<T>)> Visitor<'de> for Root<T, F> {
    type Value = Vec<Spanned<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a mapping with the list `{}`", self.shape.list)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_none<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let ListFile { list, keys, unknown_keys } = self.shape;
        let mut unknown = Vec::new();
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            if key.value == list {
                map.next_value_seed(List { each: &mut self.each, item: PhantomData })?;
                continue;
            }
            if !keys.contains(&key.value.as_str()) {
                match unknown_keys {
                    UnknownKey::Refused => return Err(A::Error::unknown_field(&key.value, keys)),
                    UnknownKey::DoesNothing => unknown.push(key),
                }
            }
            map.next_value::<IgnoredAny>()?;
        }
        Ok(unknown)
    }
}

/// The list, which may be null.
struct List<'a, T, F> {
    each: &'a mut F,
    item: PhantomData<T>,
}

impl<'de, T: DeserializeOwned, F: FnMut(Spanned<T>)> DeserializeSeed<'de> for List<'_, T, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de, T: DeserializeOwned, F: FnMut(Spanned<T>)> Visitor<'de> for List<'_, T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(item) = list.next_element()? {
            (self.each)(item);
        }
        Ok(())
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

/// Keys that a structure does not have, to be flattened into it.
#[derive(Debug, Default)]
pub(crate) struct UnknownKeys(pub(crate) Vec<String>);

impl<'de> Deserialize<'de> for UnknownKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = UnknownKeys;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<UnknownKeys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(UnknownKeys(keys))
            }
        }

        deserializer.deserialize_map(Keys)
    }
}

/// Reads a file as text; the built-in sample has paths of its own.
pub(crate) fn read_text(file: &Path) -> Result<String, Problem> {
    if let Some(text) = sample::find(file) {
        return Ok(text.to_owned());
    }
    let bytes = std::fs::read(file).map_err(|error| Problem::of_file(file, format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| Problem::of_file(file, "is not UTF-8 text"))
}
