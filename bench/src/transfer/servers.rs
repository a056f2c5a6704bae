//! The S3 server in a process of its own, and registries of images.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use model_registry_testkit::S3Server;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// An S3 server in another process, over a directory; ended when dropped.
pub(super) struct S3Process {
    base_url: String,
    _child: Child,
}

impl S3Process {
    /// `is_public` accepts requests without signatures, as programs without a client for S3 send them.
    pub(super) async fn start(directory: &Path, is_public: bool) -> Result<Self> {
        let own = std::env::current_exe()?;
        let mut command = Command::new(own);
        command.arg("--serve-s3").arg(directory).args(is_public.then_some("--public"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().context("cannot start the S3 server")?;
        let output = child.stdout.take().context("the S3 server has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).await?;
        let base_url = line.trim().to_owned();
        anyhow::ensure!(base_url.starts_with("http://"), "the S3 server did not start");
        Ok(Self { base_url, _child: child })
    }

    pub(super) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The variables with which clients use it.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        S3Server::variables_for(&self.base_url)
    }
}

/// Serves a directory until the process is killed.
pub(crate) fn serve_s3(directory: &Path, is_public: bool) -> Result<()> {
    let directory = directory.canonicalize()?;
    let serve = move || -> Result<()> {
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
            let server = S3Server::start_in(&directory, is_public).await?;
            let mut output = std::io::stdout();
            writeln!(output, "{}", server.base_url())?;
            output.flush()?;
            std::future::pending::<()>().await;
            anyhow::Ok(())
        })
    };
    // On a thread of its own: this one runs the benchmark's runtime.
    std::thread::spawn(serve).join().map_err(|_| anyhow::anyhow!("the S3 server panicked"))?
}
