//! The shapes of lists, each on every database, next to plain SQL by pgbench: how the cost of a page depends on its filter, what
//! orders, totals, filter options and searches cost.

mod requests;

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use model_registry_testkit::{Backend, Executable, MariaDbServer, PostgresServer, Stop, TestDatabase};
use serde_json::json;

use crate::connection::{Call, Connection};
use crate::data::{self, Size};
use crate::latencies::Latencies;
use crate::load::{self, Measured};
use crate::report::milliseconds;
use crate::scenario::Scenario;
use crate::{Arguments, Target, database_alone};
use requests::{OPTIONS, REQUESTS};

/// Few, because the load generator shares the processor with the server.
const CONNECTIONS: usize = 4;

/// The databases with their names as options.
const DATABASES: [(&str, &str); 3] = [("sqlite", "SQLite"), ("postgres", "PostgreSQL"), ("mariadb", "MariaDB")];

/// The names of the databases as options.
pub(crate) const DATABASE_NAMES: [&str; 3] = [DATABASES[0].0, DATABASES[1].0, DATABASES[2].0];

/// The external id of one of the versions.
const EXTERNAL_ID: &str = "bench-version";

/// A filter of a list.
struct Shape {
    list: List,
    filter: &'static str,
    /// Parameters of the list, with `&` before each.
    parameters: &'static str,
    /// The same condition in plain SQL, on the entity `r`.
    sql: Option<&'static str>,
}

#[derive(Clone, Copy)]
enum List {
    Versions,
    Artifacts,
    Models,
}

macro_rules! property {
    ($kind:literal, $name:literal, $condition:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM property p WHERE p.kind = ",
            $kind,
            " AND p.owner_id = r.id AND p.name = '",
            $name,
            "' AND ",
            $condition,
            ")"
        )
    };
}

const fn shape(list: List, filter: &'static str, sql: Option<&'static str>) -> Shape {
    Shape { list, filter, parameters: "", sql }
}

const SHAPES: &[Shape] = &[
    shape(List::Versions, "dataset = 'dataset-7'", Some(property!("2", "dataset", "p.string_value = 'dataset-7'"))),
    shape(
        List::Versions,
        "dataset IN ('dataset-1', 'dataset-2', 'dataset-3')",
        Some(property!("2", "dataset", "p.string_value IN ('dataset-1', 'dataset-2', 'dataset-3')")),
    ),
    shape(List::Versions, "commit LIKE 'abc%'", Some(property!("2", "commit", "p.string_value LIKE 'abc%'"))),
    shape(List::Versions, "commit LIKE '%abcd%'", Some(property!("2", "commit", "p.string_value LIKE '%abcd%'"))),
    shape(List::Versions, "commit ILIKE '%ABCD%'", Some(property!("2", "commit", "p.string_value ILIKE '%ABCD%'"))),
    shape(
        List::Artifacts,
        "uri = 's3://bench/77/3'",
        Some(property!("r.kind", "uri", "p.string_value = 's3://bench/77/3'")),
    ),
    shape(
        List::Artifacts,
        "uri LIKE 's3://bench/77/%'",
        Some(property!("r.kind", "uri", "p.string_value LIKE 's3://bench/77/%'")),
    ),
    shape(List::Versions, "accuracy > 0.99985", Some(property!("2", "accuracy", "p.double_value > 0.99985"))),
    shape(List::Versions, "accuracy > 0.999", Some(property!("2", "accuracy", "p.double_value > 0.999"))),
    Shape {
        parameters: "&orderBy=CREATE_TIME&sortOrder=DESC",
        ..shape(List::Versions, "accuracy > 0.999", Some(property!("2", "accuracy", "p.double_value > 0.999")))
    },
    shape(List::Versions, "accuracy > 0.99", Some(property!("2", "accuracy", "p.double_value > 0.99"))),
    shape(List::Versions, "accuracy > 0.5", Some(property!("2", "accuracy", "p.double_value > 0.5"))),
    shape(List::Versions, "batch_size = 128 AND epochs < 3", None),
    shape(List::Versions, "accuracy > 0.99985 OR loss > 0.9985", None),
    shape(List::Versions, "(stage = 'production' OR stage = 'staging') AND accuracy > 0.99", None),
    shape(List::Versions, "stage = 'production' AND accuracy > 0.999", None),
    shape(List::Versions, "validated = true AND epochs = 7", None),
    shape(List::Versions, "missing IS NULL", Some(concat!("NOT ", property!("2", "missing", "TRUE")))),
    shape(List::Versions, "missing IS NOT NULL", Some(property!("2", "missing", "TRUE"))),
    shape(List::Models, "name LIKE '%999%'", Some("r.name LIKE '%999%'")),
    shape(List::Models, "name LIKE 'model-99%'", Some("r.name LIKE 'model-99%'")),
    shape(List::Versions, "name = 'v3'", Some("r.name = 'v3'")),
];

