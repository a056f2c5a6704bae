//! `cargo xtask abuse`: builds the executable, causes faults and misuses it.

use std::ffi::OsString;

use anyhow::Result;

use crate::process;

pub(crate) const HELP: &str = "\
Cause faults and misuse the executable, and compare the effects with limits

Usage: cargo xtask abuse [ARGUMENTS]...

ARGUMENTS are those of the program; `cargo xtask abuse -- --help` lists them. `--short` runs the part that CI runs, with the
debug build; without it, the release build is tested. `--executable FILE` tests another one, and nothing is built.";

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// Arguments of the program.
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

    /// The profile to build the executable with; `None` if it is given, or nothing is run.
    fn profile(&self) -> Option<&'static str> {
        let has = |option: &str| self.rest.iter().filter_map(|word| word.to_str()).any(|word| word.starts_with(option));
        match () {
            () if has("--executable") || has("--list") || has("--help") => None,
            () if has("--short") => Some("debug"),
            () => Some("release"),
        }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    process::handle_signals()?;
    let mut abuse = process::cargo(["run", "--quiet", "--package", "model-registry-abuse", "--"]);
    if let Some(profile) = arguments.profile() {
        let mut build = process::cargo(["build", "--package", "model-registry"]);
        process::complete(build.args((profile == "release").then_some("--release")))?;
        abuse.arg("--executable").arg(process::target().join(profile).join("model-registry"));
    }
    process::complete(abuse.args(&arguments.rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_executable_is_built_unless_it_is_given() {
        let profile = |line: &str| Arguments { rest: line.split_whitespace().map(OsString::from).collect() }.profile();
        assert_eq!(profile("--only kill"), Some("release"));
        assert_eq!(profile("--short --only kill"), Some("debug"));
        assert_eq!(profile("--short --executable=x"), None);
        assert_eq!(profile("--list"), None);
    }
}
