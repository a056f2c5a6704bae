//! `export --server` and `import --server`: copies through the API.

use std::collections::BTreeMap;
use std::path::Path;

use model_registry_testkit::{Backend, Executable, TestDatabase, on_each_database};
use serde_json::{Value, json};

use crate::support::{Client, PROGRAM, Run, run_in, start_on};

on_each_database!(
    an_export_through_the_api_has_the_content_of_the_database,
    an_import_through_the_api_copies_everything_and_resumes,
    a_rejected_line_is_reported_and_the_others_are_imported,
);

/// A registry with entities of every kind, and references between them.
async fn fill(client: &Client) {
    let model = client
        .create(
            "registered_models",
            &json!({"name": "org/fraud", "owner": "risk", "language": ["en"], "externalId": "m-1",
            "customProperties": {"tier": {"metadataType": "MetadataStringValue", "string_value": "gold"}}}),
        )
        .await;
    let second = client.create("registered_models", &json!({"name": "empty", "state": "ARCHIVED"})).await;
    let version = json!({"name": "v1", "registeredModelId": model, "author": "ada",
        "customProperties": {"accuracy": {"metadataType": "MetadataDoubleValue", "double_value": 0.93}}});
    let version = client.create("model_versions", &version).await;
    let other = client.create("model_versions", &json!({"name": "v1", "registeredModelId": second})).await;
    let weights = json!({"artifactType": "model-artifact", "name": "weights", "uri": "s3://models/fraud", "modelFormatName": "onnx"});
    let weights = client.create(&format!("model_versions/{version}/artifacts"), &weights).await;
    client.create("artifacts", &json!({"artifactType": "doc-artifact", "name": "alone", "uri": "s3://docs"})).await;
    let environment = client.create("serving_environments", &json!({"name": "production"})).await;
    let service = json!({"name": "fraud", "servingEnvironmentId": environment, "registeredModelId": model,
        "modelVersionId": version, "runtime": "triton"});
    let service = client.create("inference_services", &service).await;
    client
        .create(&format!("inference_services/{service}/serves"), &json!({"name": "serve", "modelVersionId": version}))
        .await;
    let experiment = client.create("experiments", &json!({"name": "tuning"})).await;
    let run = client
        .create("experiment_runs", &json!({"name": "first", "experimentId": experiment, "status": "FINISHED"}))
        .await;
    let artifacts = format!("experiment_runs/{run}/artifacts");
    client
        .create(
            &artifacts,
            &json!({"artifactType": "parameter", "name": "rate", "value": "0.1", "parameterType": "number"}),
        )
        .await;
    client.create(&artifacts, &json!({"artifactType": "dataset-artifact", "name": "data", "uri": "s3://data"})).await;
    for (step, value) in [(1, 0.9), (2, 0.5), (3, 0.25)] {
        let metric = json!({"artifactType": "metric", "name": "loss", "value": value, "step": step, "timestamp": "1700000000000"});
        let logged = client.post(&artifacts, &metric).await;
        assert!([200, 201].contains(&logged.status), "{logged:?}");
    }
    // A further owner.
    let attach = json!({"artifactType": "model-artifact", "id": weights});
    let attached = client.post(&format!("model_versions/{other}/artifacts"), &attach).await;
    assert_eq!(attached.status, 200, "{attached:?}");
}

async fn command(home: &Path, arguments: &[&str]) -> Run {
    run_in(home, arguments, &[]).await
}

/// The lines of an export, without what the API does not show: revisions, and the checksums over them.
fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        for field in ["revision", "check", "sha256"] {
            line.as_object_mut().unwrap().remove(field);
        }
        line
    });
    lines.collect()
}

