//! Notes on standard error, which `--quiet` suppresses.

use std::time::Duration;

use clap::ArgMatches;
use model_registry_client::Notice;

use crate::output::printable;

/// Retries within this time are not reported.
const SHORT: Duration = Duration::from_secs(2);

/// Whether notes are printed. They go to standard error, whether or not that is a terminal, so that logs of scripts have them
/// too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notes {
    is_quiet: bool,
}

impl Notes {
    pub(crate) fn of(arguments: &ArgMatches) -> Self {
        Self { is_quiet: arguments.try_get_one::<bool>("quiet").ok().flatten().copied().unwrap_or(false) }
    }

    pub(crate) fn print(self, text: &str) {
        if !self.is_quiet {
            eprintln!("note: {}", printable(text));
        }
    }

    /// Reports that a request takes longer than usual.
    pub(crate) fn notice(self, notice: &Notice<'_>) {
        let is_short = match notice {
            Notice::Retrying { wait, elapsed, .. } => *elapsed + *wait < SHORT,
            _ => false,
        };
        if !is_short {
            self.print(&notice.to_string());
        }
    }
}
