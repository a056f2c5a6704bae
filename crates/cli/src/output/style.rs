//! Colours and bold text on terminals.

use model_registry_server::config::Environment;

/// Whether text is styled with escape sequences.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    is_on: bool,
}

impl Style {
    /// On for a terminal, unless `NO_COLOR` is set (<https://no-color.org>) or the terminal has no colours.
    pub(crate) fn new(is_terminal: bool, environment: &Environment) -> Self {
        let is_allowed = environment.get("NO_COLOR").is_none() && environment.get("TERM") != Some("dumb");
        Self { is_on: is_terminal && is_allowed }
    }

    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self { is_on: false }
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

    /// `code` is an SGR parameter (ECMA-48).
    fn paint(self, code: &str, text: &str) -> String {
        if self.is_on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
