//! Kills the server repeatedly during writes, and checks the data.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model_registry_testkit::{Backend, Executable, Ready, TestDatabase, on_each_database};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::{Client, encoded, eventually, server_on, start_on};

on_each_database!(acknowledged_writes_survive_kills_and_no_write_is_partial, a_killed_migration_is_resumed);

const WRITERS: usize = 5;
/// Author of the versions that were created with their model and artifacts by one request.
const TOGETHER: &str = "all or nothing";

async fn acknowledged_writes_survive_kills_and_no_write_is_partial(backend: Backend) {
    // SQLite dies with the server; on a database server only the connections do.
    let kills = if backend == Backend::Sqlite { 100 } else { 10 };
    let database = TestDatabase::create(backend).await.unwrap();
    let mut server = start_on(&database).await;
    let mut all = HashMap::new();
    for round in 0..kills {
        // The number of writes before the kill varies by round, independent of time.
        let acknowledged = write_until_killed(&mut server, round, 3 + round * 7 % 17).await;
        server.start_again().await.unwrap();
        let client = Client::of(&server);
        check_acknowledged(&client, &acknowledged, round).await;
        check_whole(&client, round).await;
        all.extend(acknowledged.entities);
    }
    check_lists(&Client::of(&server), &all).await;
}

async fn a_killed_migration_is_resumed(backend: Backend) {
    for round in 0..6 {
        let database = TestDatabase::create(backend).await.unwrap();
        let mut server = server_on(database.url()).ready(Ready::Listening).start().await.unwrap();
        // The server listens before it migrates: the kills hit the time before, during and after the migration.
        tokio::time::sleep(Duration::from_millis(round * 8)).await;
        server.kill().await.unwrap();
        server.start_again().await.unwrap();
        let client = Client::of(&server);
        eventually("ready", async || client.get("/readyz/health").await.status == 200).await;
        client.create("registered_models", &json!({"name": "m"})).await;
        assert_eq!(client.list_all("registered_models").await.len(), 1, "round {round}");
    }
}

/// Acknowledged writes: entities by path, and the number of logged points by run.
#[derive(Default)]
struct Acknowledged {
    entities: HashMap<String, Value>,
    points: HashMap<String, usize>,
    count: usize,
}

/// The acknowledged writes, shared by the writers and the test.
struct Ledger {
    acknowledged: Mutex<Acknowledged>,
    /// The number of acknowledged writes after which the server is killed.
    enough: usize,
    reached: Notify,
}

impl Ledger {
    fn note(&self, path: String, body: Value) {
        let mut acknowledged = self.acknowledged.lock().unwrap();
        acknowledged.entities.insert(path, body);
        self.count(&mut acknowledged);
    }

    fn note_point(&self, run: &str) {
        let mut acknowledged = self.acknowledged.lock().unwrap();
        *acknowledged.points.entry(run.to_owned()).or_default() += 1;
        self.count(&mut acknowledged);
    }

    fn count(&self, acknowledged: &mut Acknowledged) {
        acknowledged.count += 1;
        if acknowledged.count >= self.enough {
            self.reached.notify_one();
        }
    }
}

async fn write_until_killed(server: &mut Executable, round: usize, enough: usize) -> Acknowledged {
    let client = Client::of(server);
    let ledger = Arc::new(Ledger { acknowledged: Mutex::default(), enough, reached: Notify::new() });
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (client, ledger) = (client.clone(), Arc::clone(&ledger));
        // Each writer ends when its connection breaks.
        writers.spawn(async move {
            for number in 0.. {
                let name = format!("r{round:03}-w{writer}-{number}");
                let written = match writer {
                    0 | 1 => write_model(&client, &ledger, &name).await,
                    2 => register(&client, &ledger, &name).await,
                    _ => write_run(&client, &ledger, &name).await,
                };
                if written.is_err() {
                    return;
                }
            }
        });
    }
    ledger.reached.notified().await;
    server.kill().await.unwrap();
    while let Some(writer) = writers.join_next().await {
        writer.unwrap();
    }
    std::mem::take(&mut *ledger.acknowledged.lock().unwrap())
}

