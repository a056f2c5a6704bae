//! schemathesis against the running executable: requests made up from the schemas, and what the answers must be like.
//!
//! Over our own document every check runs; over the contract, that no valid request is refused and none fails the
//! server. `tests/schemathesis` holds what a schema cannot say. To look closer, start a server and run by hand, there:
//!
//! ```text
//! schemathesis run http://127.0.0.1:8080/openapi.json --checks all --max-examples 100
//! ```

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use model_registry_testkit::Executable;
use tokio::process::Command;

/// Requests that are made up per operation and kind of data; the systematic ones come on top.
const EXAMPLES: &str = "5";

const LEFT_OUT: &str = "
*** LEFT OUT: schemathesis. MR_TEST_SCHEMATHESIS does not name its executable; `cargo xtask test` does it, or
*** python3 -m venv st && st/bin/pip install schemathesis==4.32.5 and MR_TEST_SCHEMATHESIS=st/bin/schemathesis
";

#[tokio::test]
async fn our_document_holds_against_made_up_requests() {
    let Some(schemathesis) = schemathesis() else { return };
    let server = server().await;
    let document = format!("{}/openapi.json", server.base_url());
    run(&schemathesis, &server, &[&document, "--checks", "all"]).await;
}

#[tokio::test]
async fn the_contract_holds_against_made_up_requests() {
    let Some(schemathesis) = schemathesis() else { return };
    let server = server().await;
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../registry/tests/contract/model-registry.yaml");
    let contract = contract.canonicalize().unwrap().display().to_string();
    let checks = "not_a_server_error,positive_data_acceptance";
    // Bad requests are the other test's: schemathesis cannot always make them up from the contract's nested `allOf`.
    let arguments = [&contract, "--url", &server.base_url(), "--checks", checks, "--mode", "positive"];
    run(&schemathesis, &server, &arguments).await;
}

#[tokio::test]
async fn the_document_of_the_catalog_holds_against_made_up_requests() {
    let Some(schemathesis) = schemathesis() else { return };
    let server = catalog().await;
    let document = format!("{}/api/model_catalog/openapi.json", server.base_url());
    run(&schemathesis, &server, &[&document, "--checks", "all"]).await;
}

#[tokio::test]
async fn the_contract_of_the_catalog_holds_against_made_up_requests() {
    let Some(schemathesis) = schemathesis() else { return };
    let server = catalog().await;
    let contract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/tests/contract/catalog.yaml");
    let contract = contract.canonicalize().unwrap().display().to_string();
    let checks = "not_a_server_error,positive_data_acceptance";
    let arguments = [&contract, "--url", &server.base_url(), "--checks", checks, "--mode", "positive"];
    run(&schemathesis, &server, &arguments).await;
}

/// A catalog with the data of its recorded exchanges: every kind of thing that the schemas describe.
async fn catalog() -> Executable {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../catalog/tests/golden/data").canonicalize().unwrap();
    let sources = data.join("sources.yaml").display().to_string();
    let measurements = data.join("performance").display().to_string();
    Executable::launch(env!("CARGO_BIN_EXE_model-registry"))
        .arguments(["catalog", "--listen", "127.0.0.1:{port}", "--database", "sqlite:catalog.db"])
        .arguments(["--catalogs-path", &sources, "--performance-metrics", &measurements])
        .start()
        .await
        .expect("the executable starts")
}

#[expect(clippy::disallowed_methods, reason = "the test command says where schemathesis is; no setting of the server")]
fn schemathesis() -> Option<PathBuf> {
    let program = std::env::var("MR_TEST_SCHEMATHESIS").ok();
    if program.is_none() {
        // Past the capturing of output: that it was left out is to be seen although the tests pass.
        let _ = std::io::stderr().write_all(LEFT_OUT.as_bytes());
    }
    program.map(PathBuf::from)
}

async fn server() -> Executable {
    Executable::launch(env!("CARGO_BIN_EXE_model-registry"))
        .arguments(["server", "--listen", "127.0.0.1:{port}", "--database", "sqlite:registry.db"])
        .start()
        .await
        .expect("the executable starts")
}

/// Fails with the whole report where anything was found.
async fn run(schemathesis: &Path, server: &Executable, arguments: &[&str]) {
    // It runs in the server's directory, where it may leave what it likes.
    for file in ["schemathesis.toml", "hooks.py", "catalog_hooks.py"] {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemathesis").join(file);
        fs::copy(source, server.directory().join(file)).expect("the server's directory takes files");
    }
    let output = Command::new(schemathesis)
        .arg("run")
        .args(arguments)
        // The same requests every time: a failure here is one of the change that it appears with.
        .args(["--max-examples", EXAMPLES, "--seed", "1", "--continue-on-failure", "--no-color"])
        .current_dir(server.directory())
        .kill_on_drop(true)
        .output()
        .await
        .expect("schemathesis starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}\nThe server wrote:\n{}", server.log());
}
