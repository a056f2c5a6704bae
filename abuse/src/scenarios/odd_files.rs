//! A FIFO, a device and a directory in the place of catalog files.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model_registry_testkit::make_fifo;
use tokio::process::Command;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "odd-files",
    about: "a FIFO, a device and a directory as catalog files, next to a file that is fine",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

/// Limit for the load of the other files and for `catalog check`.
const TIME: Duration = Duration::from_secs(20);

async fn run(stage: Stage) -> Result<Measured> {
    let directory = tempfile::tempdir()?;
    let fifo = directory.path().join("fifo.yaml");
    make_fifo(&fifo);
    std::fs::write(directory.path().join("good.yaml"), "models: [{name: good}]\n")?;
    let sources = directory.path().join("sources.yaml");
    let source = |id: &str, file: &str| {
        format!("  - {{id: {id}, name: {id}, type: yaml, properties: {{yamlCatalogPath: '{file}'}}}}\n")
    };
    let entries = [("fifo", "fifo.yaml"), ("device", "/dev/zero"), ("directory", "."), ("good", "good.yaml")];
    let text: String = entries.iter().map(|(id, file)| source(id, file)).collect();
    std::fs::write(&sources, format!("model_catalogs:\n{text}"))?;

    let database = stage.database().await?;
    let sources_argument = sources.display().to_string();
    let launch = stage.launch("up", database.url()).arguments(["--catalogs-path", &sources_argument]);
    let mut abused = Abused::start_with(database, launch, Ok).await?;
    let statuses = source_statuses(&abused).await?;
    abused.expect(statuses == ["error", "error", "error", "available"], || {
        format!("statuses of FIFO, device, directory and file: {statuses:?}")
    });
    for (path, what) in [
        (sources.as_path(), "sources with odd files"),
        (&fifo, "a FIFO as sources file"),
        (directory.path(), "a directory"),
    ] {
        let code = check(&stage, path).await?;
        abused.expect(code == Some(1), || format!("`catalog check` of {what}: {code:?} instead of exit code 1"));
    }
    abused.finish().await
}

/// The statuses of the sources in the order of the file, once none is without one.
async fn source_statuses(abused: &Abused) -> Result<Vec<String>> {
    let start = Instant::now();
    loop {
        let sources = abused.api.get("/api/model_catalog/v1alpha1/sources?pageSize=100").await?;
        let list = if sources.status == 200 { sources.json()? } else { serde_json::Value::Null };
        let status = |id: &str| {
            let source = list["items"].as_array()?.iter().find(|source| source["id"] == id)?;
            source["status"].as_str().map(str::to_owned)
        };
        let statuses: Vec<_> = ["fifo", "device", "directory", "good"].into_iter().map(status).collect();
        let is_complete = statuses.iter().all(Option::is_some);
        if is_complete || start.elapsed() > TIME {
            return Ok(statuses.into_iter().map(Option::unwrap_or_default).collect());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The exit code of `catalog check`; `None` if it does not end.
async fn check(stage: &Stage, path: &Path) -> Result<Option<i32>> {
    let mut command = Command::new(&stage.executable);
    command.args(["catalog", "check"]).arg(path).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match tokio::time::timeout(TIME, command.status()).await {
        Ok(status) => Ok(status.context("cannot start `catalog check`")?.code()),
        Err(_) => Ok(None),
    }
}
