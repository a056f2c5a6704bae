//! `cargo xtask bench`: builds with optimisation and measures.

use std::ffi::OsString;

use anyhow::Result;

use crate::process;

pub(crate) const HELP: &str = "\
Measure the executable under load and the database on its own

Usage: cargo xtask bench [ARGUMENTS]...

ARGUMENTS are those of the benchmark; `cargo xtask bench -- --help` lists them.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Arguments of the benchmark.
    rest: Vec<OsString>,
}

impl Arguments {
    /// Returns `None` if help is requested.
    pub(crate) fn parse(parser: &mut lexopt::Parser) -> Result<Option<Self>> {
        let mut words = parser.raw_args()?.peekable();
        if words.peek().is_some_and(|word| word == "--help" || word == "-h") {
            return Ok(None);
        }
        words.next_if(|word| word == "--");
        Ok(Some(Self { rest: words.collect() }))
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    process::handle_signals()?;
    process::complete(&mut process::cargo(["build", "--release", "--package", "model-registry"]))?;
    let mut bench = process::cargo(["run", "--release", "--package", "model-registry-bench", "--"]);
    process::complete(bench.args(&arguments.rest))
}