impl Shape {
    fn name(&self) -> String {
        let list = match self.list {
            List::Versions => "",
            List::Artifacts => "artifacts ",
            List::Models => "models ",
        };
        let newest = if self.parameters.is_empty() { "" } else { ", newest first" };
        format!("{list}`{}`{newest}", self.filter)
    }

    fn call(&self) -> Call {
        let list = match self.list {
            List::Versions => "model_versions",
            List::Artifacts => "artifacts",
            List::Models => "registered_models",
        };
        let filter: String = url::form_urlencoded::byte_serialize(self.filter.as_bytes()).collect();
        Call::get(format!("{list}?pageSize=100&filterQuery={filter}{}", self.parameters))
    }

    /// The statement in plain SQL, for pgbench.
    fn statement(&self) -> Option<String> {
        let (table, kinds) = match self.list {
            List::Versions => ("resource", "= 2"),
            List::Artifacts => ("artifact", "IN (11, 12, 13, 14, 15)"),
            List::Models => ("resource", "= 1"),
        };
        let order = if self.parameters.is_empty() { "r.id" } else { "r.create_time DESC, r.id DESC" };
        Some(format!(
            "SELECT r.id, r.document FROM {table} r WHERE r.workspace_id = 1 AND r.kind {kinds} AND {} ORDER BY {order} LIMIT 101;\n",
            self.sql?
        ))
    }
}

/// What became of the requests of one row.
enum Outcome {
    Measured(Measured),
    /// The status of an error: a filter that is too broad for this many entities, or what another server lacks.
    Rejected(u16),
}

/// The measurements of one list.
struct Row {
    name: String,
    measured: Vec<(String, Outcome)>,
    /// The average time of the statement in plain SQL on PostgreSQL, in milliseconds.
    plain_sql: Option<f64>,
}

pub(crate) async fn run(arguments: &Arguments) -> Result<()> {
    let size = arguments.size();
    let mut rows: Vec<Row> = Vec::new();
    let is_selected =
        |name: &str| arguments.database.is_empty() || arguments.database.iter().any(|selected| selected == name);
    for (_, database) in DATABASES.into_iter().filter(|(name, _)| is_selected(name)) {
        let directory = tempfile::tempdir()?;
        let (mut postgres, mut mariadb, mut of_mariadb) = (None, None, None);
        let url = match database {
            "SQLite" => format!("sqlite:{}", directory.path().join("registry.db").display()),
            "PostgreSQL" => postgres.insert(PostgresServer::start(&directory.path().join("postgres")).await?).url(),
            _ => {
                let server = mariadb.insert(MariaDbServer::start(&directory.path().join("mariadb")).await?);
                // The server's own database has tables of others, which the registry refuses.
                of_mariadb.insert(TestDatabase::create_on(Backend::MariaDb, &server.url()).await?).url().to_owned()
            }
        };
        let server = Executable::launch(&arguments.executable)
            .arguments(["server", "--listen", "127.0.0.1:{port}", "--log-level", "warn", "--database", &url])
            .start()
            .await
            .context("cannot start the executable: build it with `cargo build --release`")?;
        let target = Target { name: database.into(), base_url: server.base_url(), process: server.process_id() };
        let plain_sql = postgres.as_ref().map(PostgresServer::url);
        measure(&target, arguments, size, plain_sql.as_deref(), &mut rows).await?;
        // A later database may fail.
        write(&arguments.out, &table(&rows, size))?;
        drop(server);
        drop(of_mariadb);
        if let Some(mut server) = postgres {
            server.stop(Stop::Hard).await?;
        }
        if let Some(mut server) = mariadb {
            server.stop(Stop::Hard).await?;
        }
    }
    for base_url in &arguments.base_url {
        let target = Target { name: base_url.clone(), base_url: base_url.clone(), process: None };
        measure(&target, arguments, size, None, &mut rows).await?;
    }
    let table = table(&rows, size);
    write(&arguments.out, &table)?;
    eprintln!("\n{table}\nwritten to {}", arguments.out.display());
    Ok(())
}

fn write(folder: &std::path::Path, table: &str) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    Ok(std::fs::write(folder.join("shapes.md"), table)?)
}

