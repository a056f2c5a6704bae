//! Transfers of model files: rate, memory, many small files and kills, next to other tools in the same run on the same disk.
//!
//! Every measurement has its reference in the same run: how fast the files are read and written without any tool, and what boto3 and
//! skopeo take for the same work. The S3 server is this program in another process; the registry of images is `docker-registry`.

mod files;
mod kills;
mod large;
mod raw;
mod reference;
mod report;
mod servers;
mod small;
mod tool;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use self::report::Report;
pub(crate) use self::servers::serve_s3;
use self::tool::Tool;
use crate::Arguments;

/// Files of the large transfers.
const FILES: u64 = 20;
const GIBIBYTE: f64 = 1_073_741_824.0;

/// What all measurements share.
struct Run {
    tool: Tool,
    /// Files of all measurements, on the disk that is measured.
    directory: PathBuf,
    /// Bytes of all large files.
    bytes: u64,
    small_files: usize,
    kills: usize,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.gib > 0.0 && arguments.gib <= 100.0, "--gib is a number up to 100");
    let executable = arguments
        .executable
        .canonicalize()
        .context("the executable is missing: build it with `cargo build --release`")?;
    std::fs::create_dir_all(&arguments.out)?;
    let directory = tempfile::Builder::new().prefix("transfer-").tempdir_in(arguments.out.canonicalize()?)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the number is between 0 and 100 GiB")]
    let bytes = (arguments.gib * GIBIBYTE) as u64;
    let run = Run {
        tool: Tool::new(executable, directory.path()),
        directory: directory.path().to_owned(),
        bytes: bytes.max(FILES),
        small_files: arguments.small_files,
        kills: arguments.kills,
    };
    let is_wanted = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    let mut report = Report::new(run.bytes);
    if is_wanted("large") {
        large::run(&run, &mut report).await?;
    }
    if is_wanted("small") && run.small_files > 0 {
        small::run(&run, &mut report).await?;
    }
    if is_wanted("kills") && run.kills > 0 {
        kills::run(&run, &mut report).await?;
    }
    report.write(&arguments.out)
}

impl Run {
    fn place(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

/// Removes a directory, and writes that to the disk, so that it does not slow down the next measurement.
fn remove(directory: &Path) -> Result<()> {
    if directory.exists() {
        std::fs::remove_dir_all(directory).with_context(|| format!("cannot remove {}", directory.display()))?;
    }
    files::settle();
    Ok(())
}
