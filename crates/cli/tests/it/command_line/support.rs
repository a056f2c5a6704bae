//! Runs commands and writes down what they said.

use std::fmt::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use model_registry_testkit::Executable;
use regex::Regex;
use tempfile::TempDir;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_model-registry");

/// A server with a home directory for commands that talk to it.
pub(crate) struct Registry {
    pub(crate) server: Executable,
    pub(crate) home: TempDir,
}

impl Registry {
    pub(crate) async fn start() -> Self {
        Self::of("server").await
    }

    /// With the sample catalog.
    pub(crate) async fn with_catalog() -> Self {
        Self::of("up").await
    }

    async fn of(role: &str) -> Self {
        let arguments = [role, "--port", "{port}", "--database", "sqlite:registry.db"];
        let server = Executable::launch(PROGRAM).arguments(arguments).start().await.unwrap();
        Self { server, home: tempfile::tempdir().unwrap() }
    }

    /// A command with nothing of our environment but the server.
    pub(crate) fn command(&self) -> Command {
        let mut command = command(self.home.path());
        command.env("MR_SERVER", self.server.base_url());
        command
    }

    /// Runs command lines, one on a line, and gives what a terminal would show.
    pub(crate) fn transcript(&self, lines: &str) -> String {
        let mut transcript = String::new();
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut shell = shell(self.home.path(), line);
            shell.env("MR_SERVER", self.server.base_url());
            let _ = write!(transcript, "$ {line}\n{}\n", shown(&shell.output().unwrap()));
        }
        self.stable(&transcript)
    }

    /// Without what differs from run to run.
    pub(crate) fn stable(&self, text: &str) -> String {
        stable(text).replace(&self.server.base_url(), "http://SERVER")
    }
}

pub(crate) fn command(home: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("HOME", home).current_dir(home).stdin(Stdio::null());
    command
}

/// A shell that finds the executable by its name.
pub(crate) fn shell(home: &Path, line: &str) -> Command {
    let directory = Path::new(PROGRAM).parent().unwrap();
    let path = std::env::join_paths([directory, Path::new("/usr/bin"), Path::new("/bin")]).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", line]).env_clear().env("HOME", home).env("PATH", path).current_dir(home).stdin(Stdio::null());
    command
}

/// What a command said, then its exit code where it failed.
pub(crate) fn shown(output: &Output) -> String {
    let mut text = String::from_utf8(output.stdout.clone()).unwrap();
    text.push_str(&String::from_utf8(output.stderr.clone()).unwrap());
    if let Some(code @ 1..) = output.status.code() {
        let _ = writeln!(text, "[exit code {code}]");
    }
    text
}

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