/// Makes the data and measures every list.
async fn measure(
    target: &Target,
    arguments: &Arguments,
    size: Size,
    plain_sql: Option<&str>,
    rows: &mut Vec<Row>,
) -> Result<()> {
    data::make(&target.base_url, size).await?;
    let mut connection = Connection::open(&target.base_url).await?;
    let model = data::create(&mut connection, "registered_models", &json!({"name": "external"})).await?;
    let version = json!({"name": "v1", "registeredModelId": model.to_string(), "externalId": EXTERNAL_ID});
    data::create(&mut connection, "model_versions", &version).await?;
    if let Some(url) = plain_sql {
        database_alone::analyse(url)?;
    }
    let lists = SHAPES.iter().map(|shape| (shape.name(), shape.call(), shape.statement()));
    let find = (
        "`model_version?externalId=…` (find)".to_owned(),
        Call::get(format!("model_version?externalId={EXTERNAL_ID}")),
        None,
    );
    let others =
        REQUESTS.iter().map(|request| (request.name.to_owned(), request.call(), request.sql.map(str::to_owned)));
    let is_selected = |name: &str| arguments.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    if is_selected(OPTIONS.name) {
        let first = first_response(&mut connection, &OPTIONS.call()).await?;
        row(rows, format!("{}, first", OPTIONS.name)).measured.push((target.name.clone(), first));
    }
    let options = (OPTIONS.name.to_owned(), OPTIONS.call(), None);
    for (name, call, statement) in lists.chain([find, options]).chain(others) {
        if !is_selected(&name) {
            continue;
        }
        eprintln!("{}: {name}", target.name);
        let duration = Duration::from_secs(arguments.seconds);
        let status = connection.status(&call).await?;
        let outcome = if (200..300).contains(&status) {
            let scenario = Scenario::new("", move |_| call.clone());
            let measured = load::run(target, &scenario, CONNECTIONS, duration).await?;
            let [p50, p99] = [50, 99].map(|percent| milliseconds(measured.latencies.percentile(percent)));
            eprintln!("    p50 {p50} ms, p99 {p99} ms");
            Outcome::Measured(measured)
        } else {
            eprintln!("{}: {name}: {status}", target.name);
            Outcome::Rejected(status)
        };
        let row = row(rows, name);
        row.measured.push((target.name.clone(), outcome));
        if let (Some(url), Some(statement)) = (plain_sql, statement) {
            let per_second = database_alone::run_statement(statement, url, CONNECTIONS, duration)?;
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let clients = CONNECTIONS as f64;
            row.plain_sql = Some(1_000.0 * clients / per_second);
        }
    }
    Ok(())
}

/// The row with a name, at the end if it is new.
fn row(rows: &mut Vec<Row>, name: String) -> &mut Row {
    let position = rows.iter().position(|row| row.name == name).unwrap_or_else(|| {
        rows.push(Row { name, measured: Vec::new(), plain_sql: None });
        rows.len() - 1
    });
    &mut rows[position]
}

/// Measures one request, which is slower than its repetitions.
async fn first_response(connection: &mut Connection, call: &Call) -> Result<Outcome> {
    let sent = Instant::now();
    let status = connection.status(call).await?;
    let latencies = Latencies::new(vec![Latencies::micros(sent.elapsed())]);
    if !(200..300).contains(&status) {
        return Ok(Outcome::Rejected(status));
    }
    Ok(Outcome::Measured(Measured {
        scenario: "",
        requests_per_second: 0.0,
        latencies,
        cpu: None,
        memory: None,
        statements_per_request: None,
    }))
}

fn table(rows: &[Row], size: Size) -> String {
    let targets: Vec<&str> =
        rows.iter().flat_map(|row| &row.measured).map(|(name, _)| name.as_str()).fold(Vec::new(), |mut all, name| {
            if !all.contains(&name) {
                all.push(name);
            }
            all
        });
    let mut text = format!(
        "{} models, {} versions with 10 properties, {CONNECTIONS} connections, pages of 100; p50 / p99 in ms, statements.\n\n| list |",
        size.models,
        size.models * size.versions_per_model
    );
    for target in &targets {
        let _ = write!(text, " {target} |");
    }
    text.push_str(" plain SQL, mean ms |\n|---|");
    text.push_str(&"--:|".repeat(targets.len() + 1));
    text.push('\n');
    for row in rows {
        let _ = write!(text, "| {} |", row.name);
        for target in &targets {
            let _ = match row.measured.iter().find(|(name, _)| name == target) {
                Some((_, Outcome::Measured(measured))) if measured.latencies.len() == 1 => {
                    write!(text, " {} |", milliseconds(measured.latencies.max()))
                }
                Some((_, Outcome::Measured(measured))) => {
                    let [p50, p99] = [50, 99].map(|percent| milliseconds(measured.latencies.percentile(percent)));
                    let statements = measured.statements_per_request.map(|count| format!(", {count:.0}"));
                    write!(text, " {p50} / {p99}{} |", statements.unwrap_or_default())
                }
                Some((_, Outcome::Rejected(status))) => write!(text, " status {status} |"),
                None => write!(text, " - |"),
            };
        }
        let plain = row.plain_sql.map_or_else(|| "-".to_owned(), |time| format!("{time:.2}"));
        let _ = writeln!(text, " {plain} |");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_has_a_request_and_a_name_of_its_own() {
        let mut names: Vec<String> = SHAPES.iter().map(Shape::name).collect();
        names.extend(REQUESTS.iter().map(|request| request.name.to_owned()));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), SHAPES.len() + REQUESTS.len());
        let call = SHAPES[2].call();
        assert_eq!(call.path, "model_versions?pageSize=100&filterQuery=commit+LIKE+%27abc%25%27");
    }
}
