//! `cargo xtask check`: static checks of the source.

use std::time::Instant;

use anyhow::{Result, bail};
use lexopt::prelude::*;

use crate::dependencies::Output;
use crate::programs::Program;
use crate::{dependencies, features, file_sizes, process, programs, unused_dependencies};

pub(crate) const HELP: &str = "\
Check formatting, lints, documentation, file sizes and dependencies

Usage: cargo xtask check [--install]

Options:
  --install  Install cargo-deny if it is missing, into the user's cache folder (about a minute)";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    install: bool,
}

impl Arguments {
    /// Returns `None` if help is requested.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>> {
        let mut parsed = Self { install: false };
        while let Some(argument) = parser.next()? {
            match argument {
                Long("install") => parsed.install = true,
                Long("help") | Short('h') => return Ok(None),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(Some(parsed))
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    process::handle_signals()?;
    if arguments.install {
        programs::require(&[Program::CargoDeny], true)?;
    }
    steps(Output::Everything, Lints::Separate).finish()
}

/// Runs the checks next to other work, after a compilation with lints: with low priority, and without output except for
/// [`Report::finish`].
pub(crate) fn after_linted_build() -> Report {
    steps(Output::Failures, Lints::WithCompilation)
}

/// How the source is checked by clippy and rustdoc.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lints {
    Separate,
    /// It was already: see [`crate::linted_build`].
    WithCompilation,
}

fn steps(output: Output, lints: Lints) -> Report {
    let complete = |arguments: &[&str], variable: Option<(&str, &str)>| match output {
        Output::Everything => process::complete(process::cargo(arguments).envs(variable)),
        Output::Failures => process::complete_quietly(process::low_priority_cargo(arguments).envs(variable), None),
    };
    let mut report = Report::default();
    report.step("formatting", || complete(&["fmt", "--all", "--check"], None));
    report.step("file sizes", file_sizes::check);
    report.step("unused dependencies", unused_dependencies::check);
    report.step("features", features::check);
    match lints {
        Lints::Separate => {
            report.step("lints", || {
                complete(&["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"], None)
            });
            report.step("documentation", || {
                complete(&["doc", "--workspace", "--no-deps", "--locked"], Some(("RUSTDOCFLAGS", "-D warnings")))
            });
        }
        Lints::WithCompilation => {
            report.lines.push("  lints and documentation: passed with the compilation".to_owned());
        }
    }
    report.step("dependencies", || dependencies::check(output));
    report
}

/// Runs every step, also after a failure, and reports all of them at the end.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<String>,
    failed: usize,
}

impl Report {
    pub(crate) fn step(&mut self, name: &str, step: impl FnOnce() -> Result<()>) {
        if process::is_stopped() {
            return;
        }
        let start = Instant::now();
        let result = step();
        let seconds = start.elapsed().as_secs();
        match result {
            Ok(()) => self.lines.push(format!("  {name}: passed ({seconds} s)")),
            Err(error) => {
                self.failed += 1;
                self.lines.push(format!("  {name}: FAILED ({seconds} s): {error:#}"));
            }
        }
    }

    /// Prints the result of each step; a failed step is an error.
    pub(crate) fn finish(self) -> Result<()> {
        if !self.lines.is_empty() {
            eprintln!("checks:\n{}", self.lines.join("\n"));
        }
        if self.failed > 0 {
            bail!("{} of {} checks failed", self.failed, self.lines.len());
        }
        Ok(())
    }
}
