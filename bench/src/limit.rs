//! What the database can do alone: the equivalent statements by pgbench, with the same number of clients.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use model_registry_testkit::{PostgresServer, find_program};

use crate::data::Data;
use crate::scenario::Scenario;

/// Lets the planner know the data before anything is measured.
pub(crate) fn analyse(url: &str) -> Result<()> {
    let status = Command::new("psql").arg(url).args(["-qc", "VACUUM ANALYZE"]).status().context("cannot start psql")?;
    if !status.success() {
        bail!("psql failed");
    }
    Ok(())
}

/// Transactions a second, or none where a scenario has no single equivalent.
pub(crate) fn run(
    scenario: &Scenario,
    data: &Data,
    url: &str,
    clients: usize,
    duration: Duration,
) -> Result<Option<f64>> {
    let Some(script) = script(scenario.name, data) else { return Ok(None) };
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("script.sql");
    std::fs::write(&path, script)?;
    let output = Command::new(pgbench()?)
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--client"])
        .arg(clients.to_string())
        .arg("--time")
        .arg(duration.as_secs().to_string())
        .arg("--file")
        .arg(&path)
        .arg(url)
        .output()
        .context("cannot start pgbench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok());
    match number {
        Some(number) => Ok(Some(number)),
        None => bail!("pgbench failed: {text}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn pgbench() -> Result<PathBuf> {
    let server = PostgresServer::find()?;
    let beside: Vec<PathBuf> = server.parent().map(PathBuf::from).into_iter().collect();
    find_program("pgbench", &beside).context("pgbench is missing: apt-get install -y postgresql")
}

fn script(name: &str, data: &Data) -> Option<String> {
    let (first, last) = (data.version_ids.first()?, data.version_ids.last()?);
    let run = data.experiment_run_ids.first()?;
    let random = format!("\\set id random({first}, {last})\n");
    let one_property = |name: &str, value: &str| {
        format!(
            "EXISTS (SELECT 1 FROM property p WHERE p.kind = 2 AND p.owner_id = r.id AND p.name = '{name}' AND {value})"
        )
    };
    Some(match name {
        "get by id" => format!(
            "{random}SELECT kind, id, revision, document FROM resource WHERE workspace_id = 1 AND id = :id AND kind = 2;\n"
        ),
        "list 100" => format!(
            "{random}SELECT id, id, document FROM resource WHERE workspace_id = 1 AND kind = 2 AND id > :id \
             ORDER BY id LIMIT 101;\n"
        ),
        "filter, 3 properties" => format!(
            "\\set team random(0, 49)\nSELECT r.id, r.id, r.document FROM resource r WHERE r.workspace_id = 1 AND r.kind = 2 \
             AND {} AND {} AND {} ORDER BY r.id LIMIT 101;\n",
            one_property("stage", "left(p.string_value, 255) = 'production'"),
            one_property(
                "team",
                "left(p.string_value, 255) = 'team-' || :team"
            ),
            one_property("accuracy", "p.double_value > 0.5"),
        ),
        "metric log" => format!(
            "BEGIN;\nSELECT id, document FROM resource WHERE id = {run} AND kind = 7;\n\
             INSERT INTO metric_point (workspace_id, experiment_id, experiment_run_id, name, value, create_time, update_time, \
             document) VALUES (1, 1, {run}, 'pgbench', 0.5, 1, 1, repeat('x', 300));\n\
             INSERT INTO change_log (workspace_id, time, kind, entity_id, verb, revision) VALUES (1, 1, 14, 1, 'update', 1);\n\
             COMMIT;\n"
        ),
        "register" => "BEGIN;\n\
             INSERT INTO resource (workspace_id, kind, family, parent_id, name, create_time, update_time, revision, document) \
             VALUES (1, 1, 1, 0, gen_random_uuid()::text, 1, 1, 1, repeat('x', 200));\n\
             INSERT INTO resource (workspace_id, kind, family, parent_id, name, create_time, update_time, revision, document) \
             VALUES (1, 2, 1, 1, gen_random_uuid()::text, 1, 1, 1, repeat('x', 1000)) RETURNING id \\gset\n\
             INSERT INTO property (workspace_id, kind, owner_id, name, custom, ordinal, string_value) \
             SELECT 1, 2, :id, 'pgbench-' || n, true, 0, 'value' FROM generate_series(1, 12) n;\n\
             INSERT INTO artifact (workspace_id, kind, parent_id, name, create_time, update_time, revision, document) \
             VALUES (1, 11, :id, 'weights', 1, 1, 1, repeat('x', 300));\n\
             INSERT INTO artifact (workspace_id, kind, parent_id, name, create_time, update_time, revision, document) \
             VALUES (1, 12, :id, 'card', 1, 1, 1, repeat('x', 300));\n\
             INSERT INTO change_log (workspace_id, time, kind, entity_id, verb, revision) \
             SELECT 1, 1, 2, :id, 'create', 1 FROM generate_series(1, 4);\n\
             COMMIT;\n"
            .to_owned(),
        _ => return None,
    })
}
