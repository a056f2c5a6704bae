//! `cargo xtask bench`: builds with optimisation and measures.

use std::ffi::OsString;

use anyhow::Result;

use crate::programs::{self, Program};
use crate::{process, python};

pub(crate) const HELP: &str = "\
Measure the executable under load and the database on its own

Usage: cargo xtask bench [ARGUMENTS]...

ARGUMENTS are those of the benchmark; `cargo xtask bench -- --help` lists them. `--transfer` compares with
boto3, for which it creates a Python environment.";

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

impl Arguments {
    /// Whether transfers are measured, which needs other tools to compare with.
    fn measures_transfers(&self) -> bool {
        self.rest.iter().any(|word| word == "--transfer")
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    process::handle_signals()?;
    if arguments.measures_transfers() {
        programs::require(&[Program::DockerRegistry, Program::Skopeo, Program::Python], false)?;
        python::MOTO.prepare()?;
    }
    process::complete(&mut process::cargo(["build", "--release", "--package", "model-registry"]))?;
    let mut bench = process::cargo(["run", "--release", "--package", "model-registry-bench", "--"]);
    if arguments.measures_transfers() {
        let (name, value) = python::MOTO.variable();
        bench.env(name, value);
    }
    process::complete(bench.args(&arguments.rest))
}
