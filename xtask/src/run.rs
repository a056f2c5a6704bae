//! `cargo xtask run`: builds the executable and becomes it.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::{Context, Result};
use clap::Args;

use crate::cargo;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Build with optimisation: slower to build, faster to run.
    #[arg(long)]
    release: bool,
    /// What `model-registry up` is given.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let mut command = Command::new(cargo::program());
    // Only cargo's paths are made relative to the workspace: the executable starts where we were started.
    command
        .arg("run")
        .arg("--manifest-path")
        .arg(cargo::root().join("Cargo.toml"))
        .args(["--package", "model-registry"]);
    if arguments.release {
        command.arg("--release");
    }
    command.args(["--", "up"]).args(&arguments.arguments);
    // In place of this process, as cargo in turn is replaced by the executable: signals reach it and its status is ours.
    Err(command.exec()).context("cannot start cargo")
}
