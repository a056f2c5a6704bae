//! Asks before something is taken away.

use std::io::{BufRead, IsTerminal, Write};

use clap::{Arg, ArgAction, ArgMatches};

use crate::failure::CommandError;

pub(crate) fn yes_argument() -> Arg {
    Arg::new("yes").short('y').long("yes").action(ArgAction::SetTrue).help("Do not ask")
}

/// Fails unless `--yes` was passed or somebody says yes.
pub(crate) fn confirm(arguments: &ArgMatches, question: &str) -> anyhow::Result<()> {
    if arguments.get_flag("yes") {
        return Ok(());
    }
    let (stdin, mut stderr) = (std::io::stdin(), std::io::stderr());
    if !(stdin.is_terminal() && stderr.is_terminal()) {
        return Err(CommandError::usage("there is nobody to ask: this is no terminal").hint("pass --yes").into());
    }
    write!(stderr, "{question} [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer)?;
    if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(CommandError::failed("nothing was changed").into())
}
