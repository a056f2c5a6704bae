//! Measures the database alone: the statements of a scenario, run by pgbench with the same number of clients.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use model_registry_testkit::{PostgresServer, find_program};

use crate::data::{Data, FRAMEWORKS};
use crate::scenario::{DEEP, Scenario, deep_page};

/// Updates the planner's statistics and writes everything to the disk, before anything is measured.
pub(crate) fn analyse(url: &str) -> Result<()> {
    let status = Command::new("psql")
        .arg(url)
        .args(["-qc", "VACUUM ANALYZE", "-c", "CHECKPOINT"])
        .status()
        .context("cannot start psql")?;
    if !status.success() {
        bail!("psql failed");
    }
    Ok(())
}

/// Returns transactions per second; `None` if the scenario has no equivalent statements.
pub(crate) fn run(
    scenario: &Scenario,
    data: &Data,
    url: &str,
    clients: usize,
    duration: Duration,
) -> Result<Option<f64>> {
    let Some(scripts) = scripts(scenario.name, data) else { return Ok(None) };
    run_scripts(&scripts, url, clients, duration).map(Some)
}

/// Returns executions per second of one statement.
pub(crate) fn run_statement(text: String, url: &str, clients: usize, duration: Duration) -> Result<f64> {
    run_scripts(&[Script { weight: 1, text }], url, clients, duration)
}

