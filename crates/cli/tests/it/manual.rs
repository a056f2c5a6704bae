//! Runs every shell block of every page of the documentation in order, with one server per page.
//!
//! Attributes of a fence after the language:
//!
//! * `serves`: the block starts a server; the following commands use that server.
//! * `endless`: the command does not end; it is stopped after its first output, or after a second if it prints nothing.
//! * `stores`: the commands use object stores, a hub, a web server or a registry of images; temporary ones take their place.
//! * `python`: the commands need the Python environment of `cargo xtask test`.
//! * `no-run` with a reason: the block is not run. The number of such blocks is limited.
//! * `with-output`: `command_line/documentation.rs` runs the block with the sample catalog and compares the output.
//! * a file name (`toml policy.toml`): the content of a file in the directory of the commands.

mod page;
mod stores;

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use model_registry_testkit::{Backend, Executable, IssuerServer, TestDatabase};
use tempfile::TempDir;

use crate::manual::page::{Block, Run, blocks};
use crate::manual::stores::Stores;
use crate::support::{PROGRAM, TIME_LIMIT, print_skipped};

/// Limit for the number of blocks that are not run.
const MOST_SKIPPED: usize = 8;
const PYTHON: &str = "MR_TEST_PYTHON_CLIENT_0_3_18";

/// The environment in which the commands of a page run.
struct Environment {
    home: TempDir,
    database: TestDatabase,
    server: Executable,
    issuer: IssuerServer,
    /// The server that a block started.
    started: Option<Started>,
    /// The stores of the blocks that use some.
    stores: Option<Stores>,
}

/// A process that is killed with its children when dropped.
struct Started(std::process::Child);

