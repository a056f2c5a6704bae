//! The commands of the manual run: every shell block of every page, in its order, against a server of the page's own.
//!
//! What a fence says behind the language:
//!
//! * `serves`: the block starts a server and stays; the commands after it are for that server.
//! * `endless`: the command writes until it is stopped.
//! * `python`: commands of the Python environment that the test command makes.
//! * `no-run` and a reason: not here. They are counted, and there may be only so many.
//! * `with-answers`: `command_line/documentation.rs` runs it, against a server with the sample, and compares the answers too.
//! * a file name (`toml policy.toml`): no command, but a file that the commands find beside them.

mod page;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use model_registry_testkit::{Backend, Executable, IssuerServer, TestDatabase, backends};
use tempfile::TempDir;

use crate::manual::page::{Block, Run, blocks};
use crate::support::{PATIENCE, PROGRAM, say};

/// More of them need a better reason than that they fail.
const MOST_LEFT_OUT: usize = 6;
const PYTHON: &str = "MR_TEST_PYTHON_CLIENT_0_3_18";

/// Where the commands of a page run.
struct Place {
    home: TempDir,
    database: TestDatabase,
    server: Executable,
    issuer: IssuerServer,
    /// A server that a block has started.
    started: Option<Started>,
}

/// Ends with all its children.
struct Started(std::process::Child);

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(group) = rustix::process::Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

impl Place {
    async fn new() -> Self {
        // PostgreSQL where there is one: it is what the examples name.
        let backend = backends().into_iter().find(|backend| *backend == Backend::Postgres).unwrap_or(Backend::Sqlite);
        let database = TestDatabase::create(backend).await.unwrap();
        let arguments = ["up", "--port", "{port}", "--database", database.url(), "--log-level", "warn"];
        let server = Executable::launch(PROGRAM).arguments(arguments).start().await.unwrap();
        let home = tempfile::tempdir().unwrap();
        // An answer that says no fails the command, which it does not for people.
        let curl = home.path().join("bin/curl");
        std::fs::create_dir(home.path().join("bin")).unwrap();
        std::fs::write(&curl, "#!/bin/sh\nexec /usr/bin/curl --fail-with-body --noproxy '*' \"$@\"\n").unwrap();
        std::fs::set_permissions(&curl, std::fs::Permissions::from_mode(0o755)).unwrap();
        let issuer = IssuerServer::start(&[]).await.unwrap();
        Self { home, database, server, issuer, started: None }
    }

    fn shell(&self, commands: &str) -> Command {
        let port = self.server.port();
        let api = format!("http://127.0.0.1:{port}/api/model_registry/v1alpha3");
        let database = self.database.url();
        let commands = commands
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{port}"))
            .replace("postgres://user:password@host/models", database)
            .replace("postgres://user@host/models", database)
            .replace("sqlite:models.db", database)
            .replace("https://login.example.org/realms/ml", self.issuer.url());
        // Variables of one block are there in the next.
        let script =
            format!("set -euo pipefail\nset -a\n[ ! -f .state ] || . ./.state\n{commands}\nexport -p > .state\n");
        let path = [self.home.path().join("bin"), Path::new(PROGRAM).parent().unwrap().to_owned()];
        let path =
            std::env::join_paths(path.iter().map(AsRef::as_ref).chain([Path::new("/usr/bin"), Path::new("/bin")]));
        let mut command = Command::new("bash");
        command.args(["-c", &script]).env_clear().env("HOME", self.home.path()).env("PATH", path.unwrap());
        command.env("API", api).env("MR_PORT", port.to_string());
        command.current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, place: &str, commands: &str) {
        self.complete(place, commands, self.shell(commands));
    }

