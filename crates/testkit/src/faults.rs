//! Faults that tests cause: a network that loses packets, connections that are swallowed, a disk that is full.

pub mod disk;
pub mod network;
pub mod proxy;

use std::process::Command;

use crate::error::Result;
use crate::server::complete;

/// Runs a system command that requires root, to its end.
fn run(program: &str, arguments: &[&str]) -> Result<()> {
    complete(&format!("{program} {}", arguments.join(" ")), Command::new(program).args(arguments))
}
