//! The number of SQL statements of a request does not depend on the number of properties or items.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Map, Value, json};

use crate::support::Api;

on_each_database!(
    requests_need_a_constant_number_of_statements,
    removed_properties_match_no_filter,
    an_idempotency_key_costs_one_more_statement
);

fn properties(count: usize) -> Value {
    let value = |n: usize| json!({"metadataType": "MetadataIntValue", "int_value": n.to_string()});
    Value::Object((0..count).map(|n| (format!("p{n}"), value(n))).collect::<Map<_, _>>())
}

/// Whether one statement inserts both properties and changes.
fn inserts_properties_and_changes_together(backend: Backend) -> bool {
    backend == Backend::Postgres
}

async fn requests_need_a_constant_number_of_statements(backend: Backend) {
    let api = Api::on(backend).await;
    let model = api.create("registered_models", json!({"name": "m"})).await;
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    let run = api.create("experiment_runs", json!({"experimentId": experiment})).await;
    for count in [0, 1, 50] {
        let name = format!("v{count}");
        let body = json!({"name": name, "registeredModelId": model, "customProperties": properties(count)});
        let (create, created) = api.statements(api.post("model_versions", body)).await;
        let most = if inserts_properties_and_changes_together(backend) { 3 } else { 4 };
        assert!(create <= most, "create on {backend}: {create}");
        let path = format!("model_versions/{}", created.id());
        let (get, _) = api.statements(api.get(&path)).await;
        assert_eq!(get, 1);
        let (find, _) = api.statements(api.get(&format!("model_version?name={name}&parentResourceId={model}"))).await;
        assert_eq!(find, 1);
        // One update removes, changes and adds properties.
        let mut changed = properties(count);
        changed["p0"] = json!({"metadataType": "MetadataStringValue", "string_value": "changed"});
        changed["new"] = changed["p0"].clone();
        changed.as_object_mut().unwrap().remove("p1");
        let patch = json!({"author": "ada", "customProperties": changed});
        let (update, response) = api.statements(api.patch(&path, patch)).await;
        assert_eq!(response.status, 200);
        assert!(update <= 4, "update: {update}");
        let (clear, _) = api.statements(api.patch(&path, json!({"customProperties": {}}))).await;
        assert!(clear <= 4, "clear: {clear}");
    }
    let (list, page) = api.statements(api.get("model_versions")).await;
    assert_eq!((list, page.names().len()), (1, 3));
    // One reads the ranges of the indexes, one the rows.
    let (filtered, page) = api.statements(api.get("model_versions?filterQuery=name%20LIKE%20'v%25'")).await;
    assert_eq!((filtered, page.names().len()), (2, 3));
    let (scanned, _) = api.statements(api.get("model_versions?filterQuery=author%20%3D%20'ada'")).await;
    assert_eq!(scanned, 1);
    // The owners of the rarest string fill the page: one statement reads it, except where their number is limited by another.
    for name in ["w1", "w2"] {
        let stage = json!({"metadataType": "MetadataStringValue", "string_value": "production"});
        let body =
            json!({"name": name, "registeredModelId": model, "author": "eve", "customProperties": {"stage": stage}});
        api.create("model_versions", body).await;
    }
    let several = "filterQuery=author%20%3D%20'eve'%20AND%20stage%20%3D%20'production'&pageSize=1";
    let (scanned, page) = api.statements(api.get(&format!("model_versions?{several}"))).await;
    let most = if matches!(backend, Backend::MariaDb | Backend::MySql) { 2 } else { 1 };
    assert_eq!((scanned, page.names().len()), (most, 1));
    let (empty, _) = api.statements(api.get(&format!("experiments/{experiment}/experiment_runs?name=none"))).await;
    assert!(empty <= 2, "list with a parent check: {empty}");
    let log = |value: f64| json!({"artifactType": "metric", "name": "loss", "value": value, "step": 1});
    let artifacts = format!("experiment_runs/{run}/artifacts");
    for (value, status) in [(1.0, 201), (0.5, 200), (0.25, 200)] {
        let (statements, response) = api.statements(api.post(&artifacts, log(value))).await;
        assert_eq!(response.status, status);
        assert!(statements <= 4, "metric log: {statements}");
    }
    for status in [201, 200] {
        let mut log = log(0.5);
        log["name"] = json!("labelled");
        log["customProperties"] = properties(20);
        let (statements, response) = api.statements(api.post(&artifacts, log)).await;
        assert_eq!(response.status, status);
        let most = if inserts_properties_and_changes_together(backend) { 4 } else { 5 };
        assert!(statements <= most, "metric log with properties on {backend}: {statements}");
    }
    let body = json!({"artifactType": "model-artifact", "uri": "s3://b", "customProperties": properties(20)});
    let (artifact, _) = api.statements(api.post(&artifacts, body)).await;
    assert!(artifact <= 4, "artifact: {artifact}");
    for name in ["registered", "again"] {
        let body = json!({
            "registeredModel": {"name": "whole"},
            "modelVersion": {"name": name, "customProperties": properties(20)},
            "artifacts": [{"artifactType": "model-artifact", "name": "a"}, {"artifactType": "doc-artifact", "name": "b"}],
        });
        let (register, response) = api.statements(api.post("registered_models:register", body)).await;
        assert_eq!(response.status, 201, "{}", response.json());
        // One finds the model, one inserts each entity, one all properties, one all changes.
        let most = if inserts_properties_and_changes_together(backend) { 6 } else { 7 };
        assert!(register <= most, "register on {backend}: {register}");
    }
}

async fn removed_properties_match_no_filter(backend: Backend) {
    let api = Api::on(backend).await;
    let body = json!({"name": "m", "customProperties": properties(2)});
    let id = api.create("registered_models", body).await;
    // One update removes a property and writes another; the row of the removed one stays, without a value.
    let patch = json!({"customProperties": {"p1": {"metadataType": "MetadataIntValue", "int_value": "7"}}});
    api.patch(&format!("registered_models/{id}"), patch).await;
    let list = |filter: &str| {
        let path = format!("registered_models?filterQuery={}", filter.replace(' ', "%20"));
        let api = &api;
        async move { api.get(&path).await.names().len() }
    };
    assert_eq!(list("p0 IS NULL").await, 1);
    assert_eq!(list("p0 = 0").await, 0);
    assert_eq!(list("p0 != 5").await, 0);
    assert_eq!(list("p1 = 7").await, 1);
}

async fn an_idempotency_key_costs_one_more_statement(backend: Backend) {
    let api = Api::on(backend).await;
    let model = api.create("registered_models", json!({"name": "m"})).await;
    let mut created = Vec::new();
    for (name, headers) in
        [("plain", vec![]), ("keyed", vec![("idempotency-key", "k")]), ("keyed", vec![("idempotency-key", "k")])]
    {
        let body = json!({"name": name, "registeredModelId": model, "customProperties": properties(20)});
        let (statements, response) = api.statements(api.call("POST", "model_versions", &headers, Some(body))).await;
        assert_eq!(response.status, 201, "{}", response.message());
        created.push(statements);
    }
    // The repeated request is tried first: one statement reads the parent, one finds the name taken, one reads the response.
    let plain = if inserts_properties_and_changes_together(backend) { 3 } else { 4 };
    assert_eq!(created, [plain, plain + 1, 3]);
}
