//! Starts: how long until the executable is ready, and how much memory it has while nobody asks anything.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use model_registry_testkit::free_port;
use tokio::process::{Child, Command};

use crate::connection::Connection;
use crate::process;

/// Starts of each kind.
const STARTS: usize = 20;
/// How long it is left alone before its memory is looked at.
const IDLE: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_mins(1);

/// What one kind of start took.
struct Started {
    what: &'static str,
    /// Ascending.
    ready: Vec<Duration>,
    /// Bytes, ascending.
    memory: Vec<u64>,
}

/// Starts the roles again and again, each on a new file and on one that is there.
pub(crate) async fn run(executable: &Path, out: &Path) -> Result<()> {
    let executable = executable.canonicalize().context("no executable: build it with `cargo build --release`")?;
    let mut all = Vec::new();
    for (what, role, is_new) in [
        ("`up`, first start: the schema is made, the sample of the catalog loaded", "up", true),
        ("`up`, its data is there", "up", false),
        ("`server`, first start", "server", true),
        ("`server`, its data is there", "server", false),
    ] {
        eprintln!("{what}");
        let directory = tempfile::tempdir()?;
        let mut started = Started { what, ready: Vec::new(), memory: Vec::new() };
        if !is_new {
            start(&executable, role, &directory.path().join("kept.db")).await?;
        }
        for number in 0..STARTS {
            let file = if is_new { format!("{number}.db") } else { "kept.db".to_owned() };
            let (ready, memory) = start(&executable, role, &directory.path().join(file)).await?;
            started.ready.push(ready);
            started.memory.push(memory);
        }
        started.ready.sort();
        started.memory.sort_unstable();
        all.push(started);
    }
    let table = table(&all);
    std::fs::create_dir_all(out)?;
    std::fs::write(out.join("start.md"), &table)?;
    eprintln!("\n{table}\nwritten to {}", out.display());
    Ok(())
}

/// The time until it is ready, and its memory some time later.
async fn start(executable: &Path, role: &str, file: &Path) -> Result<(Duration, u64)> {
    let address = format!("127.0.0.1:{}", free_port()?);
    let begin = Instant::now();
    let mut child = Command::new(executable)
        .args([role, "--listen", &address, "--log-level", "warn", "--database", &format!("sqlite:{}", file.display())])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the executable")?;
    while !is_ready(&address).await {
        ensure!(child.try_wait()?.is_none(), "{role} ended before it was ready");
        ensure!(begin.elapsed() < PATIENCE, "{role} was not ready within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ready = begin.elapsed();
    tokio::time::sleep(IDLE).await;
    let memory = memory(&child)?;
    child.kill().await?;
    Ok((ready, memory))
}

async fn is_ready(address: &str) -> bool {
    let Ok(mut connection) = Connection::open(&format!("http://{address}")).await else { return false };
    connection.exchange("GET", "/readyz/health", "").await.is_ok()
}

fn memory(child: &Child) -> Result<u64> {
    let process = child.id().context("it has ended already")?;
    process::memory(process).context("the kernel does not tell its memory")
}

fn table(all: &[Started]) -> String {
    let mut text = format!(
        "{STARTS} starts of each kind; ready is the first 200 of `/readyz/health`, memory is what it has {} s later.\n\n\
         | | ready after ms, half of the starts | slowest | idle memory MB | most |\n|---|--:|--:|--:|--:|\n",
        IDLE.as_secs()
    );
    for Started { what, ready, memory } in all {
        let middle = STARTS / 2;
        let (half, slowest) = (ready[middle].as_millis(), ready[STARTS - 1].as_millis());
        let (usual, most) = (memory[middle] / 1_000_000, memory[STARTS - 1] / 1_000_000);
        let _ = writeln!(text, "| {what} | {half} | {slowest} | {usual} | {most} |");
    }
    text
}
