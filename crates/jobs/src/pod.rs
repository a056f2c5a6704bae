//! What a program in a pod leaves: lines of a log on standard error, and the termination message.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write, stderr};
use std::path::{Path, PathBuf};

use model_registry_base::{Clock, Environment, redact, time::date_and_time};
use model_registry_transfer::{SharedObserver, Stop};

/// The variable with the path of the termination message, and the path without it.
const VARIABLE: &str = "TERMINATION_MESSAGE_PATH";
const DEFAULT: &str = "/dev/termination-log";
/// Kubernetes cuts longer messages.
const LONGEST: usize = 4096;

/// What a program in a pod needs in addition to its arguments or settings.
#[derive(Clone)]
pub struct Inputs {
    pub environment: Environment,
    pub log: Log,
    pub observer: SharedObserver,
    pub stop: Stop,
}

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warning,
    Error,
}

impl Level {
    /// A level of Python's logging, by name in any case or by number; `None` for another text.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(number) = text.trim().parse::<u32>() {
            return Some(match number {
                0..20 => Self::Debug,
                20..30 => Self::Info,
                30..40 => Self::Warning,
                _ => Self::Error,
            });
        }
        match text.trim().to_ascii_lowercase().as_str() {
            "debug" | "notset" | "trace" => Some(Self::Debug),
            "info" => Some(Self::Info),
            "warn" | "warning" => Some(Self::Warning),
            "error" | "critical" | "fatal" => Some(Self::Error),
            _ => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        })
    }
}

/// Lines `time - logger - level - message` on standard error, without secrets.
#[derive(Clone, Debug)]
pub struct Log {
    name: &'static str,
    least: Level,
    clock: Clock,
}

impl Log {
    pub fn new(name: &'static str, least: Level) -> Self {
        Self { name, least, clock: Clock::system() }
    }

    pub fn debug(&self, message: &str) {
        self.line(Level::Debug, message);
    }

    pub fn info(&self, message: &str) {
        self.line(Level::Info, message);
    }

    pub fn warning(&self, message: &str) {
        self.line(Level::Warning, message);
    }

    pub fn error(&self, message: &str) {
        self.line(Level::Error, message);
    }

    fn line(&self, level: Level, message: &str) {
        if level >= self.least {
            let message = redact(message);
            // A name from elsewhere must not add a line that looks like one of ours.
            let message: String =
                message.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
            let _ = writeln!(stderr(), "{} - {} - {level} - {message}", date_and_time(self.clock.now()), self.name);
        }
    }
}

/// The file that Kubernetes shows as the message of an ended container.
#[derive(Clone, Debug)]
pub struct TerminationFile {
    path: PathBuf,
    is_explicit: bool,
}

impl TerminationFile {
    pub fn of(environment: &Environment) -> Self {
        let path = environment.get(VARIABLE);
        Self { path: path.unwrap_or(DEFAULT).into(), is_explicit: path.is_some() }
    }

    /// Whether the message can be written. Outside of Kubernetes the default file does not exist, which is not an error: see
    /// [`Self::write`].
    pub fn check(&self) -> Result<(), String> {
        if !self.is_used() {
            return Ok(());
        }
        let opened = OpenOptions::new().append(true).create(true).open(&self.path);
        opened.map(drop).map_err(|error| format!("{} cannot be written: {error}", self.path.display()))
    }

    /// Writes the message, as a whole up to the limit of Kubernetes; nothing if there is no file for it.
    pub fn write(&self, message: &str) -> io::Result<()> {
        if self.is_used() { fs::write(&self.path, shortened(&redact(message))) } else { Ok(()) }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn is_used(&self) -> bool {
        self.is_explicit || self.path.exists()
    }
}

/// A location for messages: without user, and without the query of a URL, which may be a signature.
pub(crate) fn shown(uri: &str) -> String {
    let is_url = uri.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http"));
    redact(if is_url { uri.split(['?', '#']).next().unwrap_or_default() } else { uri })
}

/// The beginning of a text, within the limit of Kubernetes.
fn shortened(text: &str) -> &str {
    if text.len() <= LONGEST {
        return text;
    }
    let mut end = LONGEST;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_names_in_any_case_and_numbers() {
        for (text, level) in [
            ("INFO", Some(Level::Info)),
            ("info", Some(Level::Info)),
            ("30", Some(Level::Warning)),
            ("10", Some(Level::Debug)),
            ("CRITICAL", Some(Level::Error)),
            ("loud", None),
            ("", None),
        ] {
            assert_eq!(Level::parse(text), level, "{text}");
        }
    }

    #[test]
    fn a_message_is_cut_at_the_limit_of_kubernetes_between_characters() {
        assert_eq!(shortened("short"), "short");
        let text = format!("{}é", "x".repeat(LONGEST - 1));
        assert_eq!(shortened(&text).len(), LONGEST - 1);
    }

    #[test]
    fn the_message_is_written_to_the_file_of_the_variable() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("message");
        let environment = [(VARIABLE, path.to_str().unwrap())].into_iter().collect();
        let file = TerminationFile::of(&environment);
        file.check().unwrap();
        file.write("first, which is longer").unwrap();
        file.write("failed at https://user:hunter2@host/").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("failed at https://") && !text.contains("hunter2"), "{text}");
        let nowhere = [(VARIABLE, "/no/such/directory/message")].into_iter().collect();
        assert!(
            TerminationFile::of(&nowhere).check().unwrap_err().contains("/no/such/directory/message cannot be written")
        );
    }
}
