//! Every documented filter lists the documented entities or is rejected.

use std::collections::BTreeSet;

use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::entities::{Creation, Entities};
use crate::support::{Api, encoded};

on_each_database!(
    every_documented_filter_lists_the_right_versions,
    filters_follow_updates_of_string_properties,
    models_and_artifacts_and_runs_are_filtered_by_their_fields,
    the_filter_language_is_the_same_on_every_list,
    an_entity_is_listed_once_however_many_of_its_values_match
);

/// The expected result of a filter: names in the order of ids, or 400.
enum Expected {
    Names(&'static [&'static str]),
    Rejected,
}

use Expected::{Names, Rejected};

fn string(value: &str) -> Value {
    json!({"metadataType": "MetadataStringValue", "string_value": value})
}
fn int(value: i64) -> Value {
    json!({"metadataType": "MetadataIntValue", "int_value": value.to_string()})
}
fn double(value: f64) -> Value {
    json!({"metadataType": "MetadataDoubleValue", "double_value": value})
}
fn flag(value: bool) -> Value {
    json!({"metadataType": "MetadataBoolValue", "bool_value": value})
}

async fn versions(api: &Api) {
    let model = api.create("registered_models", json!({"name": "m1", "libraryName": "transformers"})).await;
    let bodies = [
        json!({"name": "v1.0.0", "author": "alice", "description": "with bug fixes", "customProperties": {
            "stage": string("production"), "accuracy": double(0.97), "batch_size": int(32), "experimental": flag(false),
            "a-b": int(1), "x": int(10), "big": int(9_007_199_254_740_993)}}),
        json!({"name": "v1.1.0", "author": "bob", "customProperties": {
            "stage": string("staging"), "accuracy": double(0.91), "batch_size": int(64), "experimental": flag(true)}}),
        json!({"name": "v2.0-beta", "author": "charlie", "state": "ARCHIVED", "customProperties": {
            "stage": string("development"), "accuracy": double(0.99), "batch_size": double(32.0),
            "mlflow.source.type": string("notebook")}}),
        json!({"name": "it's", "author": "dan", "customProperties": {"path": string("a\\b_c%d"), "owner": string("x")}}),
    ];
    for mut body in bodies {
        body["registeredModelId"] = json!(model);
        api.create("model_versions", body).await;
    }
}

