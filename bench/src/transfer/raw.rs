//! How fast the same bytes are read and written without any tool: on the disk, and through the servers.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use model_registry_testkit::{OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER, S3_BUCKET, upload_in_parts};
use tokio::process::Command;

use super::files;
use super::reference::curl;
use super::servers::S3Process;
use super::tool::{Measured, measure};

const BLOCK: usize = 4 << 20;
/// The default size of a part of a transfer.
const PART: u64 = 8 << 20;
const FILES_AT_ONCE: usize = 8;
/// Connections of curl.
const PARALLEL: &str = "8";

/// Reads every file of a directory once.
pub(super) fn read_disk(directory: &Path) -> Result<Measured> {
    files::settle();
    eprintln!("read {}", directory.display());
    let started = Instant::now();
    let mut block = vec![0; BLOCK];
    for path in paths(directory)? {
        let mut file = File::open(path)?;
        while file.read(&mut block)? > 0 {}
    }
    Ok(Measured { seconds: started.elapsed().as_secs_f64(), ..Measured::default() })
}

/// Writes as much as a directory has, to the disk itself.
pub(super) fn write_disk(like: &Path, directory: &Path) -> Result<Measured> {
    fs::create_dir_all(directory)?;
    let sizes: Vec<u64> = paths(like)?.iter().map(|path| Ok(fs::metadata(path)?.len())).collect::<Result<_>>()?;
    files::settle();
    eprintln!("write {}", directory.display());
    let block = vec![0x5A; BLOCK];
    let started = Instant::now();
    for (number, size) in sizes.into_iter().enumerate() {
        let mut file = File::create(directory.join(number.to_string()))?;
        let mut left = size;
        while left > 0 {
            let length = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            file.write_all(&block[..length])?;
            left -= length as u64;
        }
        file.sync_all()?;
    }
    Ok(Measured { seconds: started.elapsed().as_secs_f64(), ..Measured::default() })
}

/// Reads the objects of a prefix.
pub(super) async fn read_s3(server: &S3Process, prefix: &str, like: &Path) -> Result<Measured> {
    let mut command = parallel_curl()?;
    for path in paths(like)? {
        command.args(["-o", "/dev/null"]).arg(url(server, prefix, &path));
    }
    files::settle();
    Ok(measure(command).await?.0)
}

/// Writes the files of a directory as objects.
pub(super) async fn write_s3(server: &S3Process, prefix: &str, directory: &Path) -> Result<Measured> {
    let mut command = parallel_curl()?;
    for path in paths(directory)? {
        command.args(["-o", "/dev/null", "-T"]).arg(&path).arg(url(server, prefix, &path));
    }
    files::settle();
    Ok(measure(command).await?.0)
}

/// Writes the files of a directory as objects in parts, which the server joins at the end: it writes everything twice.
pub(super) async fn write_s3_in_parts(server: &S3Process, prefix: &str, directory: &Path) -> Result<Measured> {
    files::settle();
    eprintln!("upload {} in parts", directory.display());
    let paths = paths(directory)?;
    let started = Instant::now();
    let uploads = paths.iter().map(|path| {
        let key = format!("{prefix}{}", path.file_name().unwrap_or_default().to_string_lossy());
        async move { upload_in_parts(server.base_url(), &key, path, PART, 1).await }
    });
    stream::iter(uploads.collect::<Vec<_>>()).buffer_unordered(FILES_AT_ONCE).try_collect::<Vec<()>>().await?;
    Ok(Measured { seconds: started.elapsed().as_secs_f64(), ..Measured::default() })
}

/// Writes the files of a directory as blobs, each with one request.
pub(super) async fn write_registry(registry: &OciRegistry, directory: &Path) -> Result<Measured> {
    let digests = files::digests(directory)?;
    let credentials = format!("{REGISTRY_USER}:{REGISTRY_PASSWORD}");
    let mut command = parallel_curl()?;
    command.args(["-u", &credentials, "-H", "Content-Type: application/octet-stream"]);
    for line in digests.lines() {
        let (digest, name) = line.split_once("  ").context("sha256sum has printed something else")?;
        let begin = format!("http://{}/v2/raw/model/blobs/uploads/", registry.host());
        let mut request = Command::new(curl()?);
        request.args(["-s", "-f", "-u", &credentials, "-X", "POST", "-o", "/dev/null", "-w", "%header{location}"]);
        let output = request.arg(begin).stdin(Stdio::null()).output().await?;
        ensure!(output.status.success(), "the registry does not begin an upload");
        let location = String::from_utf8(output.stdout)?;
        let target = format!("{location}&digest=sha256:{digest}");
        command.args(["-o", "/dev/null", "-T"]).arg(directory.join(name)).arg(target);
    }
    files::settle();
    Ok(measure(command).await?.0)
}

fn parallel_curl() -> Result<Command> {
    let mut command = Command::new(curl()?);
    command.args(["--no-progress-meter", "--fail", "--noproxy", "*", "--parallel", "--parallel-max", PARALLEL]);
    Ok(command)
}

fn url(server: &S3Process, prefix: &str, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{}/{S3_BUCKET}/{prefix}{name}", server.base_url())
}

fn paths(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}
