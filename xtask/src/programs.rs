//! Programs that tasks need, and their installation.

use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use model_registry_programs::{Missing, find_program};

use crate::{dependencies, process};

/// A program that is not one of the project's own dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Postgres,
    MariaDb,
    /// Builds and serves the repositories of tests.
    Git,
    /// A registry of images, and a program that reads and writes them.
    DockerRegistry,
    Skopeo,
    /// With the module `venv`, which Debian packages separately.
    Python,
    /// Completion is tested in bash, zsh and fish.
    Bash,
    Zsh,
    Fish,
    /// Built by cargo, not a package of the system.
    CargoDeny,
}

const PYTHON: Missing =
    Missing { name: "python3 with venv", install: "apt-get install -y --no-install-recommends python3 python3-venv" };

const BASH: Missing = Missing { name: "bash", install: "apt-get install -y --no-install-recommends bash" };
const ZSH: Missing = Missing { name: "zsh", install: "apt-get install -y --no-install-recommends zsh" };
const FISH: Missing = Missing { name: "fish", install: "apt-get install -y --no-install-recommends fish" };

const CARGO_DENY: Missing = Missing { name: "cargo-deny", install: dependencies::INSTALL };

impl Program {
    fn missing(self) -> Option<Missing> {
        match self {
            Self::Postgres => model_registry_programs::postgres().err(),
            Self::MariaDb => model_registry_programs::mariadb().err(),
            Self::Git => model_registry_programs::git().err(),
            Self::DockerRegistry => model_registry_programs::docker_registry().err(),
            Self::Skopeo => model_registry_programs::skopeo().err(),
            Self::Python => (!has_python()).then_some(PYTHON),
            Self::Bash => without(BASH),
            Self::Zsh => without(ZSH),
            Self::Fish => without(FISH),
            Self::CargoDeny => dependencies::find_cargo_deny().is_none().then_some(CARGO_DENY),
        }
    }
}

/// The program with this name, if it is not in the path.
fn without(program: Missing) -> Option<Missing> {
    find_program(program.name, &[]).is_none().then_some(program)
}

/// Installs the programs that are missing, or without `install` fails with the commands that install them.
pub(crate) fn require(programs: &[Program], install: bool) -> Result<()> {
    let missing = find_missing(programs);
    if missing.is_empty() {
        return Ok(());
    }
    if !install {
        let list: Vec<String> = missing.iter().map(|one| format!("  {}: {}", one.name, one.install)).collect();
        bail!("not installed:\n{}\nInstall them, or use `--install`", list.join("\n"));
    }
    let (built, packaged): (Vec<Missing>, Vec<Missing>) = missing.iter().partition(|one| **one == CARGO_DENY);
    if !packaged.is_empty() {
        install_as_root("apt-get update -q")?;
    }
    for one in packaged {
        install_as_root(one.install)?;
    }
    if !built.is_empty() {
        dependencies::install_cargo_deny()?;
    }
    if let Some(one) = find_missing(programs).first() {
        bail!("{} is still missing after: {}", one.name, one.install);
    }
    Ok(())
}

fn find_missing(programs: &[Program]) -> Vec<Missing> {
    programs.iter().filter_map(|program| program.missing()).collect()
}

fn has_python() -> bool {
    let import = ["-c", "import ensurepip, venv"];
    let status = Command::new("python3").args(import).stdin(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// Runs a command as root, with sudo if needed. Its arguments have no spaces.
fn install_as_root(line: &str) -> Result<()> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let line = if is_root || find_program("sudo", &[]).is_none() { line.to_owned() } else { format!("sudo {line}") };
    let mut words = line.split(' ');
    let mut command = Command::new(words.next().unwrap_or_default());
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).stdout(std::io::stderr());
    process::complete(&mut command)
}