/// Creates an entity with status 201 and records it.
async fn create(client: &Client, ledger: &Ledger, path: &str, noted: &str, body: &Value) -> reqwest::Result<String> {
    let response = client.try_post(path, body).await?;
    assert_eq!(response.status, 201, "POST {path}: {}", response.body);
    let id = response.id().to_owned();
    ledger.note(format!("{noted}/{id}"), response.body);
    Ok(id)
}

fn properties(name: &str) -> Value {
    json!({
        "text": {"metadataType": "MetadataStringValue", "string_value": name},
        "int": {"metadataType": "MetadataIntValue", "int_value": "42"},
        "double": {"metadataType": "MetadataDoubleValue", "double_value": 0.5},
        "bool": {"metadataType": "MetadataBoolValue", "bool_value": true}
    })
}

async fn write_model(client: &Client, ledger: &Ledger, name: &str) -> reqwest::Result<()> {
    let body = json!({"name": name, "externalId": name, "owner": "ada", "customProperties": properties(name)});
    let model = create(client, ledger, "registered_models", "registered_models", &body).await?;
    let body = json!({"name": name, "registeredModelId": model, "customProperties": properties(name)});
    let version = create(client, ledger, "model_versions", "model_versions", &body).await?;
    let artifacts = format!("model_versions/{version}/artifacts");
    for kind in ["model-artifact", "doc-artifact"] {
        let uri = format!("s3://{name}");
        let body = json!({"artifactType": kind, "name": name, "uri": uri, "customProperties": properties(name)});
        create(client, ledger, &artifacts, "artifacts", &body).await?;
    }
    // If the update is not acknowledged, the model may be the old or the new one.
    let path = format!("registered_models/{model}");
    let changed = client.call("PATCH", &path, &[], Some(&json!({"description": "changed"}))).await;
    if let Ok(response) = &changed {
        assert_eq!(response.status, 200, "PATCH {path}: {}", response.body);
        ledger.note(path, response.body.clone());
    } else {
        ledger.acknowledged.lock().unwrap().entities.remove(&path);
    }
    changed.map(|_| ())
}

/// Registers a model, a version and two artifacts with one request.
async fn register(client: &Client, ledger: &Ledger, name: &str) -> reqwest::Result<()> {
    let uri = format!("s3://{name}");
    let artifact =
        |kind: &str| json!({"artifactType": kind, "name": name, "uri": uri, "customProperties": properties(name)});
    let body = json!({
        "registeredModel": {"name": name, "customProperties": properties(name)},
        "modelVersion": {"name": name, "author": TOGETHER, "customProperties": properties(name)},
        "artifacts": [artifact("model-artifact"), artifact("doc-artifact")]
    });
    let response = client.try_post("registered_models:register", &body).await?;
    assert_eq!(response.status, 201, "{}", response.body);
    let artifacts = response.body["artifacts"].as_array().unwrap();
    let entities =
        [("registered_models", &response.body["registeredModel"]), ("model_versions", &response.body["modelVersion"])];
    for (noted, entity) in entities.into_iter().chain(artifacts.iter().map(|artifact| ("artifacts", artifact))) {
        ledger.note(format!("{noted}/{}", entity["id"].as_str().unwrap()), entity.clone());
    }
    Ok(())
}

async fn write_run(client: &Client, ledger: &Ledger, name: &str) -> reqwest::Result<()> {
    let body = json!({"name": name, "customProperties": properties(name)});
    let experiment = create(client, ledger, "experiments", "experiments", &body).await?;
    let body = json!({"name": name, "experimentId": experiment, "customProperties": properties(name)});
    let run = create(client, ledger, "experiment_runs", "experiment_runs", &body).await?;
    let path = format!("experiment_runs/{run}/artifacts");
    for step in 0..3 {
        let body = json!({"artifactType": "metric", "name": name, "value": f64::from(step), "step": step});
        let response = client.try_post(&path, &body).await?;
        assert!(matches!(response.status, 200 | 201), "POST {path}: {response:?}");
        ledger.note_point(&run);
    }
    Ok(())
}

async fn check_acknowledged(client: &Client, acknowledged: &Acknowledged, round: usize) {
    for (path, body) in &acknowledged.entities {
        assert_eq!(client.read(path).await, *body, "round {round}: {path}");
    }
    for (run, count) in &acknowledged.points {
        let history = client.list_all(&format!("experiment_runs/{run}/metric_history")).await;
        assert!(history.len() >= *count, "round {round}: run {run} has {} of {count} points", history.len());
    }
}

