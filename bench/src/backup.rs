//! Export and import of everything that was made: time, size, memory.

use std::fmt::Write;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use model_registry_testkit::{Backend, TestDatabase};
use tokio::process::Command;

use crate::process;

pub(crate) const NAME: &str = "export and import";

/// One run of the executable over all data.
pub(crate) struct Copied {
    what: &'static str,
    seconds: f64,
    /// Bytes at most.
    memory: u64,
    file: u64,
}

/// Exports from the server's database, and imports into an empty one of PostgreSQL and of SQLite.
pub(crate) async fn run(executable: &Path, postgres: &str) -> Result<Vec<Copied>> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name).display().to_string();
    let (file, again) = (path("models.jsonl"), path("again.jsonl"));
    let sqlite = format!("sqlite:{}", path("copy.db"));
    let empty = TestDatabase::create_on(Backend::Postgres, postgres).await?;
    let mut copied = Vec::new();
    for (what, command, name, database) in [
        ("export from PostgreSQL", "export", &file, postgres),
        ("import into PostgreSQL", "import", &file, empty.url()),
        ("import into SQLite", "import", &file, &sqlite),
        ("export from SQLite", "export", &again, &sqlite),
    ] {
        eprintln!("{what}");
        let (seconds, memory) = measure(executable, &[command, name, "--database", database]).await?;
        copied.push(Copied { what, seconds, memory, file: std::fs::metadata(name)?.len() });
    }
    // What they wrote goes to the disk now, and not beneath what is measured next.
    Command::new("sync").status().await.context("cannot start sync")?;
    Ok(copied)
}

/// Seconds and bytes of memory at most.
async fn measure(executable: &Path, arguments: &[&str]) -> Result<(f64, u64)> {
    let started = Instant::now();
    let mut child = Command::new(executable)
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .context("cannot start the executable")?;
    let process = child.id().context("it has ended already")?;
    let mut memory = 0;
    // The kernel keeps the highest value; it is gone with the process, so the last one seen counts.
    let status = loop {
        memory = process::highest_memory(process).unwrap_or(memory);
        if let Ok(status) = tokio::time::timeout(Duration::from_millis(10), child.wait()).await {
            break status?;
        }
    };
    if !status.success() {
        bail!("{} failed", arguments.join(" "));
    }
    Ok((started.elapsed().as_secs_f64(), memory))
}

pub(crate) fn table(copied: &[Copied]) -> String {
    let mut text = "| | seconds | memory at most, MB | file, MB |\n|---|--:|--:|--:|\n".to_owned();
    for Copied { what, seconds, memory, file } in copied {
        let _ = writeln!(text, "| {what} | {seconds:.1} | {} | {} |", memory / 1_000_000, file / 1_000_000);
    }
    text
}

pub(crate) fn json(copied: &[Copied]) -> Vec<serde_json::Value> {
    let value = |copied: &Copied| {
        serde_json::json!({
            "what": copied.what, "seconds": copied.seconds, "memoryBytes": copied.memory, "fileBytes": copied.file,
        })
    };
    copied.iter().map(value).collect()
}
