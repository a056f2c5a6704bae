//! `cargo xtask check`: everything about the source that a machine can judge without running it.

use std::time::Instant;

use anyhow::{Result, bail};
use clap::Args;
use model_registry_testkit::find_program;
use tokio::process::Command;

use crate::{cargo, file_sizes};

const CARGO_DENY: &str = "cargo-deny@0.20.2";

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Install cargo-deny into `target/tools` when it is missing (about two minutes).
    #[arg(long)]
    install: bool,
    /// Look up known vulnerabilities too; fetches their list from the network.
    #[arg(long)]
    advisories: bool,
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
    report.step("dependencies", dependencies(arguments)).await;
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

async fn dependencies(arguments: &Arguments) -> Result<()> {
    let tools = cargo::target().join("tools");
    let further = [tools.join("bin")];
    if find_program("cargo-deny", &further).is_none() {
        if !arguments.install {
            eprintln!(
                "cargo-deny is not installed: dependencies are not checked. Install it with: cargo install --locked {CARGO_DENY}"
            );
            return Ok(());
        }
        let mut install = cargo::command(["install", "--locked", CARGO_DENY, "--root"]);
        // Apart from the workspace's own artifacts: nothing of it can be used again.
        let build = tools.join("build");
        install.arg(&tools).env("CARGO_TARGET_DIR", &build);
        cargo::complete(&mut install).await?;
        std::fs::remove_dir_all(build)?;
    }
    let Some(program) = find_program("cargo-deny", &further) else {
        bail!("cargo-deny is not found after its installation")
    };
    let mut command = Command::new(program);
    command.current_dir(cargo::root()).kill_on_drop(true).args(["--locked", "check", "bans", "licenses", "sources"]);
    if arguments.advisories {
        command.arg("advisories");
    }
    cargo::complete(&mut command).await
}
