//! Prompts: confirmation of commands, which `--yes` skips, and secrets.

use std::io::{BufRead, IsTerminal, Read, Write};

use clap::{Arg, ArgAction, ArgMatches};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::failure::CommandError;

pub(crate) fn yes_argument() -> Arg {
    Arg::new("yes").short('y').long("yes").action(ArgAction::SetTrue).help("Skip the confirmation prompt")
}

/// Prompts unless `--yes` is set. Errors: not confirmed, or not a terminal.
pub(crate) fn confirm(arguments: &ArgMatches, question: &str) -> anyhow::Result<()> {
    if arguments.get_flag("yes") {
        return Ok(());
    }
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    if !(stdin.is_terminal() && stderr.is_terminal()) {
        return Err(CommandError::usage("cannot prompt: standard input is not a terminal").hint("pass --yes").into());
    }
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    if matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(CommandError::failed("nothing was changed").into())
}

/// Maximum length of a secret, in bytes.
const LONGEST_SECRET: u64 = 64 * 1024;

/// Reads a secret: a line of the terminal, which is not shown, or all of standard input.
pub(crate) fn secret(question: &str) -> anyhow::Result<String> {
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    let mut text = String::new();
    if stdin.is_terminal() {
        let hidden = HiddenInput::start();
        write!(stderr, "{question} ")?;
        stderr.flush()?;
        let read = stdin.lock().read_line(&mut text);
        drop(hidden);
        writeln!(stderr)?;
        read?;
    } else {
        stdin.lock().take(LONGEST_SECRET).read_to_string(&mut text)?;
    }
    Ok(text.trim().to_owned())
}

/// Input of the terminal is not shown while this exists.
struct HiddenInput(Option<Termios>);

impl HiddenInput {
    fn start() -> Self {
        let Ok(before) = tcgetattr(std::io::stdin()) else { return Self(None) };
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        let is_hidden = tcsetattr(std::io::stdin(), OptionalActions::Flush, &hidden).is_ok();
        Self(is_hidden.then_some(before))
    }
}

impl Drop for HiddenInput {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
        }
    }
}