/// Filters by example number of the documentation of the filter language.
const VERSIONS: &[(&str, Expected)] = &[
    /* 2 */ ("name = 'v1.0.0'", Names(&["v1.0.0"])),
    /* 3 */ ("name LIKE 'v1.%'", Names(&["v1.0.0", "v1.1.0"])),
    /* 4 */ ("name LIKE '%-beta'", Names(&["v2.0-beta"])),
    /* 5 */ ("name ILIKE '%BETA%'", Names(&["v2.0-beta"])),
    /* 6 */ ("name ILIKE 'V1%'", Names(&["v1.0.0", "v1.1.0"])),
    /* 7 */ ("name != 'v1.0.0'", Names(&["v1.1.0", "v2.0-beta", "it's"])),
    /* 8 */ ("name IN ('v1.0.0','v1.1.0')", Names(&["v1.0.0", "v1.1.0"])),
    /* 9 */ ("author = 'alice' OR author = 'charlie'", Names(&["v1.0.0", "v2.0-beta"])),
    /* 10 */ ("stage = 'production' AND accuracy > 0.95", Names(&["v1.0.0"])),
    /* 11 */ ("(stage = 'production' OR stage = 'staging') AND accuracy < 0.95", Names(&["v1.1.0"])),
    /* 12 */ ("batch_size = 32", Names(&["v1.0.0", "v2.0-beta"])),
    // An integer is a number.
    /* 13 */ ("batch_size > 31.5", Names(&["v1.0.0", "v1.1.0", "v2.0-beta"])),
    ("batch_size BETWEEN 31.5 AND 32.5", Names(&["v1.0.0", "v2.0-beta"])),
    ("batch_size IN (32.0, 1.5)", Names(&["v1.0.0", "v2.0-beta"])),
    ("batch_size != 32.0", Names(&["v1.1.0"])),
    ("batch_size.double_value > 31.5", Names(&["v2.0-beta"])),
    /* 14 */ ("batch_size.int_value IN (32,64)", Names(&["v1.0.0", "v1.1.0"])),
    /* 15 */ ("batch_size IN (32,64)", Names(&["v1.0.0", "v1.1.0", "v2.0-beta"])),
    /* 16 */ ("experimental = true", Names(&["v1.1.0"])),
    ("experimental = True", Names(&["v1.1.0"])),
    /* 17 */ ("stage <> 'development'", Names(&["v1.0.0", "v1.1.0"])),
    /* 18 */ ("stage != 'development'", Names(&["v1.0.0", "v1.1.0"])),
    /* 19 */ ("description LIKE '%bug fixes%'", Names(&["v1.0.0"])),
    /* 20 */ ("state = 'ARCHIVED'", Names(&["v2.0-beta"])),
    ("state = 'archived' AND state LIKE 'arch%'", Names(&["v2.0-beta"])),
    ("state != 'Live'", Names(&["v2.0-beta"])),
    ("state IN ('archived')", Names(&["v2.0-beta"])),
    ("state BETWEEN 'archived' AND 'Archived'", Names(&["v2.0-beta"])),
    ("state = 'LIVEE'", Rejected),
    ("state LIKE 'live_'", Rejected),
    /* 21 */
    ("registeredModelId = 1 AND registeredModelId = \"1\"", Names(&["v1.0.0", "v1.1.0", "v2.0-beta", "it's"])),
    /* 23 */ ("accuracy > 0.9 and stage = 'staging'", Names(&["v1.1.0"])),
    /* 24 */ ("x = 010", Names(&["v1.0.0"])),
    /* 25 */ ("`mlflow.source.type` = \"notebook\"", Names(&["v2.0-beta"])),
    ("mlflow.source.type = \"notebook\"", Names(&["v2.0-beta"])),
    /* 26 */ ("`a-b.int_value` = 1", Names(&["v1.0.0"])),
    /* 27 */ ("name = 'it''s'", Names(&["it's"])),
    ("name = 'it\\'s'", Names(&["it's"])),
    /* 28 */ ("name = foo", Rejected),
    /* 29 */ ("id IN ()", Names(&[])),
    /* 30 */ ("   ", Names(&["v1.0.0", "v1.1.0", "v2.0-beta", "it's"])),
    /* 31 */ ("name = \"v1.0.0\" -- note", Names(&["v1.0.0"])),
    /* 32 */ ("invalid <<< syntax", Rejected),
    ("name =", Rejected),
    ("name \"x\"", Rejected),
    ("(name = \"x\"", Rejected),
    ("name === \"x\"", Rejected),
    // Further cases.
    ("NOT stage = 'staging'", Names(&["v1.0.0", "v2.0-beta", "it's"])),
    ("stage IS NULL", Names(&["it's"])),
    ("stage IS NOT NULL", Names(&["v1.0.0", "v1.1.0", "v2.0-beta"])),
    ("accuracy BETWEEN 0.91 AND 0.97", Names(&["v1.0.0", "v1.1.0"])),
    ("name NOT LIKE 'v%'", Names(&["it's"])),
    ("stage NOT IN ('staging')", Names(&["v1.0.0", "v2.0-beta"])),
    ("path LIKE 'a\\\\\\\\b\\_c\\%d'", Names(&["it's"])),
    ("path LIKE 'a_b_c_d'", Names(&["it's"])),
    ("big = 9007199254740993", Names(&["v1.0.0"])),
    ("big = 9007199254740992", Names(&[])),
    ("id = 'abc'", Rejected),
    ("name LIKE 5", Rejected),
    ("name = 5", Rejected),
    ("experimental > true", Rejected),
    ("accuracy = 1e999", Rejected),
    ("x = 9223372036854775808", Rejected),
    ("name LIKE 'x\\", Rejected),
];

async fn every_documented_filter_lists_the_right_versions(backend: Backend) {
    let api = Api::on(backend).await;
    versions(&api).await;
    for (filter, expected) in VERSIONS {
        check(&api, "model_versions", filter, expected).await;
    }
}

async fn check(api: &Api, list: &str, filter: &str, expected: &Expected) {
    let separator = if list.contains('?') { '&' } else { '?' };
    let response = api.get(&format!("{list}{separator}filterQuery={}", encoded(filter))).await;
    match expected {
        Names(names) => {
            assert_eq!(response.status, 200, "{list} {filter}: {}", response.message());
            assert_eq!(response.names(), *names, "{list} {filter}");
        }
        Rejected => {
            assert_eq!(response.status, 400, "{list} {filter}");
            assert!(response.message().starts_with("invalid filter query"), "{list} {filter}: {}", response.message());
        }
    }
}

