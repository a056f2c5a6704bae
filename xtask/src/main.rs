//! The tasks of the project: `cargo xtask run`, `test`, `check`, `databases`, `bench`, `abuse`.
//!
//! **What this is.** Starts, tests and checks the project on a machine with Rust and nothing else, for newcomers and CI.
//! **What it never does.** It installs nothing without `--install` (it reports what is missing and the command that installs
//! it), and uses no server that it did not start. It has few and small dependencies, because it is compiled before anything
//! else. **How to add one more task.** A file in this folder with the task's `HELP`, `Arguments` and `run`, and a line in
//! [`Task`], [`HELP`] and [`parse`].

mod abuse;
mod bench;
mod check;
mod databases;
mod dependencies;
mod features;
mod file_sizes;
mod foreign;
mod linted_build;
mod process;
mod programs;
mod python;
mod run;
mod test;
mod unused_dependencies;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};
use lexopt::prelude::*;

const HELP: &str = "\
Tasks of the project

Usage: cargo xtask <TASK> [OPTIONS]

Tasks:
  run        Build the executable and start everything on one port, with one SQLite file
  test       Start temporary databases and run all tests
  check      Check formatting, lints, documentation, file sizes and dependencies
  databases  Start temporary databases and keep them, to run single tests with cargo
  bench      Measure the executable under load and the database on its own
  abuse      Cause faults and misuse the executable, and compare the effects with limits

`cargo xtask <TASK> --help` lists the options of a task.";

#[derive(Debug, PartialEq, Eq)]
enum Task {
    Run(run::Arguments),
    Test(test::Arguments),
    Check(check::Arguments),
    Databases(databases::Arguments),
    Bench(bench::Arguments),
    Abuse(abuse::Arguments),
    Help(&'static str),
}

fn main() -> ExitCode {
    if let Some(compiled) = linted_build::run_as_compiler() {
        return compiled;
    }
    let result = parse(std::env::args_os().skip(1)).and_then(start);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Task> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let task = match parser.next()? {
        Some(Value(task)) => task.string()?,
        Some(Long("help") | Short('h')) => return Ok(Task::Help(HELP)),
        Some(other) => return Err(other.unexpected().into()),
        None => bail!("no task given\n\n{HELP}"),
    };
    let parsed = match task.as_str() {
        "run" => run::Arguments::parse(&mut parser)?.map(Task::Run).ok_or(run::HELP),
        "test" => test::Arguments::parse(&mut parser)?.map(Task::Test).ok_or(test::HELP),
        "check" => check::Arguments::parse(&mut parser)?.map(Task::Check).ok_or(check::HELP),
        "databases" => databases::Arguments::parse(&mut parser)?.map(Task::Databases).ok_or(databases::HELP),
        "bench" => bench::Arguments::parse(&mut parser)?.map(Task::Bench).ok_or(bench::HELP),
        "abuse" => abuse::Arguments::parse(&mut parser)?.map(Task::Abuse).ok_or(abuse::HELP),
        _ => bail!("unknown task `{task}`\n\n{HELP}"),
    };
    Ok(parsed.unwrap_or_else(Task::Help))
}

fn start(task: Task) -> Result<()> {
    match task {
        Task::Run(arguments) => run::run(&arguments),
        Task::Test(arguments) => test::run(&arguments),
        Task::Check(arguments) => check::run(&arguments),
        Task::Databases(arguments) => databases::run(&arguments),
        Task::Bench(arguments) => bench::run(&arguments),
        Task::Abuse(arguments) => abuse::run(&arguments),
        Task::Help(text) => {
            eprintln!("{text}");
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Task> {
        parse(line.split_whitespace().skip(2).map(OsString::from))
    }

    /// They build the project, so no test runs them: this one parses them.
    #[test]
    fn every_task_in_the_documentation_can_be_parsed() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let mut commands = 0;
        for page in pages.chain(["README.md", "CONTRIBUTING.md"].map(|page| root.join(page))) {
            let text = std::fs::read_to_string(&page).unwrap();
            for line in text.lines().filter(|line| line.starts_with("cargo xtask ")) {
                let command = line.split_once(" #").map_or(line, |(command, _)| command);
                let parsed = parse_line(command);
                assert!(parsed.is_ok(), "{}: {line}: {:?}", page.display(), parsed.unwrap_err());
                commands += 1;
            }
        }
        assert!(commands > 5, "only {commands} commands were found");
    }

    #[test]
    fn every_task_has_help() {
        for task in HELP.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().next()) {
            let parsed = parse_line(&format!("cargo xtask {task} --help")).unwrap();
            assert!(matches!(parsed, Task::Help(text) if text.contains(&format!("cargo xtask {task}"))), "{task}");
        }
    }

    #[test]
    fn unknown_tasks_and_options_are_rejected() {
        for line in ["cargo xtask", "cargo xtask build", "cargo xtask test --quick", "cargo xtask check now"] {
            assert!(parse_line(line).is_err(), "{line}");
        }
    }
}
