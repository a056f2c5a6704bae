//! A registry of images with the referrers API of version 1.1: `ferro-oci-server`, without a password.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::error::Result;
use crate::server::{Process, free_port};

/// A running registry, on a free port of 127.0.0.1; stopped when dropped.
#[derive(Debug)]
pub struct Registry11 {
    port: u16,
    process: Process,
}

impl Registry11 {
    /// Starts the program, with data in a directory that must be empty or absent.
    pub async fn start(program: &Path, directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let port = free_port()?;
        let mut command = Command::new(program);
        // It has no flags, and listens on every address unless this is set.
        command.env("FERRO_OCI_LISTEN", format!("127.0.0.1:{port}"));
        command.env("FERRO_OCI_STORAGE_DIR", directory.join("data")).current_dir(directory);
        let mut process = Process::start("ferro-oci-server", &mut command, &directory.join("log"))?;
        process.wait_until(async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await?;
        Ok(Self { port, process })
    }

    /// `127.0.0.1:PORT`
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

impl Drop for Registry11 {
    fn drop(&mut self) {
        self.process.end_now(Signal::TERM);
    }
}
