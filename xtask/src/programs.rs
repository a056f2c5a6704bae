//! The programs that tasks need, and how they are installed.

use std::process::Stdio;

use anyhow::{Result, bail};
use model_registry_testkit::{Error, MariaDbServer, PostgresServer, find_program};
use tokio::process::Command;

use crate::{cargo, dependencies};

/// A program that is not among the project's own dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Postgres,
    MariaDb,
    /// With the module that makes virtual environments, which Debian ships apart.
    Python,
    /// Built by cargo, not a package of the system.
    CargoDeny,
}

impl Program {
    async fn missing(self) -> Option<Missing> {
        let found = match self {
            Self::Postgres => PostgresServer::find(),
            Self::MariaDb => MariaDbServer::find(),
            Self::Python => return (!has_python().await).then_some(PYTHON),
            Self::CargoDeny => return dependencies::find_cargo_deny().is_none().then_some(CARGO_DENY),
        };
        match found {
            Err(Error::Missing { what, install }) => Some(Missing { what, install }),
            _ => None,
        }
    }
}

struct Missing {
    what: &'static str,
    install: &'static str,
}

const PYTHON: Missing =
    Missing { what: "python3 with venv", install: "apt-get install -y --no-install-recommends python3 python3-venv" };

const CARGO_DENY: Missing = Missing { what: "cargo-deny", install: dependencies::INSTALL };

/// Makes sure that the programs are there: installs what is missing when told to, else says what is missing and how to
/// install it.
pub(crate) async fn require(programs: &[Program], install: bool) -> Result<()> {
    let missing = find_missing(programs).await;
    if missing.is_empty() {
        return Ok(());
    }
    if !install {
        let list: Vec<String> = missing.iter().map(|one| format!("  {}: {}", one.what, one.install)).collect();
        bail!("not installed here:\n{}\nInstall them so, or give `--install` to have it done", list.join("\n"));
    }
    let (built, packaged): (Vec<_>, Vec<_>) = missing.iter().partition(|one| one.what == CARGO_DENY.what);
    if !packaged.is_empty() {
        system("apt-get update -q").await?;
    }
    for one in packaged {
        system(one.install).await?;
    }
    if !built.is_empty() {
        dependencies::install_cargo_deny().await?;
    }
    if let Some(one) = find_missing(programs).await.first() {
        bail!("{} is still not found after: {}", one.what, one.install);
    }
    Ok(())
}

async fn find_missing(programs: &[Program]) -> Vec<Missing> {
    let mut missing = Vec::new();
    for program in programs {
        missing.extend(program.missing().await);
    }
    missing
}

async fn has_python() -> bool {
    let modules = ["-c", "import ensurepip, venv"];
    let status = Command::new("python3").args(modules).stdin(Stdio::null()).stderr(Stdio::null()).status().await;
    status.is_ok_and(|status| status.success())
}

/// Runs a command line that needs the administrator's rights. Its words hold no spaces.
async fn system(line: &str) -> Result<()> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let line = if is_root || find_program("sudo", &[]).is_none() { line.to_owned() } else { format!("sudo {line}") };
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(std::io::stderr());
    cargo::complete(&mut command).await
}
