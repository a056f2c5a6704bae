//! `cargo xtask bench`: builds with optimisation and measures.

use std::process::Command;

use anyhow::{Result, bail};
use clap::Args;

use crate::cargo;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the benchmark is given; `cargo xtask bench -- --help` lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    build_and_run(&["build", "--release", "--package", "model-registry"], &[])?;
    build_and_run(&["run", "--release", "--package", "model-registry-bench", "--"], &arguments.arguments)
}

fn build_and_run(cargo_arguments: &[&str], arguments: &[String]) -> Result<()> {
    let status =
        Command::new(cargo::program()).current_dir(cargo::root()).args(cargo_arguments).args(arguments).status()?;
    if !status.success() {
        bail!("cargo {} failed", cargo_arguments.join(" "));
    }
    Ok(())
}
