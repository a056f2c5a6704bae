//! The effective value of every setting, with its origin.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use model_registry_base::{REDACTED, parse_duration, redact_url};

use super::setting::{Setting, SettingType};
use super::value;

const CHECKED: &str = "values are validated when loaded, and settings without a default are read as optional";

/// The origin of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line, without its dashes.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A place in the configuration file.
    File {
        /// `file:line:column`.
        place: String,
    },
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

/// A value with its origin.
#[derive(Clone, Debug)]
pub struct EffectiveValue {
    pub(super) value_type: SettingType,
    pub(super) values: Vec<String>,
    pub origin: Origin,
}

impl EffectiveValue {
    /// The value with its secrets masked.
    pub fn display(&self) -> String {
        match self.value_type {
            SettingType::Secret => REDACTED.to_owned(),
            SettingType::SecretUrl => self.values.iter().map(|text| redact_url(text)).collect::<Vec<_>>().join(","),
            _ => self.values.join(","),
        }
    }
}

/// The effective settings.
#[derive(Clone, Default)]
pub struct Settings {
    pub(super) values: BTreeMap<&'static str, EffectiveValue>,
    pub(super) order: Vec<&'static str>,
    pub(super) notices: Vec<String>,
}

// Settings are logged, so secrets are masked.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_map()
            .entries(self.entries().map(|(key, value)| (key, value.map(EffectiveValue::display))))
            .finish()
    }
}

impl Settings {
    /// Every key in the order of declaration, with its value if set.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Option<&EffectiveValue>)> {
        self.order.iter().map(|key| (*key, self.values.get(key)))
    }

    /// Messages about ignored settings and likely misspellings, found while loading.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }

    /// Logs the notices; settings are loaded before the log starts.
    pub fn log_notices(&self) {
        for notice in &self.notices {
            tracing::warn!("{notice}");
        }
    }

    /// The value of a setting with its origin.
    pub fn find(&self, setting: &Setting) -> Option<&EffectiveValue> {
        self.values.get(setting.key)
    }

    /// Whether the value is set, rather than the default.
    pub fn is_set(&self, setting: &Setting) -> bool {
        self.find(setting).is_some_and(|value| value.origin != Origin::Default)
    }

    /// A string, path or secret; an empty one counts as unset.
    pub fn string(&self, setting: &Setting) -> Option<&str> {
        self.find(setting)?.values.first().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A path; an empty one counts as unset.
    pub fn path(&self, setting: &Setting) -> Option<&Path> {
        self.string(setting).map(Path::new)
    }

    /// The elements of a list; an unset list is empty.
    pub fn list(&self, setting: &Setting) -> &[String] {
        self.find(setting).map_or(&[], |value| &value.values)
    }

    /// A number; the setting must have a default.
    pub fn number(&self, setting: &Setting) -> u64 {
        self.string(setting).and_then(|text| text.parse().ok()).expect(CHECKED)
    }

    /// Whether a switch is on; an unset one is off.
    pub fn is_on(&self, setting: &Setting) -> bool {
        self.string(setting).is_some_and(|text| value::boolean(text).expect(CHECKED))
    }

    /// A duration; the setting must have a default.
    pub fn duration(&self, setting: &Setting) -> Duration {
        self.string(setting).and_then(|text| parse_duration(text).ok()).expect(CHECKED)
    }

    /// A size in bytes; the setting must have a default.
    pub fn size(&self, setting: &Setting) -> usize {
        self.string(setting).and_then(value::size).expect(CHECKED)
    }

    /// A fraction from 0 to 1; the setting must have a default.
    pub fn fraction(&self, setting: &Setting) -> f64 {
        self.string(setting).and_then(value::fraction).expect(CHECKED)
    }
}
