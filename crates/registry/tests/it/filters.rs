//! Every documented filter case, on every database: what is listed, or that it is refused.

use model_registry_testkit::backends;
use serde_json::{Value, json};

use crate::support::{Api, encoded};

/// What a filter has to give: names in the order of ids, or 400.
enum Expected {
    Names(&'static [&'static str]),
    Refused,
}

use Expected::{Names, Refused};

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

/// Appendix C of the filter language's description, by number, with the right outcome.
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
    /* 13 */ ("batch_size > 31.5", Names(&["v2.0-beta"])),
    /* 14 */ ("batch_size.int_value IN (32,64)", Names(&["v1.0.0", "v1.1.0"])),
    /* 15 */ ("batch_size IN (32,64)", Names(&["v1.0.0", "v1.1.0", "v2.0-beta"])),
    /* 16 */ ("experimental = true", Names(&["v1.1.0"])),
    ("experimental = True", Names(&["v1.1.0"])),
    /* 17 */ ("stage <> 'development'", Names(&["v1.0.0", "v1.1.0"])),
    /* 18 */ ("stage != 'development'", Names(&["v1.0.0", "v1.1.0"])),
    /* 19 */ ("description LIKE '%bug fixes%'", Names(&["v1.0.0"])),
    /* 20 */ ("state = 'ARCHIVED'", Names(&["v2.0-beta"])),
    /* 21 */
    ("registeredModelId = 1 AND registeredModelId = \"1\"", Names(&["v1.0.0", "v1.1.0", "v2.0-beta", "it's"])),
    /* 23 */ ("accuracy > 0.9 and stage = 'staging'", Names(&["v1.1.0"])),
    /* 24 */ ("x = 010", Names(&["v1.0.0"])),
    /* 25 */ ("`mlflow.source.type` = \"notebook\"", Names(&["v2.0-beta"])),
    ("mlflow.source.type = \"notebook\"", Names(&["v2.0-beta"])),
    /* 26 */ ("`a-b.int_value` = 1", Names(&["v1.0.0"])),
    /* 27 */ ("name = 'it''s'", Names(&["it's"])),
    ("name = 'it\\'s'", Names(&["it's"])),
    /* 28 */ ("name = foo", Refused),
    /* 29 */ ("id IN ()", Names(&[])),
    /* 30 */ ("   ", Names(&["v1.0.0", "v1.1.0", "v2.0-beta", "it's"])),
    /* 31 */ ("name = \"v1.0.0\" -- note", Names(&["v1.0.0"])),
    /* 32 */ ("invalid <<< syntax", Refused),
    ("name =", Refused),
    ("name \"x\"", Refused),
    ("(name = \"x\"", Refused),
    ("name === \"x\"", Refused),
    // Beyond the appendix.
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
    ("id = 'abc'", Refused),
    ("name LIKE 5", Refused),
    ("name = 5", Refused),
    ("experimental > true", Refused),
    ("accuracy = 1e999", Refused),
    ("x = 9223372036854775808", Refused),
    ("name LIKE 'x\\", Refused),
];

#[tokio::test]
async fn every_documented_filter_gives_the_right_versions_on_every_database() {
    for backend in backends() {
        let api = Api::on(backend).await;
        versions(&api).await;
        for (filter, expected) in VERSIONS {
            check(&api, "model_versions", filter, expected, &format!("{backend:?}")).await;
        }
    }
}

async fn check(api: &Api, list: &str, filter: &str, expected: &Expected, context: &str) {
    let separator = if list.contains('?') { '&' } else { '?' };
    let answer = api.get(&format!("{list}{separator}filterQuery={}", encoded(filter))).await;
    match expected {
        Names(names) => {
            assert_eq!(answer.status, 200, "{context} {filter}: {}", answer.message());
            assert_eq!(answer.names(), *names, "{context} {filter}");
        }
        Refused => {
            assert_eq!(answer.status, 400, "{context} {filter}");
            assert!(answer.message().starts_with("invalid filter query"), "{context} {filter}: {}", answer.message());
        }
    }
}

#[tokio::test]
async fn models_and_artifacts_and_runs_are_filtered_by_their_fields() {
    for backend in backends() {
        let context = format!("{backend:?}");
        let api = Api::on(backend).await;
        versions(&api).await;
        let check = |list: &'static str, filter: &'static str, names: &'static [&'static str]| {
            let (api, context) = (&api, &context);
            async move { check(api, list, filter, &Names(names), context).await }
        };
        /* 1 */
        check("registered_models", "name = \"m1\"", &["m1"]).await;
        /* 22 */
        check("registered_models", "library_name = 'transformers'", &["m1"]).await;
        check("registered_models", "libraryName = 'transformers'", &["m1"]).await;
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
        /* 33 */
        check("artifacts", "state = 'LIVE'", &["weights"]).await;
        check("artifacts", "state = 'live'", &[]).await;
        check("artifacts", "state IN ('LIVE')", &["weights"]).await;
        /* 34 */
        check("artifacts", "experimentId = \"2\" OR experimentRunId IN (4, 5, 6, 7)", &["weights", "acc", "lr"]).await;
        /* 35 */
        check("artifacts?artifactType=metric", "value > 0.9 AND step >= 2", &["acc"]).await;
        /* 36 */
        check("artifacts?artifactType=metric", "timestamp > 0", &["acc"]).await;
        /* 37 */
        check("artifacts?artifactType=parameter", "value = \"x\"", &["lr"]).await;
        check("artifacts?artifactType=parameter", "value.string_value = \"x\"", &["lr"]).await;
        check("artifacts", "value = 'x' OR value > 0.5", &["acc", "lr"]).await;
        /* 38 */
        check("artifacts", "uri LIKE \"s3://%\"", &["weights"]).await;
        /* 39 */
        check("experiment_runs", "status = \"FINISHED\" AND endTimeSinceEpoch > \"1700000000000\"", &["r"]).await;
        check("experiment_runs", "startTimeSinceEpoch < 1000", &["r"]).await;
    }
}
