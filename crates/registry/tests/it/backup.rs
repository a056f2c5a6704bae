//! Export and import: a file is imported completely into any database, or not at all.

use std::fs::{self, File};
use std::path::Path;

use model_registry_store::{BackupError, ImportOptions, ImportReport};
use model_registry_testkit::{Backend, backends, on_each_database};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::Api;

on_each_database!(
    an_export_imported_into_any_database_yields_the_same_lists_and_the_same_export,
    remapped_entities_are_added_with_new_ids_and_refer_to_each_other,
    a_damaged_file_is_rejected_with_line_and_reason_and_nothing_is_imported,
    an_entity_changed_before_the_final_comparison_is_reported
);

const KEEP: ImportOptions = ImportOptions { remap_ids: false };
const REMAP: ImportOptions = ImportOptions { remap_ids: true };

const LISTS: [&str; 8] = [
    "registered_models",
    "model_versions",
    "artifacts",
    "serving_environments",
    "inference_services",
    "experiments",
    "experiment_runs",
    "experiment_runs/metric_history",
];

/// Creates at least one entity of every kind, with every type of property, links and a metric history.
async fn fill(api: &Api) {
    let custom = json!({
        "text": {"metadataType": "MetadataStringValue", "string_value": "Ärger \"quoted\"\n\u{1f600}"},
        "int": {"metadataType": "MetadataIntValue", "int_value": "9223372036854775807"},
        "double": {"metadataType": "MetadataDoubleValue", "double_value": 0.300_000_000_000_000_04},
        "tiny": {"metadataType": "MetadataDoubleValue", "double_value": 5e-324},
        "nan": {"metadataType": "MetadataDoubleValue", "double_value": "NaN"},
        "bool": {"metadataType": "MetadataBoolValue", "bool_value": true},
    });
    for name in ["first", "second"] {
        let body = json!({"name": name, "externalId": format!("ext-{name}"), "customProperties": custom});
        let model = api.create("registered_models", body).await;
        for version in ["1", "2", "3"] {
            let body = json!({"name": version, "registeredModelId": model, "customProperties": custom});
            let version_id = api.create("model_versions", body).await;
            let artifact = json!({"artifactType": "model-artifact", "name": "weights", "uri": "s3://b/w"});
            let artifact = api.create(&format!("model_versions/{version_id}/artifacts"), artifact).await;
            if version == "3" {
                // Attached to a second version.
                let body = json!({"artifactType": "model-artifact", "id": artifact, "description": "shared"});
                let other = api.post("model_versions/2/artifacts", body).await;
                assert_eq!(other.status, 200, "{}", other.message());
            }
        }
    }
    for body in [
        json!({"artifactType": "doc-artifact", "name": "readme", "uri": "https://x/y"}),
        json!({"artifactType": "dataset-artifact", "name": "train", "digest": "abc"}),
        json!({"artifactType": "parameter", "name": "rate", "value": "0.1", "parameterType": "number"}),
    ] {
        api.create("model_versions/2/artifacts", body).await;
    }
    let environment = api.create("serving_environments", json!({"name": "production"})).await;
    let body = json!({
        "name": "service", "servingEnvironmentId": environment, "registeredModelId": "1", "modelVersionId": "2"
    });
    let service = api.create("inference_services", body).await;
    api.create(&format!("inference_services/{service}/serves"), json!({"name": "serve", "modelVersionId": "2"})).await;
    let experiment = api.create("experiments", json!({"name": "study"})).await;
    let run = api.create("experiment_runs", json!({"name": "run", "experimentId": experiment})).await;
    for step in 0..4 {
        let metric =
            json!({"artifactType": "metric", "name": "loss", "value": 1.0 / f64::from(step + 3), "step": step});
        let response = api.post(&format!("experiment_runs/{run}/artifacts"), metric).await;
        assert!(response.status < 300, "{}", response.message());
    }
    for value in ["Infinity", "NaN"] {
        let metric = json!({"artifactType": "metric", "name": "diverged", "value": value});
        assert!(api.post(&format!("experiment_runs/{run}/artifacts"), metric).await.status < 300);
    }
    api.patch("registered_models/1", json!({"description": "changed"})).await;
}

async fn export(api: &Api, path: &Path) -> String {
    let mut out = Vec::new();
    api.store.export(&mut out, &|_| {}).await.unwrap();
    fs::write(path, &out).unwrap();
    String::from_utf8(out).unwrap()
}

