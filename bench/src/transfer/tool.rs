//! Runs programs and measures them: time, processor, peak memory.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::process;

/// The executable, with a home of its own.
pub(super) struct Tool {
    executable: PathBuf,
    home: PathBuf,
}

/// A program that has ended.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Measured {
    pub(super) seconds: f64,
    /// Processor seconds.
    pub(super) cpu: f64,
    /// Peak resident memory in bytes.
    pub(super) memory: u64,
}

impl Measured {
    /// Bytes per second.
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub(super) fn rate(self, bytes: u64) -> f64 {
        bytes as f64 / self.seconds
    }
}

impl Tool {
    pub(super) fn new(executable: PathBuf, directory: &Path) -> Self {
        Self { executable, home: directory.join("home") }
    }

    /// `model-registry transfer`, which prints its result as JSON.
    pub(super) fn transfer(
        &self,
        source: &str,
        destination: &str,
        variables: &[(&'static str, String)],
    ) -> Result<Command> {
        std::fs::create_dir_all(&self.home)?;
        let mut command = Command::new(&self.executable);
        command.args(["transfer", source, destination, "--quiet", "--output", "json"]);
        command.env_clear().env("HOME", &self.home).envs(variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(&self.home);
        Ok(command)
    }
}

/// Runs a command to its end; returns its measurements and its standard output.
pub(super) async fn measure(mut command: Command) -> Result<(Measured, String)> {
    let line = line(&command);
    eprintln!("+ {line}");
    // A file, because a full pipe would stop the program.
    let mut output = tempfile::tempfile()?;
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(Stdio::inherit()).kill_on_drop(true);
    let started = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot start {line}"))?;
    let (status, usage) = watch(&mut child).await?;
    let seconds = started.elapsed().as_secs_f64();
    if !status.success() {
        bail!("{line} failed with {status}");
    }
    let mut text = String::new();
    std::io::Seek::rewind(&mut output)?;
    std::io::Read::read_to_string(&mut output, &mut text)?;
    let (cpu, memory) = usage;
    Ok((Measured { seconds, cpu, memory }, text))
}

/// The kernel keeps peak memory and time of a process only until it ends, so they are read repeatedly.
async fn watch(child: &mut Child) -> Result<(std::process::ExitStatus, (f64, u64))> {
    let id = child.id().context("the program has ended already")?;
    let mut usage = (0.0, 0);
    loop {
        usage.0 = process::cpu(id).unwrap_or(usage.0);
        usage.1 = process::peak_memory(id).unwrap_or(usage.1);
        if let Ok(status) = tokio::time::timeout(Duration::from_millis(5), child.wait()).await {
            return Ok((status?, usage));
        }
    }
}

/// The JSON document that a transfer has printed.
pub(super) fn document(output: &str) -> Result<Value> {
    serde_json::from_str(output).context("the transfer has printed no JSON")
}

fn line(command: &Command) -> String {
    let command = command.as_std();
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words: Vec<OsString> = std::iter::once(name).chain(command.get_args()).map(ToOwned::to_owned).collect();
    let text: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let text = text.join(" ");
    let text = text.lines().next().unwrap_or_default();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