impl Drop for Started {
    fn drop(&mut self) {
        if let Some(group) = rustix::process::Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

impl Environment {
    async fn new() -> Self {
        // PostgreSQL if configured, because the examples use it.
        let backend = if Backend::Postgres.is_configured() { Backend::Postgres } else { Backend::Sqlite };
        let database = TestDatabase::create(backend).await.unwrap();
        let arguments = ["up", "--port", "{port}", "--database", database.url(), "--log-level", "warn"];
        let server = Executable::launch(PROGRAM).arguments(arguments).start().await.unwrap();
        let home = tempfile::tempdir().unwrap();
        // Unlike for users, an error status fails the command.
        let curl = home.path().join("bin/curl");
        std::fs::create_dir(home.path().join("bin")).unwrap();
        std::fs::write(&curl, "#!/bin/sh\nexec /usr/bin/curl --fail-with-body --noproxy '*' \"$@\"\n").unwrap();
        std::fs::set_permissions(&curl, std::fs::Permissions::from_mode(0o755)).unwrap();
        let issuer = IssuerServer::start(&[]).await.unwrap();
        Self { home, database, server, issuer, started: None, stores: None }
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
        // Variables of one block are kept for the next.
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

    fn run(&self, at: &str, commands: &str) {
        self.complete(at, commands, self.shell(commands));
    }

    fn complete(&self, at: &str, commands: &str, mut shell: Command) {
        let output = shell.output().unwrap();
        self.check(at, commands, &output);
    }

    fn check(&self, at: &str, commands: &str, output: &std::process::Output) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{at}: {}\n{commands}\n{out}{errors}{}", output.status, self.server.log());
    }

    /// Runs commands with temporary stores, which the first block starts.
    async fn run_with_stores(&mut self, at: &str, commands: &str) {
        if self.stores.is_none() {
            let place = self.home.path().join(".stores");
            std::fs::create_dir(&place).unwrap();
            self.stores = Some(Stores::start(&place).await);
        }
        let Some(stores) = &self.stores else { return };
        let mut shell = self.shell(&stores.in_place_of_public_ones(commands));
        shell.envs(stores.variables());
        self.complete_in_background(at, commands, shell).await;
    }

    /// Other than [`Self::complete`], it leaves this thread to the stores, which run here.
    async fn complete_in_background(&self, at: &str, commands: &str, shell: Command) {
        let mut shell = tokio::process::Command::from(shell);
        let output = shell.kill_on_drop(true).output().await.unwrap();
        self.check(at, commands, &output);
    }

    /// Runs a command that does not end, and stops it after its first output, or after a second if it prints nothing.
    fn run_endless(&self, at: &str, commands: &str) {
        let commands = format!(
            "{} > output & for n in $(seq 10); do [ -s output ] && break; sleep 0.1; done; kill $!",
            commands.trim()
        );
        self.run(at, &commands);
    }

    /// Starts a server in place of the previous one, and waits until it is ready.
    async fn start(&mut self, at: &str, commands: &str) {
        use std::os::unix::process::CommandExt;
        let _ = self.server.terminate().await;
        self.started = None;
        let log = std::fs::File::create(self.home.path().join("server.log")).unwrap();
        let mut shell = self.shell(commands);
        let child = shell.stdout(log.try_clone().unwrap()).stderr(log).process_group(0).spawn().unwrap();
        self.started = Some(Started(child));
        let since = Instant::now();
        let ready = format!("{}/readyz/health", self.server.base_url());
        let http = reqwest::Client::builder().no_proxy().timeout(TIME_LIMIT).build().unwrap();
        while !http.get(&ready).send().await.is_ok_and(|response| response.status().is_success()) {
            let log = std::fs::read_to_string(self.home.path().join("server.log")).unwrap();
            assert!(since.elapsed() < TIME_LIMIT, "{at}: the server is not ready\n{commands}\n{log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Runs commands with the Python environment in the path.
    fn run_with_python(&self, at: &str, commands: &str) {
        let Some(python) = std::env::var_os(PYTHON) else {
            return print_skipped(&format!("{at} skipped: {PYTHON} is not set; `cargo xtask test` sets it"));
        };
        let directory = Path::new(&python).parent().unwrap().display();
        self.complete(at, commands, self.shell(&format!("PATH={directory}:$PATH\n{commands}")));
    }

    fn run_python(&self, at: &str, code: &str) {
        let Some(python) = std::env::var_os(PYTHON) else {
            return print_skipped(&format!("{at} skipped: {PYTHON} is not set; `cargo xtask test` sets it"));
        };
        let code = code.replace("8080", &self.server.port().to_string());
        let output = Command::new(python).args(["-c", &code]).env_clear().env("PYTHONUTF8", "1").output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && !output.stdout.is_empty(), "{at}: {code}\n{errors}{}", self.server.log());
    }
}

/// The paths of all pages.
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

/// Runs a page; returns the skipped blocks.
async fn run_page(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(page)).unwrap();
    let blocks = blocks(&text);
    let mut skipped = Vec::new();
    if !blocks.iter().any(|block| !matches!(block.run, Run::File(_) | Run::Nothing | Run::No(_))) {
        skipped.extend(blocks.iter().filter_map(|block| block.skipped(page)));
        return skipped;
    }
    let mut environment = Environment::new().await;
    for Block { run, text, .. } in &blocks {
        if let Run::File(name) = run {
            std::fs::write(environment.home.path().join(name), text).unwrap();
        }
    }
    for block in &blocks {
        let at = format!("{page}:{}", block.line);
        match &block.run {
            Run::Commands => environment.run(&at, &block.text),
            Run::Serves => environment.start(&at, &block.text).await,
            Run::Endless => environment.run_endless(&at, &block.text),
            Run::WithStores => environment.run_with_stores(&at, &block.text).await,
            Run::WithPython => environment.run_with_python(&at, &block.text),
            Run::Python => environment.run_python(&at, &block.text),
            Run::No(_) | Run::File(_) | Run::Nothing => {}
        }
        skipped.extend(block.skipped(page));
    }
    skipped
}

#[tokio::test]
async fn every_command_of_the_documentation_runs() {
    let mut skipped = Vec::new();
    for page in pages() {
        skipped.extend(run_page(&page).await);
    }
    let list = format!("{} blocks of the documentation are not run:\n{}\n", skipped.len(), skipped.join("\n"));
    // Not `eprintln!`, which the test harness captures.
    let _ = std::io::stderr().write_all(list.as_bytes());
    assert!(skipped.len() <= MOST_SKIPPED, "{list}");
}
