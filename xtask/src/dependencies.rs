//! What the project depends on: licences, bans, sources and known vulnerabilities, by `deny.toml`.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use model_registry_testkit::find_program;
use tokio::process::Command;

use crate::cargo;

/// How the program comes to this machine; it is built from its source, which takes about two minutes.
pub(crate) const INSTALL: &str = "cargo install --locked cargo-deny@0.20.2";
/// How long the list of vulnerabilities may take to come.
const FETCH_TIMEOUT: Duration = Duration::from_mins(2);

/// cargo-deny, wherever it is installed.
pub(crate) fn find_cargo_deny() -> Option<PathBuf> {
    find_program("cargo-deny", &[tools().join("bin")])
}

/// Installs cargo-deny into `target/tools`.
pub(crate) async fn install_cargo_deny() -> Result<()> {
    let mut install = cargo::command(INSTALL.split(' ').skip(1).chain(["--root"]));
    // Apart from the workspace's own artifacts: nothing of it can be used again.
    let build = tools().join("build");
    install.arg(tools()).env("CARGO_TARGET_DIR", &build);
    cargo::complete(&mut install).await?;
    Ok(std::fs::remove_dir_all(build)?)
}

/// How much is told while nothing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Telling {
    /// Warnings too: which crates are there in several versions, and who uses which.
    Everything,
    Failures,
}

/// Checks all of them.
pub(crate) async fn check(telling: Telling) -> Result<()> {
    let Some(program) = find_cargo_deny() else {
        bail!("cargo-deny is not installed: install it with `{INSTALL}`, or give `--install` to have it done");
    };
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(cargo::root()).kill_on_drop(true).args(arguments);
        command
    };
    let complete = async |mut command: Command| match telling {
        Telling::Everything => cargo::complete(&mut command).await,
        Telling::Failures => cargo::complete_quietly(&mut command).await,
    };
    complete(command(&["--locked", "check", "bans", "licenses", "sources"])).await?;
    if let Err(error) = fetch_advisories(&mut command(&["fetch", "db"])).await {
        let reason = format!("{error:#}");
        let reason = reason.lines().find_map(|line| line.split_once("[ERROR] ")).map_or("no reason", |(_, told)| told);
        eprintln!("known vulnerabilities are not looked up: {reason}");
        return Ok(());
    }
    complete(command(&["--locked", "check", "--disable-fetch", "advisories"])).await
}

/// The list is a repository on GitHub and nowhere else: a machine that does not get there does without.
async fn fetch_advisories(command: &mut Command) -> Result<()> {
    let fetching = tokio::time::timeout(FETCH_TIMEOUT, cargo::complete_quietly(command));
    fetching.await.context("[ERROR] fetching their list takes too long")?
}

fn tools() -> PathBuf {
    cargo::target().join("tools")
}