async fn import(api: &Api, path: &Path, options: ImportOptions) -> Result<ImportReport, BackupError> {
    api.store.import(&mut File::open(path).unwrap(), options, &|_| {}).await
}

/// All lists, as returned by the API.
async fn lists(api: &Api) -> Vec<Value> {
    let mut lists = Vec::new();
    for list in LISTS {
        let response = api.get(&format!("{list}?pageSize=1000")).await;
        assert_eq!(response.status, 200, "{list}: {}", response.message());
        lists.push(response.json());
    }
    lists.push(api.get("model_versions/2/artifacts").await.json());
    lists.push(api.get("artifacts?filterQuery=name%3D%22weights%22").await.json());
    let filter = "double%3E0.3%20AND%20bool%3Dtrue%20AND%20int%3D9223372036854775807";
    lists.push(api.get(&format!("model_versions?filterQuery={filter}")).await.json());
    lists
}

async fn an_export_imported_into_any_database_yields_the_same_lists_and_the_same_export(backend: Backend) {
    let directory = TempDir::new().unwrap();
    let source = Api::on(backend).await;
    fill(&source).await;
    let path = directory.path().join(format!("{backend}.jsonl"));
    let text = export(&source, &path).await;
    assert_eq!(text, export(&source, &path).await);
    let expected = lists(&source).await;
    assert_eq!(expected.last().unwrap()["size"], 6, "{}", expected.last().unwrap());
    for into in backends() {
        let target = Api::on(into).await;
        let report = import(&target, &path, KEEP).await.unwrap();
        assert_eq!((report.counts["model_version"], report.counts["metric_point"]), (6, 6), "to {into}");
        assert_eq!(lists(&target).await, expected, "to {into}");
        let second = directory.path().join("second.jsonl");
        assert_eq!(export(&target, &second).await, text, "to {into}");
        // The same file again changes nothing, and new entities get new ids.
        assert!(import(&target, &path, KEEP).await.unwrap().was_complete);
        let next = target.create("registered_models", json!({"name": "next"})).await;
        assert!(next.parse::<i64>().unwrap() > 10, "{into}: {next}");
        target.create("model_versions/2/artifacts", json!({"artifactType": "doc-artifact", "name": "new"})).await;
        let changes = target.get("changes?limit=1000").await.json();
        let is_import = |change: &&Value| change["verb"] == "import";
        let imported = changes["items"].as_array().unwrap().iter().filter(is_import).count();
        assert_eq!(imported, text.lines().count() - 2 - 6 - 2, "all but header, end, points and links");
    }
}

async fn remapped_entities_are_added_with_new_ids_and_refer_to_each_other(backend: Backend) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("export.jsonl");
    let source = Api::on(Backend::Sqlite).await;
    fill(&source).await;
    export(&source, &path).await;
    let target = Api::on(backend).await;
    let other = target.create("registered_models", json!({"name": "other"})).await;
    let refused = import(&target, &path, KEEP).await.unwrap_err().to_string();
    assert!(refused.contains("not empty") && refused.contains("--remap-ids"), "{refused}");

    target.create("experiments", json!({"name": "study"})).await;
    target.create("registered_models", json!({"name": "unrelated", "externalId": "ext-second"})).await;
    let before = lists(&target).await;
    let refused = import(&target, &path, REMAP).await.unwrap_err().to_string();
    assert!(refused.contains("the experiment `study`"), "{refused}");
    assert!(refused.contains("the external id `ext-second`"), "{refused}");
    assert_eq!(lists(&target).await, before, "nothing is written");

    let target = Api::on(backend).await;
    target.create("registered_models", json!({"name": "other"})).await;
    target.create("model_artifacts", json!({"name": "mine", "uri": "s3://x"})).await;
    import(&target, &path, REMAP).await.unwrap();
    let model = target.get("registered_model?name=first").await.json();
    let model_id = model["id"].as_str().unwrap();
    assert_ne!(model_id, other);
    let versions = target.get(&format!("registered_models/{model_id}/versions")).await;
    assert_eq!(versions.names(), ["1", "2", "3"]);
    let version = versions.json()["items"][0].clone();
    assert_eq!(version["registeredModelId"], model_id);
    let artifacts = target.get(&format!("model_versions/{}/artifacts", version["id"].as_str().unwrap())).await;
    assert_eq!(artifacts.names().len(), 6, "attached ones included");
    let service = target.get("inference_services").await.json()["items"][0].clone();
    assert_eq!(service["registeredModelId"], model_id);
    let history = target.get("experiment_runs/metric_history").await.json();
    assert_eq!(history["items"].as_array().unwrap().len(), 6);
    assert_eq!(history["items"][0]["experimentId"], target.get("experiment?name=study").await.json()["id"]);
    let next = target.create("registered_models", json!({"name": "next"})).await;
    assert!(next.parse::<i64>().unwrap() > model_id.parse::<i64>().unwrap());
}

