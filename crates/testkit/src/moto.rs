//! moto, an S3 server in Python that behaves like Amazon's in more respects than [`S3Server`](crate::S3Server), with signatures checked.

use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tokio::net::TcpStream;

use crate::error::{Error, Result};
use crate::s3::BUCKET;
use crate::server::{Process, free_port};

const SCRIPT: &str = include_str!("moto.py");

/// A running server with one empty bucket, on a free port of 127.0.0.1; stopped when dropped.
#[derive(Debug)]
pub struct MotoServer {
    port: u16,
    access_key: String,
    secret_key: String,
    process: Process,
}

impl MotoServer {
    /// Starts `moto_server`, next to which its Python is.
    pub async fn start(program: &Path, directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let port = free_port()?;
        let log = directory.join("log");
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).current_dir(directory);
        let mut process = Process::start("moto", &mut command, &log)?;
        process.wait_until(async || TcpStream::connect(("127.0.0.1", port)).await.is_ok()).await?;
        let mut prepare = tokio::process::Command::new(program.with_file_name("python"));
        prepare.args(["-c", SCRIPT, &format!("http://127.0.0.1:{port}"), BUCKET]).kill_on_drop(true);
        let output = prepare.output().await?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let printed = text(&output.stdout);
        let Some((access_key, secret_key)) = printed.trim().split_once(' ').filter(|_| output.status.success()) else {
            let problem = format!("its user was not created: {}", output.status);
            return Err(Error::Failed { what: "moto".to_owned(), problem, log: text(&output.stderr) });
        };
        Ok(Self { port, access_key: access_key.to_owned(), secret_key: secret_key.to_owned(), process })
    }

    /// The variables with which clients of S3 use it.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        vec![
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }
}

impl Drop for MotoServer {
    fn drop(&mut self) {
        self.process.end_now(Signal::KILL);
    }
}