/// Asserts that each entity of the round, acknowledged or not, is complete: found by id, by name and by its properties.
async fn check_whole(client: &Client, round: usize) {
    let of_round = encoded(&format!("name LIKE 'r{round:03}-%'"));
    for (list, find, parent) in [
        ("registered_models", "registered_model", None),
        ("model_versions", "model_version", Some("registeredModelId")),
        ("experiments", "experiment", None),
        ("experiment_runs", "experiment_run", Some("experimentId")),
    ] {
        for item in client.list_all(&format!("{list}?filterQuery={of_round}")).await {
            let within = parent.map(|field| format!("&parentResourceId={}", item[field].as_str().unwrap()));
            let find = format!("{find}?name={}{}", item["name"].as_str().unwrap(), within.unwrap_or_default());
            check_entity(client, list, &item, &find).await;
            if item["author"] == TOGETHER {
                let artifacts = format!("{list}/{}/artifacts", item["id"].as_str().unwrap());
                assert_eq!(client.list_all(&artifacts).await.len(), 2, "{artifacts}");
            }
        }
    }
    for item in client.list_all(&format!("artifacts?filterQuery={of_round}")).await {
        let name = item["name"].as_str().unwrap();
        if item["artifactType"] == "metric" {
            check_metric(client, &item).await;
        } else {
            let artifact_type = item["artifactType"].as_str().unwrap();
            // Both artifacts of a version have its name, so only the model artifact can be found by it.
            let version =
                client.read(&format!("model_versions?filterQuery={}", encoded(&format!("name = '{name}'")))).await;
            let find = match artifact_type {
                "model-artifact" => {
                    format!(
                        "model_artifact?name={name}&parentResourceId={}",
                        version["items"][0]["id"].as_str().unwrap()
                    )
                }
                _ => format!("artifacts/{}", item["id"].as_str().unwrap()),
            };
            check_entity(client, "artifacts", &item, &find).await;
        }
    }
}

async fn check_entity(client: &Client, list: &str, item: &Value, find: &str) {
    let name = item["name"].as_str().unwrap();
    assert_eq!(client.read(&format!("{list}/{}", item["id"].as_str().unwrap())).await, *item, "{list}: {name}");
    assert_eq!(client.read(find).await, *item, "{find}");
    // A filter that requires every property.
    let mut needed =
        vec![format!("name = '{name}' AND text = '{name}' AND `int` = 42 AND double = 0.5 AND bool = true")];
    for field in ["owner", "externalId", "uri", "description"] {
        needed.extend(item[field].as_str().map(|text| format!("{field} = '{text}'")));
    }
    let filter = needed.join(" AND ");
    let found = client.read(&format!("{list}?filterQuery={}", encoded(&filter))).await;
    let found = found["items"].as_array().unwrap();
    assert!(found.contains(item), "{list}?filterQuery={filter} does not find {item}");
}

/// Asserts that a metric equals the last point of its history.
async fn check_metric(client: &Client, metric: &Value) {
    let id = metric["id"].as_str().unwrap();
    assert_eq!(client.read(&format!("artifacts/{id}")).await, *metric);
    let history = format!("experiment_runs/{}/metric_history", metric["experimentRunId"].as_str().unwrap());
    let points = client.list_all(&history).await;
    let last = points.last().unwrap_or_else(|| panic!("a metric without any point: {metric}"));
    assert_eq!((&last["value"], &last["step"]), (&metric["value"], &metric["step"]), "{history}");
    let steps: Vec<i64> = points.iter().map(|point| point["step"].as_i64().unwrap()).collect();
    assert_eq!(steps, (0..points.len()).map(|step| i64::try_from(step).unwrap()).collect::<Vec<_>>(), "{history}");
}

/// Asserts that the lists have the acknowledged entities of all rounds, unchanged.
async fn check_lists(client: &Client, all: &HashMap<String, Value>) {
    let mut listed = HashMap::new();
    for list in ["registered_models", "model_versions", "experiments", "experiment_runs", "artifacts"] {
        for item in client.list_all(list).await {
            listed.insert(format!("{list}/{}", item["id"].as_str().unwrap()), item);
        }
    }
    for (path, body) in all {
        assert_eq!(listed.get(path), Some(body), "{path}");
    }
}