/// Further numbered examples, by list; `{experiment}` and `{run}` stand for ids.
const OTHER_LISTS: &[(&str, &str, Expected)] = &[
    /* 1 */ ("registered_models", "name = \"m1\"", Names(&["m1"])),
    ("registered_models", "name='m1'", Names(&["m1"])),
    ("registered_models", "name = 'm'", Names(&[])),
    ("registered_models", "name = 'M1'", Names(&[])),
    /* 22 */ ("registered_models", "library_name = 'transformers'", Names(&["m1"])),
    ("registered_models", "libraryName = 'transformers'", Names(&["m1"])),
    /* 33 */ ("artifacts", "state = 'LIVE'", Names(&["weights"])),
    ("artifacts", "state = 'live'", Names(&["weights"])),
    ("artifacts", "state = 'alive'", Rejected),
    ("artifacts", "artifactType = 'Metric'", Names(&["acc"])),
    ("artifacts", "artifactType NOT IN ('metric', 'parameter') AND name LIKE 'w%'", Names(&["weights"])),
    ("artifacts", "artifactType = 'metrics'", Rejected),
    ("artifacts", "parameterType = 'strings'", Rejected),
    ("artifacts", "state IN ('LIVE')", Names(&["weights"])),
    /* 34 */ ("artifacts", "experimentId = \"{experiment}\"", Names(&["weights", "acc", "lr"])),
    ("artifacts", "experimentId = {experiment}", Names(&["weights", "acc", "lr"])),
    ("artifacts", "experimentId = {run}", Names(&[])),
    ("artifacts", "experimentRunId IN (999,{run})", Names(&["weights", "acc", "lr"])),
    ("artifacts", "experimentRunId IN ({experiment},999)", Names(&[])),
    ("artifacts", "experimentRunId IS NULL", Names(&["loose"])),
    /* 35 */ ("artifacts?artifactType=metric", "value > 0.9 AND step >= 2", Names(&["acc"])),
    /* 36 */ ("artifacts?artifactType=metric", "timestamp > 0", Names(&["acc"])),
    /* 37 */ ("artifacts?artifactType=parameter", "value = \"x\"", Names(&["lr"])),
    ("artifacts?artifactType=parameter", "value.string_value = \"x\"", Names(&["lr"])),
    ("artifacts", "value = 'x' OR value > 0.5", Names(&["acc", "lr"])),
    /* 38 */ ("artifacts", "uri LIKE \"s3://%\"", Names(&["weights", "loose"])),
    /* 39 */
    ("experiment_runs", "status = \"FINISHED\" AND endTimeSinceEpoch > \"1700000000000\"", Names(&["r"])),
    ("experiment_runs", "status = 'finished'", Names(&["r"])),
    ("experiment_runs", "status = 'FINISHD'", Rejected),
    ("experiment_runs", "startTimeSinceEpoch < 1000", Names(&["r"])),
];

async fn filters_follow_updates_of_string_properties(backend: Backend) {
    let api = Api::on(backend).await;
    let model = api.create("registered_models", json!({"name": "m"})).await;
    let body = |name: &str, stage: &str| {
        json!({"name": name, "registeredModelId": model, "author": "ada",
            "customProperties": {"stage": string(stage), "team": string("blue")}})
    };
    let changed = api.create("model_versions", body("changed", "staging")).await;
    api.create("model_versions", body("other", "staging")).await;
    let update = async |properties: Value| {
        let response = api.patch(&format!("model_versions/{changed}"), json!({"customProperties": properties})).await;
        assert_eq!(response.status, 200, "{}", response.message());
    };
    let check = async |filter: &str, names: &'static [&'static str]| {
        check(&api, "model_versions", filter, &Names(names)).await;
    };
    check("stage = 'staging' AND team = 'blue' AND author = 'ada'", &["changed", "other"]).await;
    update(json!({"stage": string("production"), "team": string("blue")})).await;
    check("stage = 'production' AND team = 'blue' AND author = 'ada'", &["changed"]).await;
    check("stage = 'staging' AND team = 'blue'", &["other"]).await;
    update(json!({"stage": string("production"), "team": string("blue"), "site": string("north")})).await;
    check("team = 'blue' AND site = 'north' AND author = 'ada'", &["changed"]).await;
    update(json!({"team": string("blue"), "site": string("north")})).await;
    check("stage = 'production' AND team = 'blue'", &[]).await;
    check("team = 'blue' AND site = 'north'", &["changed"]).await;
    // Rows written before there were Bloom filters have all bits set.
    api.database.execute("UPDATE property SET signature = -1").await.unwrap();
    check("stage = 'staging' AND team = 'blue'", &["other"]).await;
    check("team = 'blue' AND site = 'north'", &["changed"]).await;
}