async fn a_damaged_file_is_rejected_with_line_and_reason_and_nothing_is_imported(backend: Backend) {
    let directory = TempDir::new().unwrap();
    let source = Api::on(Backend::Sqlite).await;
    fill(&source).await;
    let path = directory.path().join("export.jsonl");
    let text = export(&source, &path).await;
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| format!("{}\n", lines.join("\n"));
    let last = lines.len();
    let mut swapped = lines.clone();
    swapped.swap(3, 4);
    let mut missing = lines.clone();
    missing.remove(5);
    let mut doubled = lines.clone();
    doubled.insert(6, lines[6]);
    let edited = text.replacen("changed", "chanced", 1);
    let edited_line = edited.lines().position(|line| line.contains("chanced")).unwrap() + 1;
    let not_exported = "this line was changed after the export, or preceding lines are missing";
    let files = [
        ("empty", String::new(), 1, "the file is empty"),
        ("other", "hello\n".to_owned(), 1, "this is not an export of a model registry"),
        ("newer", text.replacen("\"version\":1", "\"version\":2", 1), 1, "the file has format version 2"),
        ("edited", edited, edited_line, not_exported),
        ("swapped", joined(&swapped), 4, not_exported),
        ("missing", joined(&missing), 6, not_exported),
        ("doubled", joined(&doubled), 7 + 1, not_exported),
        ("cut between lines", joined(&lines[..9]), 10, "the file is truncated: its last line is missing"),
        ("cut in a line", text[..text.len() - 300].to_owned(), last - 1, "the file is truncated in this line"),
        ("cut at the end", text[..text.len() - 1].to_owned(), last, "the file is truncated in this line"),
        ("continued", format!("{text}{}\n", lines[1]), last + 1, "the file continues after its last line"),
        ("no line", joined(&["{}"]), 1, "this is not an export of a model registry"),
    ];
    let target = Api::on(backend).await;
    for &(context, ref bad, line, reason) in &files {
        let bad_path = directory.path().join("bad.jsonl");
        fs::write(&bad_path, bad).unwrap();
        let error = import(&target, &bad_path, KEEP).await.unwrap_err();
        let message = error.to_string();
        let BackupError::Line { line: found, .. } = error else { panic!("{context}: {message}") };
        let found = usize::try_from(found).unwrap();
        assert!(
            found == line || (context == "cut in a line" && found >= line - 2),
            "{context}: {message}, not line {line}"
        );
        assert!(message.contains(reason), "{context}: {message}");
        assert_eq!(target.get("registered_models").await.json()["size"], 0, "{context}");
        assert_eq!(target.get("changes").await.json()["next"], "0", "{context}");
    }
}

/// An interrupted import is resumed after a server has changed an imported entity.
async fn an_entity_changed_before_the_final_comparison_is_reported(backend: Backend) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("export.jsonl");
    let source = Api::on(Backend::Sqlite).await;
    fill(&source).await;
    export(&source, &path).await;
    let target = Api::on(backend).await;
    import(&target, &path, KEEP).await.unwrap();
    // The state after a kill between the last batch and the comparison.
    target.database.execute("UPDATE import_run SET finish_time = NULL").await.unwrap();
    target.patch("registered_models/1", json!({"description": "meanwhile"})).await;
    let changed = import(&target, &path, KEEP).await.unwrap_err().to_string();
    assert!(changed.starts_with("everything was imported, but the content differs from the file"), "{changed}");
    target.database.execute("DELETE FROM metric_point").await.unwrap();
    let missing = import(&target, &path, KEEP).await.unwrap_err().to_string();
    assert!(missing.starts_with("after the import, the numbers of entities in the database differ"), "{missing}");
    // Nothing was undone.
    assert_eq!(target.get("registered_models/1").await.json()["description"], "meanwhile");
}
