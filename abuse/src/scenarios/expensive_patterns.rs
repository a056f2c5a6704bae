//! Patterns that take long to match without a bound.

use std::time::Duration;

use anyhow::Result;
use tokio::task::JoinSet;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "expensive-patterns",
    about: "eight previews of 1,000 patterns and 1,000 names at once, then four of 8 MiB, and SIGTERM",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

const PREVIEW: &str = "/api/model_catalog/v1alpha1/sources/preview?pageSize=10";

/// How soon after SIGTERM the server has to end; generous, for a busy machine.
const END: Duration = Duration::from_secs(15);

/// Patterns that match none of the names, but almost all of each; the parts of a preview.
fn parts(patterns: usize, names: usize, stars: usize) -> (String, String) {
    let pattern = format!("{}b", "a*".repeat(stars));
    let listed: Vec<String> = (0..patterns).map(|number| format!("'{pattern}{number}'")).collect();
    let config = format!("type: yaml\nincludedModels: [{}]\n", listed.join(", "));
    let models: Vec<String> = (0..names).map(|number| format!("- name: {}{number}\n", "a".repeat(200))).collect();
    (config, format!("models:\n{}", models.concat()))
}

async fn run(stage: Stage) -> Result<Measured> {
    let database = stage.database().await?;
    let launch = stage.launch("up", database.url()).arguments(["--limits-drain", "5s"]);
    let mut abused = Abused::start_with(database, launch, Ok).await?;
    abused.begin();
    let names = stage.amount(500, 1_000);
    let patience = Duration::from_secs(stage.amount(4, 10));
    // As many as the server has threads, or more.
    preview(&mut abused, patience, vec![parts(1_000, names, 30); 8]).await?;
    preview(&mut abused, patience, vec![parts(20_000, 18_000, 60); 4]).await?;
    abused.finish_by_signal(END).await
}

/// Sends previews at once, and disconnects if they take longer than the patience.
async fn preview(abused: &mut Abused, patience: Duration, previews: Vec<(String, String)>) -> Result<()> {
    let mut clients = JoinSet::new();
    for (config, data) in previews {
        let api = abused.api.apart()?;
        clients.spawn(async move {
            let sending = async { api.post_form(PREVIEW, &[("config", &config), ("catalogData", &data)]).await.ok() };
            tokio::time::timeout(patience, sending).await.ok().flatten().map(|response| response.status)
        });
    }
    while let Some(status) = clients.join_next().await {
        if let Some(status) = status?.filter(|status| *status != 200) {
            abused.expect_rejection(status, "a preview");
        }
    }
    Ok(())
}