fn run_scripts(scripts: &[Script], url: &str, clients: usize, duration: Duration) -> Result<f64> {
    let directory = tempfile::tempdir()?;
    let mut command = Command::new(pgbench()?);
    command
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=1", "--client"])
        .arg(clients.to_string())
        .arg("--time")
        .arg(duration.as_secs().to_string());
    for (number, Script { weight, text }) in scripts.iter().enumerate() {
        let path = directory.path().join(format!("{number}.sql"));
        std::fs::write(&path, text)?;
        command.arg("--file").arg(format!("{}@{weight}", path.display()));
    }
    let output = command.arg(url).output().context("cannot start pgbench")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix("tps = "));
    let number = line.and_then(|line| line.split_whitespace().next()).and_then(|number| number.parse().ok());
    match number {
        Some(number) => Ok(number),
        None => bail!("pgbench failed: {text}{}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn pgbench() -> Result<PathBuf> {
    let server = PostgresServer::find()?;
    find_program("pgbench", &[server]).context("pgbench is missing: apt-get install -y postgresql")
}

/// A script of statements; pgbench chooses among scripts by weight.
struct Script {
    weight: usize,
    text: String,
}

const PAGE: &str =
    "SELECT id, id, document FROM resource WHERE workspace_id = 1 AND kind = 2 AND id > :id ORDER BY id LIMIT 101;\n";

/// Inserts a version of model 1 and its properties; sets `:id` to its id.
const VERSION_ROWS: &str = "INSERT INTO resource (workspace_id, kind, family, parent_id, name, create_time, update_time, revision, document) \
     VALUES (1, 2, 1, 1, gen_random_uuid()::text, 1, 1, 1, repeat('x', 1000)) RETURNING id \\gset\n\
     INSERT INTO property (workspace_id, kind, owner_id, name, custom, ordinal, string_value) \
     SELECT 1, 2, :id, 'pgbench-' || n, true, 0, 'value' FROM generate_series(1, 12) n;\n";

fn registration() -> String {
    format!(
        "BEGIN;\n\
         INSERT INTO resource (workspace_id, kind, family, parent_id, name, create_time, update_time, revision, document) \
         VALUES (1, 1, 1, 0, gen_random_uuid()::text, 1, 1, 1, repeat('x', 200));\n\
         {VERSION_ROWS}\
         INSERT INTO artifact (workspace_id, kind, parent_id, name, create_time, update_time, revision, document) \
         VALUES (1, 11, :id, 'weights', 1, 1, 1, repeat('x', 300));\n\
         INSERT INTO artifact (workspace_id, kind, parent_id, name, create_time, update_time, revision, document) \
         VALUES (1, 12, :id, 'card', 1, 1, 1, repeat('x', 300));\n\
         INSERT INTO change_log (workspace_id, time, kind, entity_id, verb, revision) \
         SELECT 1, 1, 2, :id, 'create', 1 FROM generate_series(1, 4);\n\
         COMMIT;\n"
    )
}

fn version() -> String {
    format!(
        "BEGIN;\n\
         SELECT id, document FROM resource WHERE id = 1 AND kind = 1;\n\
         {VERSION_ROWS}\
         INSERT INTO change_log (workspace_id, time, kind, entity_id, verb, revision) VALUES (1, 1, 2, :id, 'create', 1);\n\
         COMMIT;\n"
    )
}

fn scripts(name: &str, data: &Data) -> Option<Vec<Script>> {
    let (first, last) = (data.version_ids.first()?, data.version_ids.last()?);
    let random = format!("\\set id random({first}, {last})\n");
    let get = format!(
        "{random}SELECT kind, id, revision, document FROM resource WHERE workspace_id = 1 AND id = :id AND kind = 2;\n"
    );
    let page_after = |id: i64| format!("\\set id {id}\n{PAGE}");
    let one_property = |name: &str, value: &str| {
        format!(
            "EXISTS (SELECT 1 FROM property p WHERE p.kind = 2 AND p.owner_id = r.id AND p.name = '{name}' AND {value})"
        )
    };
    let filtered = |condition: &str| {
        format!(
            "\\set number random(0, 49)\nSELECT r.id, r.id, r.document FROM resource r WHERE r.workspace_id = 1 AND r.kind = 2 \
             AND {} AND {condition} AND {} ORDER BY r.id LIMIT 101;\n",
            one_property("stage", "p.string_key = 'production'"),
            one_property("accuracy", "p.double_value > 0.5"),
        )
    };
    let text = match name {
        "get by id" => get,
        "list 100" | "full page walk" => format!("{random}{PAGE}"),
        "first page of 100" => page_after(0),
        DEEP => page_after(*data.version_ids.get(deep_page(data) * 100)?),
        "filter, 3 properties" => filtered(&one_property("team", "p.string_key = 'team-' || :number")),
        "filter, 3 common properties" => {
            let texts = FRAMEWORKS.map(|framework| format!("'{framework}'")).join(", ");
            filtered(&one_property("framework", &format!("p.string_key = (ARRAY[{texts}])[:number % 4 + 1]")))
        }
        "metric log" => {
            let (first, last) = (data.experiment_run_ids.first()?, data.experiment_run_ids.last()?);
            format!(
                "\\set run random({first}, {last})\nBEGIN;\n\
                 SELECT r.document, a.document FROM resource r LEFT JOIN artifact a ON a.workspace_id = 1 AND a.kind = 14 \
                 AND a.parent_id = :run AND a.name = 'loss' WHERE r.id = :run AND r.kind = 7;\n\
                 UPDATE artifact SET update_time = 2, revision = revision + 1, value = 0.5, step = 1, document = repeat('x', 300) \
                 WHERE workspace_id = 1 AND kind = 14 AND parent_id = :run AND name = 'loss';\n\
                 INSERT INTO metric_point (workspace_id, experiment_id, experiment_run_id, name, value, create_time, \
                 update_time, document) VALUES (1, 1, :run, 'loss', 0.5, 1, 1, repeat('x', 300));\n\
                 INSERT INTO change_log (workspace_id, time, kind, entity_id, verb, revision) VALUES (1, 1, 14, 1, 'update', 1);\n\
                 COMMIT;\n"
            )
        }
        "register" => registration(),
        "create version" => version(),
        "mixed, 90 % reads" => {
            return Some(vec![
                Script { weight: 7, text: get },
                Script { weight: 2, text: page_after(0) },
                Script { weight: 1, text: registration() },
            ]);
        }
        _ => return None,
    };
    Some(vec![Script { weight: 1, text }])
}
