//! Starts: time until the executable is ready, and its memory when idle.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use model_registry_testkit::free_port;
use tokio::process::{Child, Command};

use crate::connection::Connection;
use crate::process;

/// Number of starts of each kind.
const STARTS: usize = 20;
/// Idle time before the memory is measured.
const IDLE: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_mins(1);

/// The measurements of one kind of start.
struct Started {
    name: &'static str,
    /// Times until ready, ascending.
    ready: Vec<Duration>,
    /// Bytes, ascending.
    memory: Vec<u64>,
}

/// Starts each role repeatedly, with a new database file and with an existing one.
pub(crate) async fn run(executable: &Path, out: &Path) -> Result<()> {
    let executable =
        executable.canonicalize().context("the executable is missing: build it with `cargo build --release`")?;
    let mut all = Vec::new();
    for (name, role, is_new) in [
        ("`up`, first start: creates the schema, loads the sample catalog", "up", true),
        ("`up`, existing data", "up", false),
        ("`server`, first start", "server", true),
        ("`server`, existing data", "server", false),
    ] {
        eprintln!("{name}");
        let directory = tempfile::tempdir()?;
        let mut started = Started { name, ready: Vec::new(), memory: Vec::new() };
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

/// Starts once; returns the time until ready and the idle memory in bytes.
async fn start(executable: &Path, role: &str, file: &Path) -> Result<(Duration, u64)> {
    let address = format!("127.0.0.1:{}", free_port()?);
    let start = Instant::now();
    let mut child = Command::new(executable)
        .args([role, "--listen", &address, "--log-level", "warn", "--database", &format!("sqlite:{}", file.display())])
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the executable")?;
    while !is_ready(&address).await {
        ensure!(child.try_wait()?.is_none(), "{role} ended before it was ready");
        ensure!(start.elapsed() < TIMEOUT, "{role} was not ready within {TIMEOUT:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let ready = start.elapsed();
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
    let process = child.id().context("the executable has ended already")?;
    process::memory(process).context("the kernel does not report its memory")
}

fn table(all: &[Started]) -> String {
    let mut text = format!(
        "{STARTS} starts of each kind; ready: the first 200 of `/readyz/health`; memory: {} s later.\n\n\
         | | ready after ms, median | slowest | idle memory MB, median | most |\n|---|--:|--:|--:|--:|\n",
        IDLE.as_secs()
    );
    for Started { name, ready, memory } in all {
        let middle = STARTS / 2;
        let (half, slowest) = (ready[middle].as_millis(), ready[STARTS - 1].as_millis());
        let (usual, most) = (memory[middle] / 1_000_000, memory[STARTS - 1] / 1_000_000);
        let _ = writeln!(text, "| {name} | {half} | {slowest} | {usual} | {most} |");
    }
    text
}
