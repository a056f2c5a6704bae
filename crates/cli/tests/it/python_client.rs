//! Published Python packages with the real executable: clients of the registry, and the Prometheus parser. The checks are in
//! the scripts under `tests/python`.

use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use model_registry_testkit::{Backend, Executable, TestDatabase};
use tokio::process::Command;

use crate::support::{PROGRAM, print_skipped, start_on};

/// Variables with the Python interpreters of virtual environments, each with one version of the client.
const CLIENT_0_3_9: &str = "MR_TEST_PYTHON_CLIENT_0_3_9";
const CLIENT_0_3_18: &str = "MR_TEST_PYTHON_CLIENT_0_3_18";

/// The same with `prometheus_client`.
const PROMETHEUS: &str = "MR_TEST_PROMETHEUS_CLIENT";

const LIMIT: Duration = Duration::from_mins(3);

#[tokio::test]
async fn client_0_3_9_registers_finds_pages_and_archives() {
    run(CLIENT_0_3_9, "registry.py").await;
}

#[tokio::test]
async fn client_0_3_18_registers_finds_pages_and_archives() {
    run(CLIENT_0_3_18, "registry.py").await;
}

#[tokio::test]
async fn the_types_of_client_0_3_9_accept_every_response() {
    run(CLIENT_0_3_9, "openapi.py").await;
}

#[tokio::test]
async fn the_types_of_client_0_3_18_accept_every_response() {
    run(CLIENT_0_3_18, "openapi.py").await;
}

#[tokio::test]
async fn client_0_3_9_logs_experiments_with_metrics_from_several_threads() {
    run(CLIENT_0_3_9, "experiments.py").await;
}

#[tokio::test]
async fn prometheus_parses_the_metrics() {
    let Some(python) = interpreter(PROMETHEUS, "metrics.py") else { return };
    let server = Executable::launch(PROGRAM).arguments(["up", "--port", "{port}"]).start().await.unwrap();
    run_on(&server, &python, "metrics.py").await;
}

/// Runs a script with its own server.
async fn run(variable: &str, script: &str) {
    let Some(python) = interpreter(variable, script) else { return };
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    run_on(&start_on(&database).await, &python, script).await;
}

pub(crate) fn interpreter(variable: &str, script: &str) -> Option<PathBuf> {
    let python = std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    if python.is_none() {
        print_skipped(&format!(
            "{script} skipped: {variable} is not set; `cargo xtask test` creates the environment and sets it"
        ));
    }
    python
}

async fn run_on(server: &Executable, python: &Path, script: &str) {
    let (status, output) = complete(python, script, &server.base_url()).await;
    assert!(status.success(), "{script}: {status}\n{output}\nthe server:\n{}", server.log());
}

/// Runs a script with the address of a server until it ends; returns its status and output.
pub(crate) async fn complete(python: &Path, script: &str, base_url: &str) -> (ExitStatus, String) {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    let mut command = Command::new(python);
    // -B: write no compiled files next to the scripts.
    command.arg("-B").arg(scripts.join(script)).arg(base_url);
    command.env_clear().env("PYTHONUTF8", "1").stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(LIMIT, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{script} did not end within {LIMIT:?}")).unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status, format!("{out}{errors}"))
}