async fn an_export_through_the_api_has_the_content_of_the_database(backend: Backend) {
    let home = tempfile::tempdir().unwrap();
    let database = TestDatabase::create(backend).await.unwrap();
    let server = start_on(&database).await;
    fill(&Client::of(&server)).await;
    let (url, path) = (server.base_url(), |name: &str| home.path().join(name));
    let of_database = command(home.path(), &["export", "database.jsonl", "--database", database.url()]).await;
    assert_eq!(of_database.code, Some(0), "{of_database:?}");
    let of_api = command(home.path(), &["export", "api.jsonl", "--server", &url]).await;
    assert_eq!(of_api.code, Some(0), "{of_api:?}");
    assert!(!of_api.errors.contains("note:"), "{of_api:?}");
    assert_eq!(lines(&path("api.jsonl")), lines(&path("database.jsonl")));

    // A database can import the file.
    let copy = TestDatabase::create(backend).await.unwrap();
    let imported = command(home.path(), &["import", "api.jsonl", "--database", copy.url()]).await;
    assert_eq!(imported.code, Some(0), "{imported:?}");
}

/// The entities of all kinds without ids and times; references are names.
async fn content(client: &Client) -> BTreeMap<String, Vec<Value>> {
    let mut content = BTreeMap::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let collections = [
        "registered_models",
        "model_versions",
        "serving_environments",
        "inference_services",
        "experiments",
        "experiment_runs",
    ];
    for collection in collections {
        for entity in client.list_all(collection).await {
            names.insert(entity["id"].as_str().unwrap().to_owned(), entity["name"].as_str().unwrap().to_owned());
        }
    }
    let mut paths: Vec<String> =
        collections.into_iter().chain(["artifacts", "experiment_runs/metric_history"]).map(str::to_owned).collect();
    for (collection, below) in
        [("inference_services", "serves"), ("model_versions", "artifacts"), ("experiment_runs", "artifacts")]
    {
        let parents = client.list_all(collection).await;
        paths.extend(parents.iter().map(|parent| format!("{collection}/{}/{below}", parent["id"].as_str().unwrap())));
    }
    for path in paths {
        let mut entities = client.list_all(&path).await;
        for entity in &mut entities {
            let entity = entity.as_object_mut().unwrap();
            entity.retain(|field, _| {
                !["id", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"].contains(&field.as_str())
            });
            for (field, value) in entity.iter_mut().filter(|(field, _)| field.ends_with("Id") && *field != "externalId")
            {
                *value = names.get(value.as_str().unwrap()).unwrap_or_else(|| panic!("{path}: {field}")).clone().into();
            }
        }
        let place =
            path.split('/').map(|part| names.get(part).map_or(part, String::as_str)).collect::<Vec<_>>().join("/");
        entities.sort_by_key(|entity| (entity["name"].to_string(), entity["step"].to_string()));
        content.entry(place).or_insert_with(Vec::new).extend(entities);
    }
    content
}

async fn an_import_through_the_api_copies_everything_and_resumes(backend: Backend) {
    let home = tempfile::tempdir().unwrap();
    let (from, into) = (TestDatabase::create(backend).await.unwrap(), TestDatabase::create(backend).await.unwrap());
    let (old, new) = (start_on(&from).await, start_on(&into).await);
    let (old_client, new_client) = (Client::of(&old), Client::of(&new));
    fill(&old_client).await;
    // Other ids than in the file.
    new_client.create("experiments", &json!({"name": "other"})).await;
    let url = new.base_url();
    let exported = command(home.path(), &["export", "all.jsonl", "--server", &old.base_url()]).await;
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let import = ["import", "all.jsonl", "--server", url.as_str()];
    let imported = command(home.path(), &import).await;
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let expected = content(&old_client).await;
    let compare = async || {
        let mut copied = content(&new_client).await;
        copied.get_mut("experiments").unwrap().retain(|experiment| experiment["name"] != "other");
        assert_eq!(copied, expected);
    };
    compare().await;
    let again = command(home.path(), &import).await;
    assert_eq!((again.code, again.errors.as_str()), (Some(0), "this file was already imported: nothing to do\n"));

    // As if the import had been killed before it recorded the last lines.
    let journal = home.path().join("all.jsonl.progress");
    let text = std::fs::read_to_string(&journal).unwrap();
    let half: Vec<&str> = text.lines().take(6).collect();
    std::fs::write(&journal, format!("{}\n{{\"line\":", half.join("\n"))).unwrap();
    let resumed = command(home.path(), &import).await;
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    assert!(resumed.errors.starts_with("5 lines were imported by a previous run\n"), "{resumed:?}");
    compare().await;
}

async fn a_rejected_line_is_reported_and_the_others_are_imported(backend: Backend) {
    let home = tempfile::tempdir().unwrap();
    let (from, into) = (TestDatabase::create(backend).await.unwrap(), TestDatabase::create(backend).await.unwrap());
    let (old, new) = (start_on(&from).await, start_on(&into).await);
    fill(&Client::of(&old)).await;
    let client = Client::of(&new);
    let existing = client.create("registered_models", &json!({"name": "org/fraud"})).await;
    let url = new.base_url();
    let exported = command(home.path(), &["export", "all.jsonl", "--server", &old.base_url()]).await;
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let import = ["import", "all.jsonl", "--server", url.as_str()];
    let imported = command(home.path(), &import).await;
    assert_eq!(imported.code, Some(1), "{imported:?}");
    for part in [
        "line 2: registered_model 1 \"org/fraud\": registered model with name org/fraud already exists\n",
        "line 4: model_version 3 \"v1\": skipped, since the entity with the id 1 was not imported\n",
        "error: lines not imported: 1; lines skipped because they refer to these: 5\n",
    ] {
        assert!(imported.errors.contains(part), "{part}: {imported:?}");
    }
    assert_eq!(client.read("experiment_runs").await["size"], 1);

    let kept = command(home.path(), &[&import[..], &["--keep-existing"]].concat()).await;
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let versions = client.list_all(&format!("registered_models/{existing}/versions")).await;
    assert_eq!(versions[0]["name"], "v1");
    // The existing model was not changed.
    assert!(client.read(&format!("registered_models/{existing}")).await.get("owner").is_none());
}

#[tokio::test]
async fn an_import_needs_the_right_to_write() {
    let home = tempfile::tempdir().unwrap();
    // The SHA-256 of `reader-token`.
    let hash = "ba5005a40cf5212e4ac0190104cc127edab013294bb71279a975b27a80982d45";
    let server = Executable::launch(PROGRAM)
        .arguments(["server", "--port", "{port}", "--database", "sqlite:registry.db", "--auth-mode", "token"])
        .arguments(["--auth-tokens-file", "tokens.toml", "--auth-policy-file", "policy.toml"])
        .file("tokens.toml", &format!("[[tokens]]\nuser = \"ada\"\nsha256 = \"{hash}\"\n"))
        .file("policy.toml", "[[grants]]\nrole = \"reader\"\nusers = [\"ada\"]\n")
        .start()
        .await
        .unwrap();
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let other = start_on(&database).await;
    fill(&Client::of(&other)).await;
    let exported = command(home.path(), &["export", "all.jsonl", "--server", &other.base_url()]).await;
    assert_eq!(exported.code, Some(0), "{exported:?}");
    let url = server.base_url();
    let with_token = |arguments: &[&'static str]| {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let (home, url) = (home.path().to_owned(), url.clone());
        async move {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(["--server", &url]).collect();
            run_in(&home, &arguments, &[("MR_TOKEN", "reader-token")]).await
        }
    };
    let imported = with_token(&["import", "all.jsonl"]).await;
    assert_eq!(imported.code, Some(5), "{imported:?}");
    assert!(imported.errors.contains("`ada` lacks the right `write`"), "{imported:?}");
    let read = with_token(&["export", "empty.jsonl"]).await;
    assert_eq!((read.code, read.errors.contains("exported no entities")), (Some(0), true), "{read:?}");
}

#[tokio::test]
async fn options_of_databases_and_servers_exclude_each_other() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, reason) in [
        (
            &["export", "x", "--server", "http://a", "--database", "sqlite:x"][..],
            "--server and --database exclude each other",
        ),
        (&["export", "x", "--token-file", "t"], "--token-file requires --server or --profile"),
        (&["import", "x", "--keep-existing"], "--keep-existing requires --server or --profile"),
        (&["import", "x", "--remap-ids", "--server", "http://a"], "--remap-ids is for databases"),
    ] {
        let run = command(home.path(), arguments).await;
        assert_eq!(run.code, Some(2), "{run:?}");
        assert!(run.reason().contains(reason), "{run:?}");
    }
}