    fn complete(&self, place: &str, commands: &str, mut shell: Command) {
        let output = shell.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (said, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{place}: {}\n{commands}\n{said}{errors}{}", output.status, self.server.log());
    }

    /// Runs what does not end; it has to be running still when it is stopped.
    fn run_endless(&self, place: &str, commands: &str) {
        self.run(place, &format!("code=0; timeout 2 {} || code=$?; [ $code = 124 ]", commands.trim()));
    }

    /// Starts a server in place of the one before, and waits until it answers.
    async fn start(&mut self, place: &str, commands: &str) {
        use std::os::unix::process::CommandExt;
        let _ = self.server.terminate().await;
        self.started = None;
        let log = std::fs::File::create(self.home.path().join("server.log")).unwrap();
        let mut shell = self.shell(commands);
        let child = shell.stdout(log.try_clone().unwrap()).stderr(log).process_group(0).spawn().unwrap();
        self.started = Some(Started(child));
        let since = Instant::now();
        let ready = format!("{}/readyz/health", self.server.base_url());
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        while !http.get(&ready).send().await.is_ok_and(|answer| answer.status().is_success()) {
            let log = std::fs::read_to_string(self.home.path().join("server.log")).unwrap();
            assert!(since.elapsed() < PATIENCE, "{place}: it does not start\n{commands}\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs commands that find the programs of the Python environment.
    fn run_with_python(&self, place: &str, commands: &str) {
        let Some(python) = std::env::var_os(PYTHON) else {
            return say(&format!("{place} left out: {PYTHON} is not set; `cargo xtask test` does it"));
        };
        let directory = Path::new(&python).parent().unwrap().display();
        self.complete(place, commands, self.shell(&format!("PATH={directory}:$PATH\n{commands}")));
    }

    fn run_python(&self, place: &str, code: &str) {
        let Some(python) = std::env::var_os(PYTHON) else {
            return say(&format!("{place} left out: {PYTHON} is not set; `cargo xtask test` does it"));
        };
        let code = code.replace("8080", &self.server.port().to_string());
        let output = Command::new(python).args(["-c", &code]).env_clear().env("PYTHONUTF8", "1").output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output.stdout.is_empty(), "{place}: {code}\n{errors}{}", self.server.log());
    }
}

/// Every page there is.
fn pages() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let files = std::fs::read_dir(root.join("docs")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let pages = names
        .filter(|name| Path::new(name).extension().is_some_and(|end| end == "md"))
        .map(|name| format!("docs/{name}"));
    let mut pages: Vec<String> = pages.chain(["README.md".to_owned(), "ARCHITECTURE.md".to_owned()]).collect();
    pages.sort();
    pages
}

/// Runs a page; returns what was left out.
async fn run_page(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page)).unwrap();
    let blocks = blocks(&text);
    let mut left_out = Vec::new();
    if !blocks.iter().any(|block| !matches!(block.run, Run::File(_) | Run::Nothing | Run::No(_))) {
        left_out.extend(blocks.iter().filter_map(|block| block.left_out(page)));
        return left_out;
    }
    let mut place = Place::new().await;
    for Block { run, text, .. } in &blocks {
        if let Run::File(name) = run {
            std::fs::write(place.home.path().join(name), text).unwrap();
        }
    }
    for block in &blocks {
        let at = format!("{page}:{}", block.line);
        match &block.run {
            Run::Commands => place.run(&at, &block.text),
            Run::Serves => place.start(&at, &block.text).await,
            Run::Endless => place.run_endless(&at, &block.text),
            Run::WithPython => place.run_with_python(&at, &block.text),
            Run::Python => place.run_python(&at, &block.text),
            Run::No(_) | Run::File(_) | Run::Nothing => {}
        }
        left_out.extend(block.left_out(page));
    }
    left_out
}

#[tokio::test]
async fn every_command_of_the_manual_runs() {
    let mut left_out = Vec::new();
    for page in pages() {
        left_out.extend(run_page(&page).await);
    }
    let list = format!("{} blocks of the manual are not run:\n{}\n", left_out.len(), left_out.join("\n"));
    // Past the capturing of output: it is to be seen although the test passes.
    let _ = std::io::stderr().write_all(list.as_bytes());
    assert!(left_out.len() <= MOST_LEFT_OUT, "{list}");
}
