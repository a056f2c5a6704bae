//! `cargo xtask run`: builds the executable and is replaced by it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;

pub(crate) const HELP: &str = "\
Build the executable and start everything on one port, with one SQLite file

Usage: cargo xtask run [--release] [ARGUMENTS]...

Options:
  --release  Build with optimisation: slower to build, faster to run

ARGUMENTS are those of `model-registry up`; `cargo xtask run -- --help` lists them.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    release: bool,
    /// Arguments of `model-registry up`.
    rest: Vec<OsString>,
}

impl Arguments {
    /// Returns `None` if help is requested.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>> {
        let mut words = parser.raw_args()?.peekable();
        if words.peek().is_some_and(|word| word == "--help" || word == "-h") {
            return Ok(None);
        }
        let release = words.next_if(|word| word == "--release").is_some();
        words.next_if(|word| word == "--");
        Ok(Some(Self { release, rest: words.collect() }))
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut command = Command::new(process::cargo_program());
    // Not in the root of the workspace: the executable resolves relative paths in the caller's folder.
    command
        .arg("run")
        .arg("--manifest-path")
        .arg(process::root().join("Cargo.toml"))
        .args(["--package", "model-registry"]);
    if arguments.release {
        command.arg("--release");
    }
    command.args(["--", "up"]).args(&arguments.rest);
    // Replaces this process, as the executable in turn replaces cargo: it gets the signals, and its exit status is ours.
    Err(command.exec()).context("cannot start cargo")
}
