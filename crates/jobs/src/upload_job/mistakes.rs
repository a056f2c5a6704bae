//! Mistakes in the configuration: all of them are reported at once, each with its option.

use std::fmt;

use model_registry_base::redact;

/// What is wrong with one option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub option: String,
    pub reason: String,
    /// Whether the value itself cannot be read: the exit code is that of a parser of arguments.
    pub is_syntax: bool,
}

/// All mistakes of a configuration; nothing was requested, written or copied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl Mistakes {
    pub(crate) fn add(&mut self, option: impl Into<String>, reason: impl AsRef<str>) {
        self.push(option.into(), reason.as_ref(), false);
    }

    pub(crate) fn add_syntax(&mut self, option: impl Into<String>, reason: impl AsRef<str>) {
        self.push(option.into(), reason.as_ref(), true);
    }

    fn push(&mut self, option: String, reason: &str, is_syntax: bool) {
        self.0.push(Mistake { option, reason: redact(reason), is_syntax });
    }

    /// Adds a mistake outside of the options.
    pub fn note(&mut self, option: &str, reason: &str) {
        self.push(option.to_owned(), reason, false);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps the value of a result, and its error as a mistake.
    pub(crate) fn take<T, E: fmt::Display>(&mut self, option: &str, result: Result<T, E>) -> Option<T> {
        result.map_err(|error| self.add(option, error.to_string())).ok()
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        let noun = if count == 1 { "mistake" } else { "mistakes" };
        write!(formatter, "{count} {noun} in the configuration; nothing was changed:")?;
        for Mistake { option, reason, .. } in &self.0 {
            write!(formatter, "\n  {option}: {reason}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
