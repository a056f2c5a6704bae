//! Colours, for terminals only.

use std::io::IsTerminal;

use model_registry_server::config::Environment;

/// Whether and how texts stand out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    is_on: bool,
}

impl Style {
    /// Off for files and pipes, for `NO_COLOR` (<https://no-color.org>) and for terminals that cannot.
    pub(crate) fn new(is_terminal: bool, environment: &Environment) -> Self {
        let is_wanted = environment.get("NO_COLOR").is_none() && environment.get("TERM") != Some("dumb");
        Self { is_on: is_terminal && is_wanted }
    }

    pub(crate) fn of_errors() -> Self {
        Self::new(std::io::stderr().is_terminal(), &Environment::of_process())
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn hint(self, text: &str) -> String {
        self.paint("1;36", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
