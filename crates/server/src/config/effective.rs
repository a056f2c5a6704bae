//! The values that hold, and where each came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use model_registry_base::parse_duration;

use super::mask::{MASK, mask};
use super::setting::{Setting, SettingType};
use super::value;

const CHECKED: &str = "every value is checked when it is loaded, and settings without a default are read as optional";

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A place in the configuration file.
    File {
        /// `file:line:column`.
        place: String,
    },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(formatter, "--{flag}"),
            Self::Variable(variable) => formatter.write_str(variable),
            Self::File { place } => formatter.write_str(place),
            Self::Default => formatter.write_str("default"),
        }
    }
}

/// A value and where it came from.
#[derive(Clone, Debug)]
pub struct Effective {
    pub(super) kind: SettingType,
    pub(super) values: Vec<String>,
    /// Where the value came from.
    pub origin: Origin,
}

impl Effective {
    /// Returns the value as people may see it.
    pub fn display(&self) -> String {
        match self.kind {
            SettingType::Secret => MASK.to_owned(),
            SettingType::SecretUrl => self.values.iter().map(|text| mask(text)).collect::<Vec<_>>().join(","),
            _ => self.values.join(","),
        }
    }
}

/// The settings that hold.
#[derive(Clone, Default)]
pub struct Settings {
    pub(super) values: BTreeMap<&'static str, Effective>,
    pub(super) order: Vec<&'static str>,
    pub(super) notes: Vec<String>,
}

// Settings end up in logs; only masked values may.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_map().entries(self.shown().map(|(key, value)| (key, value.map(Effective::display)))).finish()
    }
}

impl Settings {
    /// Returns every key in the order of declaration, with its value if it has one.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, Option<&Effective>)> {
        self.order.iter().map(|key| (*key, self.values.get(key)))
    }

    /// Returns what was noticed on the way: variables that were ignored, likely typing errors.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Logs the notes; they come up before there is a log.
    pub fn log_notes(&self) {
        for note in &self.notes {
            tracing::warn!("{note}");
        }
    }

    /// Returns a value and its origin.
    pub fn find(&self, setting: &Setting) -> Option<&Effective> {
        self.values.get(setting.key)
    }

    /// Tells whether somebody chose the value, rather than it being the default.
    pub fn is_chosen(&self, setting: &Setting) -> bool {
        self.find(setting).is_some_and(|value| value.origin != Origin::Default)
    }

    /// Returns a text, path or secret, if there is one; an empty one counts as none.
    pub fn text(&self, setting: &Setting) -> Option<&str> {
        self.find(setting)?.values.first().map(String::as_str).filter(|text| !text.is_empty())
    }

    /// Returns a path, if there is one.
    pub fn path(&self, setting: &Setting) -> Option<&Path> {
        self.text(setting).map(Path::new)
    }

    /// Returns the elements of a list; none is an empty one.
    pub fn list(&self, setting: &Setting) -> &[String] {
        self.find(setting).map_or(&[], |value| &value.values)
    }

    /// Returns a number; the setting must have a default.
    pub fn number(&self, setting: &Setting) -> u64 {
        self.text(setting).and_then(|text| text.parse().ok()).expect(CHECKED)
    }

    /// Returns whether a switch is on; without a value it is off.
    pub fn is_on(&self, setting: &Setting) -> bool {
        self.text(setting).is_some_and(|text| value::boolean(text).expect(CHECKED))
    }

    /// Returns a duration; the setting must have a default.
    pub fn duration(&self, setting: &Setting) -> Duration {
        self.text(setting).and_then(|text| parse_duration(text).ok()).expect(CHECKED)
    }

    /// Returns a size in bytes; the setting must have a default.
    pub fn size(&self, setting: &Setting) -> usize {
        self.text(setting).and_then(value::size).expect(CHECKED)
    }

    /// Returns a fraction; the setting must have a default.
    pub fn fraction(&self, setting: &Setting) -> f64 {
        self.text(setting).and_then(value::fraction).expect(CHECKED)
    }
}
