//! Transfers that are killed at a random moment, and the runs that continue them.

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use model_registry_testkit::{S3_BUCKET, S3Server};

use super::report::{Kills, Report};
use super::tool::{document, measure};
use super::{Run, files};

/// As many as have only one part in flight each.
const FILES: u64 = 10;
const SIZE: u64 = 24 << 20;
/// The default size of a part.
const PART: u64 = 8 << 20;

/// Both directions, one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Upload,
    Download,
}

pub(super) async fn run(run: &Run, report: &mut Report) -> Result<()> {
    let source = run.place("kills");
    files::make(&source, FILES, SIZE)?;
    // In this process, so that its counts can be read.
    let server = S3Server::start_in(&run.place("kills-s3"), false).await?;
    files::link(&source, &server.bucket().join("source"))?;
    let mut kills = Kills { count: run.kills, files: FILES, part: PART, ..Kills::default() };
    for direction in [Direction::Upload, Direction::Download] {
        let whole = complete(run, &server, &source, direction, "whole").await?;
        for number in 0..run.kills.div_ceil(2) {
            if direction == Direction::Download && number >= run.kills / 2 {
                break;
            }
            let name = format!("killed-{number}");
            moved(&server, direction);
            if !begin_and_kill(run, &server, &source, direction, &name, whole.seconds).await? {
                kills.ended_before += 1;
            }
            let resumed = complete(run, &server, &source, direction, &name).await?;
            kills.right_digests += usize::from(resumed.digest == whole.digest);
            let again = moved(&server, direction).saturating_sub(FILES * SIZE);
            eprintln!("  {} MB moved again", again / 1_000_000);
            kills.sent_again = kills.sent_again.max(again);
        }
    }
    drop(server);
    for place in ["kills", "kills-s3"] {
        fs::remove_dir_all(run.place(place))?;
    }
    report.kills(kills);
    Ok(())
}

/// A run to the end.
struct Completed {
    seconds: f64,
    digest: String,
}

/// Runs a transfer to its end, compares the files and removes them.
async fn complete(run: &Run, server: &S3Server, source: &Path, direction: Direction, name: &str) -> Result<Completed> {
    let (from, to, place) = ends(run, server, source, direction, name);
    let (measured, output) = measure(run.tool.transfer(&from, &to, &server.variables())?).await?;
    let digest = document(&output)?["digest"].as_str().context("the transfer has printed no digest")?.to_owned();
    let own = source.to_owned();
    let compared = place.clone();
    // Other requests are served meanwhile.
    tokio::task::spawn_blocking(move || files::compare(&own, &compared)).await??;
    fs::remove_dir_all(place)?;
    Ok(Completed { seconds: measured.seconds, digest })
}

/// Returns whether the transfer was still running when it was killed.
async fn begin_and_kill(
    run: &Run,
    server: &S3Server,
    source: &Path,
    direction: Direction,
    name: &str,
    longest: f64,
) -> Result<bool> {
    let (from, to, _) = ends(run, server, source, direction, name);
    let mut command = run.tool.transfer(&from, &to, &server.variables())?;
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn()?;
    let started = Instant::now();
    let moment = Duration::from_secs_f64(longest * random());
    let ended = tokio::time::timeout(moment, child.wait()).await;
    if let Ok(status) = ended {
        ensure!(status?.success(), "the transfer failed after {:?}", started.elapsed());
        return Ok(false);
    }
    child.kill().await?;
    // The store completes what it has begun, before the transfer is started again.
    while !server.is_idle() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(true)
}

fn ends(
    run: &Run,
    server: &S3Server,
    source: &Path,
    direction: Direction,
    name: &str,
) -> (String, String, std::path::PathBuf) {
    let key = |name: &str| format!("s3://{S3_BUCKET}/{name}");
    match direction {
        Direction::Upload => (source.display().to_string(), key(name), server.bucket().join(name)),
        Direction::Download => (key("source"), run.place(name).display().to_string(), run.place(name)),
    }
}

/// Bytes that the server has received or sent since the last call.
fn moved(server: &S3Server, direction: Direction) -> u64 {
    let (received, sent) = (server.received(), server.sent());
    if direction == Direction::Upload { received } else { sent }
}

/// A number from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a random number")]
fn random() -> f64 {
    (RandomState::new().hash_one(0) >> 11) as f64 / (1_u64 << 53) as f64
}