async fn models_and_artifacts_and_runs_are_filtered_by_their_fields(backend: Backend) {
    let api = Api::on(backend).await;
    versions(&api).await;
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    let run = json!({"name": "r", "experimentId": experiment, "status": "FINISHED",
        "startTimeSinceEpoch": "900", "endTimeSinceEpoch": "1700000000001"});
    let run = api.create("experiment_runs", run).await;
    let artifacts = [
        json!({"artifactType": "model-artifact", "name": "weights", "uri": "s3://b/w", "state": "LIVE"}),
        json!({"artifactType": "metric", "name": "acc", "value": 0.95, "step": 2, "timestamp": "1700"}),
        json!({"artifactType": "parameter", "name": "lr", "value": "x"}),
    ];
    for artifact in artifacts {
        api.create(&format!("experiment_runs/{run}/artifacts"), artifact).await;
    }
    let loose = json!({"artifactType": "doc-artifact", "name": "loose", "uri": "s3://b/loose"});
    api.create("artifacts", loose).await;
    for (list, filter, expected) in OTHER_LISTS {
        let filter = filter.replace("{experiment}", &experiment).replace("{run}", &run);
        check(&api, list, &filter, expected).await;
    }
}

/// Numbered examples that do not depend on the list, and their effect on the entities named `it's`.
const ON_EVERY_LIST: &[(&str, Effect)] = &[
    /* 23 */ ("a = 1 and b = 2", Listed),
    ("a = 1 AND b = 2", Listed),
    ("a = 1 And not (b = 1 oR c is nOt null)", Listed),
    ("a = 1 and b = 3", Missing),
    /* 24 */ ("x = 010", Listed),
    ("x = 8", Missing),
    ("b = 08", Missing),
    ("b = 02", Listed),
    /* 25 */ ("`mlflow.source.type` = \"notebook\"", Listed),
    ("mlflow.source.type = \"notebook\"", Listed),
    /* 26 */ ("`a-b.int_value` = 1", Listed),
    ("`a-b.double_value` = 1", Missing),
    /* 27 */ ("name = 'it''s' AND a = 1", Listed),
    ("name = 'it\\'s' AND a = 1", Listed),
    ("name = \"it's\" AND a = 1", Listed),
    /* 28 */ ("name = foo", Error),
    /* 29 */ ("id IN ()", Missing),
    /* 31 */ ("a = 1 -- AND a = 2", Listed),
    /* 32 */ ("invalid <<< syntax", Error),
    ("name =", Error),
    ("name \"x\"", Error),
    ("(name = \"x\"", Error),
    /* 40 */ ("name === \"x\"", Error),
];

enum Effect {
    /// Only these entities are listed.
    Listed,
    /// Nothing is listed.
    Missing,
    Error,
}

use Effect::{Error, Listed, Missing};

async fn the_filter_language_is_the_same_on_every_list(backend: Backend) {
    let properties =
        json!({"a": int(1), "b": int(2), "x": int(10), "a-b": int(1), "mlflow.source.type": string("notebook")});
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    let mut lists = BTreeSet::new();
    for Creation { path, mut body, .. } in entities.creations() {
        body["name"] = json!("it's");
        body["customProperties"] = properties.clone();
        // 409: a nested create conflicts with an earlier flat create under the same parent.
        let created = api.post(&path, body).await;
        assert!(matches!(created.status, 201 | 409), "{path}: {}", created.message());
        lists.insert(path);
    }
    assert_eq!(lists.len(), 14, "{lists:?}");
    for list in &lists {
        for (filter, expected) in ON_EVERY_LIST {
            let context = format!("{list} {filter}");
            let response = api.get(&format!("{list}?filterQuery={}", encoded(filter))).await;
            match expected {
                Listed => {
                    let names = response.names();
                    assert!(!names.is_empty() && names.iter().all(|name| name == "it's"), "{context}: {names:?}");
                }
                Missing => assert_eq!(response.names(), [""; 0], "{context}"),
                Error => {
                    assert_eq!(response.status, 400, "{context}");
                    assert!(
                        response.message().starts_with("invalid filter query"),
                        "{context}: {}",
                        response.message()
                    );
                }
            }
        }
        /* 30 */
        let all = api.get(list).await.names();
        assert_eq!(api.get(&format!("{list}?filterQuery=%20%20%20")).await.names(), all, "{list}");
    }
}

async fn an_entity_is_listed_once_however_many_of_its_values_match(backend: Backend) {
    let api = Api::on(backend).await;
    let same = json!({"description": string("x"), "owner": string("x"), "other": string("x")});
    let body = json!({
        "name": "m", "description": "x", "owner": "x", "tasks": ["x", "x", "xy"], "customProperties": same
    });
    api.create("registered_models", body).await;
    for filter in [
        "description = 'x'",
        "owner = 'x'",
        "tasks LIKE 'x%'",
        "tasks = 'x' AND description = 'x' AND other = 'x'",
        "tasks = 'x' OR description = 'x' OR other = 'x'",
    ] {
        for order in ["ID", "CREATE_TIME"] {
            let list = format!("registered_models?orderBy={order}&filterQuery={}", encoded(filter));
            let response = api.get(&list).await;
            assert_eq!((response.names(), &response.json()["size"]), (vec!["m".to_owned()], &json!(1)), "{filter}");
        }
    }
}
