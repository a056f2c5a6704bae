//! `cargo xtask check`: everything about the source that a machine can judge without running it.

use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;

use crate::dependencies::Telling;
use crate::programs::Program;
use crate::{cargo, dependencies, file_sizes, programs};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Install cargo-deny into `target/tools` when it is missing (about two minutes).
    #[arg(long)]
    install: bool,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let mut report = Report::default();
    let mut format = cargo::command(["fmt", "--all", "--check"]);
    report.step("formatting", cargo::complete(&mut format)).await;
    report.step("file sizes", async { file_sizes::check() }).await;
    let mut lints = cargo::command(["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]);
    report.step("lints", cargo::complete(&mut lints)).await;
    let mut documentation = cargo::command(["doc", "--workspace", "--no-deps", "--locked"]);
    documentation.env("RUSTDOCFLAGS", "-D warnings");
    report.step("documentation", cargo::complete(&mut documentation)).await;
    let dependencies = async {
        programs::require(&[Program::CargoDeny], arguments.install).await?;
        dependencies::check(Telling::Everything).await
    };
    report.step("dependencies", dependencies).await;
    report.finish()
}

/// Runs every step, so that one run shows all that is wrong.
#[derive(Default)]
struct Report {
    lines: Vec<String>,
    failed: usize,
}

impl Report {
    async fn step(&mut self, name: &str, step: impl Future<Output = Result<()>>) {
        let start = Instant::now();
        let result = step.await;
        let seconds = start.elapsed().as_secs();
        match result {
            Ok(()) => self.lines.push(format!("  {name}: good ({seconds} s)")),
            Err(error) => {
                self.failed += 1;
                self.lines.push(format!("  {name}: BAD ({seconds} s): {error:#}"));
            }
        }
    }

    fn finish(self) -> Result<()> {
        eprintln!("xtask check:\n{}", self.lines.join("\n"));
        if self.failed > 0 {
            bail!("{} of {} checks failed", self.failed, self.lines.len());
        }
        Ok(())
    }
}
