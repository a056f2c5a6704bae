//! Confirmation of commands, by prompt or `--yes`.

use std::io::{BufRead, IsTerminal, Write};

use clap::{Arg, ArgAction, ArgMatches};

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
