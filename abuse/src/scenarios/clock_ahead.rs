//! One of two replicas has a clock that is a day ahead.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use model_registry_testkit::Executable;

use crate::api::Api;
use crate::load::Load;
use crate::scenario::{Group, Limits, Measured, NONE, NotPossible, SERVERS, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "clock-ahead",
    about: "a replica whose clock is a day ahead is killed: the other one has to take over its catalog lease",
    group: Group::Fault,
    databases: SERVERS,
    short: NONE,
    // The lease lasts ten seconds, and the catalog is loaded after it was taken.
    limits: Limits::unserved(30),
    run: |stage| Box::pin(run(stage)),
};

/// Where packages install the library that shifts a program's clock.
const LIBRARIES: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib64/faketime/libfaketime.so.1",
];
const SOURCES: &str = "model_catalogs: [{id: s, name: S, type: yaml, properties: {yamlCatalogPath: models.yaml}}]\n";

async fn run(stage: Stage) -> Result<Measured> {
    let library = LIBRARIES.iter().find(|path| PathBuf::from(path).exists());
    let library =
        library.context(NotPossible("the library libfaketime is not installed: apt-get install libfaketime"))?;
    let database = stage.database().await?;
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("sources.yaml"), SOURCES)?;
    let models = directory.path().join("models.yaml");
    fs::write(&models, "models: [{name: first}]\n")?;
    let sources = directory.path().join("sources.yaml").display().to_string();
    let launch = || stage.launch("up", database.url()).arguments(["--catalogs-path", &sources]);

    let mut ahead = launch()
        .variable("LD_PRELOAD", library)
        .variable("FAKETIME", "+1d")
        .variable("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .start()
        .await?;
    has_model(&ahead, "first").await?;
    let server = launch().start().await?;
    let api = Api::of(&server)?;
    let load = Load::start(&api, 4, "load-")?;
    load.more(20, Duration::from_mins(1)).await?;
    ahead.kill().await?;
    let start = Instant::now();
    fs::write(&models, "models: [{name: first}, {name: second}]\n")?;
    has_model(&server, "second").await?;
    let unserved = start.elapsed();

    let ledger = load.end().await;
    let memory = server.peak_memory()?;
    let damage = ledger.compare(&api).await?;
    Ok(Measured {
        acknowledged: ledger.acknowledged(),
        lost: damage.lost,
        partial: damage.partial,
        unserved,
        memory,
        problems: ledger.unexpected_statuses(),
    })
}

/// Waits until the catalog has a model.
async fn has_model(server: &Executable, name: &str) -> Result<()> {
    let (api, start) = (Api::of(server)?, Instant::now());
    loop {
        let response = api.get("/api/model_catalog/v1alpha1/models").await?;
        if response.status == 200 && response.json()?["items"].to_string().contains(&format!("\"{name}\"")) {
            return Ok(());
        }
        ensure!(start.elapsed() < Duration::from_mins(1), "the catalog does not have `{name}` after a minute");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
