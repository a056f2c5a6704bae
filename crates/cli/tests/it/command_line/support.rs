//! Runs commands and records their output.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use model_registry_testkit::Executable;
use regex::Regex;
use tempfile::TempDir;

use crate::support::PROGRAM;

/// A server, and a home directory for the commands that use it.
pub(crate) struct Registry {
    pub(crate) server: Executable,
    pub(crate) home: TempDir,
}

impl Registry {
    /// Starts a registry server.
    pub(crate) async fn start() -> Self {
        Self::of("server").await
    }

    /// Starts a server that also has the sample catalog.
    pub(crate) async fn with_catalog() -> Self {
        Self::of("up").await
    }

    async fn of(role: &str) -> Self {
        let arguments = [role, "--port", "{port}", "--database", "sqlite:registry.db"];
        let server = Executable::launch(PROGRAM).arguments(arguments).start().await.unwrap();
        Self { server, home: tempfile::tempdir().unwrap() }
    }

    /// The executable with the address of the server as its only variable.
    pub(crate) fn command(&self) -> Command {
        let mut command = command(self.home.path());
        command.env("MR_SERVER", self.server.base_url());
        command
    }

    /// Runs command lines, one per line, and returns the transcript of a terminal session.
    pub(crate) fn transcript(&self, lines: &str) -> String {
        let mut transcript = String::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut shell = shell(self.home.path(), line);
            shell.env("MR_SERVER", self.server.base_url());
            let _ = write!(transcript, "$ {line}\n{}\n", shown(&shell.output().unwrap()));
        }
        self.stable(&transcript)
    }

    /// Replaces everything that differs between runs.
    /// Replaces times and UUIDs, which differ between runs.
    pub(crate) fn stable(&self, text: &str) -> String {
        stable(text).replace(&self.server.base_url(), "http://SERVER")
    }
}

/// The executable without variables, in a home directory.
pub(crate) fn command(home: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("HOME", home).current_dir(home).stdin(Stdio::null());
    command
}

/// A shell that has the executable in its path.
pub(crate) fn shell(home: &Path, line: &str) -> Command {
    let directory = Path::new(PROGRAM).parent().unwrap();
    let path = std::env::join_paths([directory, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", line]).env_clear().env("HOME", home).env("PATH", path).current_dir(home).stdin(Stdio::null());
    command
}

/// The output of a command, and its exit code if it failed.
pub(crate) fn shown(output: &Output) -> String {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    text.push_str(&String::from_utf8(output.stderr.clone()).unwrap());
    if let Some(code @ 1..) = output.status.code() {
        let _ = writeln!(text, "[exit code {code}]");
    }
    text
}

/// Replaces times and UUIDs, which differ between runs.
pub(crate) fn stable(text: &str) -> String {
    let rules = [
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-23 10:00:00"),
        (r#"((?:Epoch|timestamp|"time)"?: ?")\d{13}""#, "${1}1790000000000\""),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "00000000-0000-0000-0000-000000000000"),
    ];
    rules.iter().fold(text.to_owned(), |text, (pattern, replacement)| {
        Regex::new(pattern).unwrap().replace_all(&text, *replacement).into_owned()
    })
}
