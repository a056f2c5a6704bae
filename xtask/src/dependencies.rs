//! Checks the dependencies with cargo-deny: licences, bans, sources and known vulnerabilities, as `deny.toml` says.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use anyhow::{Context, Result, bail};
use model_registry_programs::find_program;

use crate::process;

const VERSION: &str = "0.20.2";
pub(crate) const INSTALL: &str = "cargo install --locked cargo-deny@0.20.2";
/// The maximum time for fetching the list of vulnerabilities.
const FETCH_TIMEOUT: Duration = Duration::from_mins(2);

/// cargo-deny, from `PATH` or from the cache folder.
pub(crate) fn find_cargo_deny() -> Option<PathBuf> {
    find_program("cargo-deny", &[cache().join("bin")])
}

/// Builds cargo-deny from its source and installs it into the cache folder.
///
/// Without the optimisation of its release profile: it runs for seconds, and is compiled in a third of the time.
pub(crate) fn install_cargo_deny() -> Result<()> {
    let directory = cache();
    let build = directory.join("build");
    let mut install = process::cargo(INSTALL.split(' ').skip(1));
    install.arg("--debug").arg("--root").arg(&directory);
    install.env("CARGO_TARGET_DIR", &build).env("CARGO_PROFILE_DEV_DEBUG", "false");
    process::complete(&mut install)?;
    fs::remove_dir_all(build).context("cannot remove the build folder of cargo-deny")
}

/// The folder of this version.
fn cache() -> PathBuf {
    cache_of(&format!("cargo-deny-{VERSION}"))
}

/// A folder in the user's cache folder, which CI may keep between runs.
pub(crate) fn cache_of(name: &str) -> PathBuf {
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".cache"));
    let caches = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from).or_else(home);
    caches.unwrap_or_else(process::target).join("model-registry").join(name)
}

/// The output of a successful check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Warnings included: libraries with several versions, and their users.
    Everything,
    Failures,
}

pub(crate) fn check(output: Output) -> Result<()> {
    let Some(program) = find_cargo_deny() else {
        bail!("cargo-deny is not installed: use `--install`, or install it with `{INSTALL}`");
    };
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(process::root()).args(arguments);
        command
    };
    let complete = |mut command: Command| match output {
        Output::Everything => process::complete(&mut command),
        Output::Failures => process::complete_quietly(&mut command, None),
    };
    complete(command(&["--locked", "check", "bans", "licenses", "sources"]))?;
    // The list is a repository on GitHub: a machine without access to it skips this part.
    if let Err(error) = process::complete_quietly(&mut command(&["fetch", "db"]), Some(FETCH_TIMEOUT)) {
        let error = format!("{error:#}");
        let reason = error.lines().find_map(|line| line.split_once("[ERROR] ")).map(|(_, reason)| reason);
        let reason = reason.or_else(|| error.lines().next()).unwrap_or_default();
        eprintln!("known vulnerabilities are not checked, their list cannot be fetched: {reason}");
        return Ok(());
    }
    complete(command(&["--locked", "check", "--disable-fetch", "advisories"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_installed_version_is_the_cached_one() {
        assert!(INSTALL.ends_with(&format!("@{VERSION}")));
    }
}
