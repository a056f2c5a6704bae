//! YAML as people write it, read with limits, and errors that say where.

use std::path::Path;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Options};

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

/// Limits for a catalog of some hundred thousand models; aliases and nesting stay small, since a small file can grow
/// without bound through them.
fn options() -> Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_events: 50_000_000,
            max_nodes: 25_000_000,
            max_total_scalar_bytes: 1 << 30,
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
    serde_saphyr::from_str_with_options(text, options()).map_err(|error| {
        let reason = error.without_snippet().to_string();
        match error.location() {
            Some(location) => {
                // The position is in front already.
                let suffix = format!(" at line {}, column {}", location.line(), location.column());
                Problem::at(file, location, reason.trim_end_matches(&suffix).to_owned())
            }
            None => Problem::of_file(file, reason),
        }
    })
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
