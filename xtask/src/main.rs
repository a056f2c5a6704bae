//! The tasks of the project: `cargo xtask run`, `cargo xtask test`, `cargo xtask check`.
//!
//! **What this is.** What a newcomer and CI need to start, test and check the project, on a machine with Rust and nothing
//! else. **What it never does.** It installs nothing unless `--install` is given (it says what is missing and which command
//! brings it), and touches no server that it did not start. **How to add one more task.** A file beside this one with the
//! task's arguments and its `run`, and a line in [`Task`].

mod bench;
mod cargo;
mod check;
mod dependencies;
mod file_sizes;
mod programs;
mod python;
mod run;
mod test;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use tokio::signal::unix::{SignalKind, signal};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Tasks of the project")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build the executable and start everything on one port, over one SQLite file.
    Run(run::Arguments),
    /// Check the dependencies, start the throw-away databases and run all tests.
    Test(test::Arguments),
    /// Check formatting, lints, documentation, file sizes and dependencies.
    Check(check::Arguments),
    /// Measure the executable under load, beside the limit of its database.
    Bench(bench::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { task } = Arguments::parse();
    // When a signal comes first the task is dropped, and with it every server it has started.
    let result = tokio::select! {
        result = start(task) => result,
        name = interrupted() => Err(anyhow::anyhow!("stopped by {name}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn start(task: Task) -> Result<()> {
    match task {
        Task::Run(arguments) => run::run(&arguments),
        Task::Test(arguments) => test::run(&arguments).await,
        Task::Check(arguments) => check::run(&arguments).await,
        Task::Bench(arguments) => bench::run(&arguments),
    }
}

async fn interrupted() -> &'static str {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// They build the project, so no test runs them; that they are understood is tested here.
    #[test]
    fn every_task_that_the_manual_names_is_understood() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let pages = std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path());
        let mut commands = 0;
        for page in pages.chain([root.join("README.md")]) {
            let text = std::fs::read_to_string(&page).unwrap();
            for line in text.lines().filter(|line| line.starts_with("cargo xtask ")) {
                let command = line.split_once(" #").map_or(line, |(command, _)| command);
                let words = command.split_whitespace().skip(1);
                let parsed = Arguments::try_parse_from(words);
                assert!(parsed.is_ok(), "{}: {line}: {}", page.display(), parsed.unwrap_err());
                commands += 1;
            }
        }
        assert!(commands > 5, "only {commands} commands were found");
    }
}
