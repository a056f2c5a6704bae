//! Export and import of the benchmark's data: time, file size, memory.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use model_registry_testkit::{Backend, TestDatabase};
use tokio::process::Command;

use crate::process;

pub(crate) const NAME: &str = "export and import";

/// One export or import of all data.
pub(crate) struct Copy {
    name: &'static str,
    seconds: f64,
    /// Peak resident memory in bytes.
    memory: u64,
    /// Size of the exported file in bytes.
    file: u64,
}

/// Exports from the server's database, and imports into empty databases of PostgreSQL and SQLite.
pub(crate) async fn run(executable: &Path, postgres: &str) -> Result<Vec<Copy>> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (file, again) = (path("models.jsonl"), path("again.jsonl"));
    let sqlite = format!("sqlite:{}", path("copy.db"));
    let empty = TestDatabase::create_on(Backend::Postgres, postgres).await?;
    let mut copies = Vec::new();
    for (name, command, path, database) in [
        ("export from PostgreSQL", "export", &file, postgres),
        ("import into PostgreSQL", "import", &file, empty.url()),
        ("import into SQLite", "import", &file, &sqlite),
        ("export from SQLite", "export", &again, &sqlite),
    ] {
        eprintln!("{name}");
        let (seconds, memory) = measure(executable, &[command, path, "--database", database]).await?;
        copies.push(Copy { name, seconds, memory, file: std::fs::metadata(path)?.len() });
    }
    // Written to the disk now, so that it does not slow down the next measurement.
    Command::new("sync").status().await.context("cannot start sync")?;
    Ok(copies)
}

/// Runs the executable; returns its run time in seconds and its peak memory in bytes.
async fn measure(executable: &Path, arguments: &[&str]) -> Result<(f64, u64)> {
    let started = Instant::now();
    let mut child = Command::new(executable)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the executable")?;
    let process = child.id().context("the executable has ended already")?;
    let mut memory = 0;
    // The kernel keeps the peak only until the process ends, so it is read repeatedly.
    let status = loop {
        memory = process::peak_memory(process).unwrap_or(memory);
        if let Ok(status) = tokio::time::timeout(Duration::from_millis(10), child.wait()).await {
            break status?;
        }
    };
    if !status.success() {
        bail!("{} failed", arguments.join(" "));
    }
    Ok((started.elapsed().as_secs_f64(), memory))
}

pub(crate) fn table(copies: &[Copy]) -> String {
    let mut text = "| | seconds | peak memory, MB | file, MB |\n|---|--:|--:|--:|\n".to_owned();
    for Copy { name, seconds, memory, file } in copies {
        let _ = writeln!(text, "| {name} | {seconds:.1} | {} | {} |", memory / 1_000_000, file / 1_000_000);
    }
    text
}

pub(crate) fn json(copies: &[Copy]) -> Vec<serde_json::Value> {
    let value = |copy: &Copy| {
        serde_json::json!({
            "name": copy.name, "seconds": copy.seconds, "memoryBytes": copy.memory, "fileBytes": copy.file,
        })
    };
    copies.iter().map(value).collect()
}
