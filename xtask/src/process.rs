//! Starts cargo and other programs, and stops them when a signal arrives.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};
use std::{env, thread};

use anyhow::{Context, Result, anyhow, bail, ensure};
use signal_hook::consts::{SIGINT, SIGTERM};

const POLL: Duration = Duration::from_millis(20);

/// Set by SIGINT and SIGTERM.
static STOPPED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Makes SIGINT and SIGTERM end the running command instead of this process, so that servers and temporary files are
/// removed.
pub(crate) fn handle_signals() -> Result<()> {
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&STOPPED)).context("cannot handle signals")?;
    }
    Ok(())
}

/// Whether SIGINT or SIGTERM has arrived.
pub(crate) fn is_stopped() -> bool {
    STOPPED.load(Ordering::Relaxed)
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("xtask is a folder of the workspace").to_owned()
}

/// Cargo's target folder, which also has our own generated files.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// The cargo that started this process.
pub(crate) fn cargo_program() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// A cargo command in the root of the workspace, without standard input.
pub(crate) fn cargo<I: IntoIterator<Item: AsRef<OsStr>>>(arguments: I) -> Command {
    let mut command = Command::new(cargo_program());
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// The same with low priority, for work next to something that has to finish soon.
pub(crate) fn low_priority_cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new("nice");
    command.args(["-n", "10"]).arg(cargo_program()).args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// Prints a command and runs it to its end; its failure is an error.
pub(crate) fn complete(command: &mut Command) -> Result<()> {
    let line = line(command);
    eprintln!("+ {line}");
    let mut child = command.spawn().with_context(|| format!("cannot start: {line}"))?;
    let status = wait(&mut child, &line, None)?;
    ensure!(status.success(), "failed with {status}: {line}");
    Ok(())
}

/// Runs a command to its end, and prints nothing; if it fails or takes longer than the limit, the error has its output.
pub(crate) fn complete_quietly(command: &mut Command, limit: Option<Duration>) -> Result<()> {
    let (result, output) = complete_collected(command, limit);
    result.map_err(|error| anyhow!("{error:#}\n{output}"))
}

/// Runs a command to its end and collects its output, for a command next to one that prints.
pub(crate) fn complete_collected(command: &mut Command, limit: Option<Duration>) -> (Result<()>, String) {
    let line = line(command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return (Err(error).with_context(|| format!("cannot start: {line}")), String::new()),
    };
    let (stdout, stderr) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let result = wait(&mut child, &line, limit)
        .and_then(|status| status.success().then_some(()).with_context(|| format!("failed with {status}: {line}")));
    (result, [stdout, stderr].map(|output| output.join().unwrap_or_default()).concat())
}

/// Runs a command to its end, prints its output as it arrives, and returns its standard output too.
pub(crate) fn complete_and_collect(command: &mut Command) -> (Result<()>, String) {
    let line = line(command);
    eprintln!("+ {line}");
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return (Err(error).with_context(|| format!("cannot start: {line}")), String::new()),
    };
    let stdout = child.stdout.take();
    let printed = thread::spawn(move || {
        let mut output = String::new();
        for line in stdout.into_iter().flat_map(|pipe| BufReader::new(pipe).split(b'\n')).map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            let _ = writeln!(std::io::stdout(), "{line}");
            output.push_str(&line);
            output.push('\n');
        }
        output
    });
    let result = wait(&mut child, &line, None)
        .and_then(|status| status.success().then_some(()).with_context(|| format!("failed with {status}: {line}")));
    (result, printed.join().unwrap_or_default())
}

/// Runs a command to its end and returns its standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = line(command);
    let output = command.output().with_context(|| format!("cannot start: {line}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    ensure!(output.status.success(), "failed with {}: {line}\n{}", output.status, text(&output.stderr));
    Ok(text(&output.stdout))
}

/// Reads everything on a thread, so that the child never waits for a full pipe.
fn collect(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Waits for the child's end; kills it at a signal or when the limit is exceeded.
fn wait(child: &mut Child, line: &str, limit: Option<Duration>) -> Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        let is_late = limit.is_some_and(|limit| start.elapsed() > limit);
        if is_stopped() || is_late {
            child.kill()?;
            child.wait()?;
            bail!("{} {line}", if is_late { "timed out:" } else { "stopped by a signal:" });
        }
        thread::sleep(POLL);
    }
}

/// The command line, for messages.
fn line(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failed_command_reports_its_status_and_output() {
        let error = complete_quietly(&mut shell("echo one; echo two >&2; exit 3"), None).unwrap_err().to_string();
        assert!(error.contains("exit status: 3: sh -c") && error.ends_with("one\ntwo\n"), "{error}");
    }

    #[test]
    fn a_command_that_exceeds_its_limit_is_killed() {
        let error = complete_quietly(&mut shell("exec sleep 60"), Some(Duration::from_millis(50))).unwrap_err();
        assert_eq!(error.to_string(), "timed out: sh -c exec sleep 60\n");
    }
}
