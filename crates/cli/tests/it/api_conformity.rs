//! schemathesis with the running executable: generates requests from OpenAPI documents and checks the responses.
//!
//! For our own documents it runs every check. For the contracts it checks that no valid request is rejected and that none makes
//! the server fail. `tests/schemathesis` has the constraints that a schema cannot express. To debug, start a server and run
//! in that directory:
//!
//! ```text
//! schemathesis run http://127.0.0.1:8080/openapi.json --checks all --max-examples 100
//! ```

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use model_registry_testkit::Executable;
use tokio::process::Command;

use crate::support::role_on;

/// Random requests per operation and kind of data, in addition to the systematic ones.
const EXAMPLES: &str = "5";

const SKIPPED: &str = "
*** SKIPPED: schemathesis. MR_TEST_SCHEMATHESIS is not set to its executable; `cargo xtask test` sets it, or run
*** python3 -m venv st && st/bin/pip install schemathesis==4.32.5 and MR_TEST_SCHEMATHESIS=st/bin/schemathesis
";

// In several tests, because this takes longest, and tests run at the same time. Each path belongs to one of them, and paths that
// link to each other belong to the same one. Tests start in the order of their names: those of this file start first.
const ALPHA: &str = "/v1alpha3/";
/// Only v1alpha3 has experiments.
const EXPERIMENTS: &str = "/v1alpha3/experiment";

#[tokio::test]
async fn experiments_and_runs_under_v1alpha3_conform_to_the_openapi_document() {
    the_registry_conforms(&["--include-path-regex", EXPERIMENTS]).await;
}

#[tokio::test]
async fn other_entities_under_v1alpha3_conform_to_the_openapi_document() {
    the_registry_conforms(&["--include-path-regex", ALPHA, "--exclude-path-regex", EXPERIMENTS]).await;
}

#[tokio::test]
async fn all_other_paths_of_the_registry_conform_to_the_openapi_document() {
    the_registry_conforms(&["--exclude-path-regex", ALPHA]).await;
}

async fn the_registry_conforms(paths: &[&str]) {
    let Some(schemathesis) = schemathesis() else { return };
    let server = server().await;
    let document = format!("{}/openapi.json", server.base_url());
    run(&schemathesis, &server, &[&[&document, "--checks", "all"], paths].concat()).await;
}

#[tokio::test]
async fn the_registry_accepts_every_valid_request_of_the_contract() {
    let Some(schemathesis) = schemathesis() else { return };
    let server = server().await;
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../registry/tests/contract/model-registry.yaml");
    let contract = contract.canonicalize().unwrap().display().to_string();
    let checks = "not_a_server_error,positive_data_acceptance";
    // Only valid requests: schemathesis cannot always generate invalid ones from the nested `allOf` of the contract.
    let arguments = [&contract, "--url", &server.base_url(), "--checks", checks, "--mode", "positive"];
    run(&schemathesis, &server, &arguments).await;
}

#[tokio::test]
async fn the_catalog_conforms_to_its_openapi_document() {
    let Some(schemathesis) = schemathesis() else { return };
    let server = catalog().await;
    let document = format!("{}/api/model_catalog/openapi.json", server.base_url());
    run(&schemathesis, &server, &[&document, "--checks", "all"]).await;
}

#[tokio::test]
async fn the_catalog_accepts_every_valid_request_of_the_contracts() {
    let Some(schemathesis) = schemathesis() else { return };
    let server = catalog().await;
    for file in ["catalog.yaml", "catalog-v1.yaml"] {
        let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/tests/contract").join(file);
        let contract = contract.canonicalize().unwrap().display().to_string();
        let checks = "not_a_server_error,positive_data_acceptance";
        let arguments = [&contract, "--url", &server.base_url(), "--checks", checks, "--mode", "positive"];
        run(&schemathesis, &server, &arguments).await;
    }
}

/// A catalog with the data of the recorded exchanges, which has every kind of object in the schemas.
async fn catalog() -> Executable {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/tests/golden").canonicalize().unwrap();
    let path = |file: &str| golden.join(file).display().to_string();
    let (sources, newer_sources) = (path("data/sources.yaml"), path("2026-08/data/sources.yaml"));
    let measurements = path("data/performance");
    role_on("catalog", "sqlite:catalog.db")
        .arguments(["--catalogs-path", &sources, "--catalogs-path", &newer_sources])
        .arguments(["--performance-metrics", &measurements])
        .start()
        .await
        .expect("the executable starts")
}

#[expect(clippy::disallowed_methods, reason = "set by the test command; not a setting of the server")]
fn schemathesis() -> Option<PathBuf> {
    let program = std::env::var("MR_TEST_SCHEMATHESIS").ok();
    if program.is_none() {
        // Not `eprintln!`, which the test harness captures.
        let _ = std::io::stderr().write_all(SKIPPED.as_bytes());
    }
    program.map(PathBuf::from)
}

async fn server() -> Executable {
    role_on("server", "sqlite:registry.db").start().await.expect("the executable starts")
}

/// Fails with the report of schemathesis if a check fails.
async fn run(schemathesis: &Path, server: &Executable, arguments: &[&str]) {
    // It runs in the temporary directory of the server, because it writes files.
    for file in ["schemathesis.toml", "hooks.py", "catalog_hooks.py"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis").join(file);
        fs::copy(source, server.directory().join(file)).expect("the server's directory takes files");
    }
    let output = Command::new(schemathesis)
        .arg("run")
        .args(arguments)
        // A fixed seed, so that a failure is caused by the change under test.
        .args(["--max-examples", EXAMPLES, "--seed", "1", "--continue-on-failure", "--no-color"])
        .current_dir(server.directory())
        .kill_on_drop(true)
        .output()
        .await
        .expect("schemathesis starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}\nLog of the server:\n{}", server.log());
}
