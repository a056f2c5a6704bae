//! Doubles that JSON does not have: NaN and infinities.

use http::Request;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::{Api, encoded};

on_each_database!(
    metrics_and_their_history_keep_values_that_are_not_finite,
    filters_compare_values_that_are_not_finite_as_ieee_754_defines,
    a_bare_nan_is_rejected_by_name_and_place,
    custom_properties_keep_doubles_that_are_not_finite
);

const V1: &str = "/api/model_registry/v1/";

async fn run(api: &Api) -> String {
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    api.create("experiment_runs", json!({"name": "r", "experimentId": experiment})).await
}

fn metric(name: &str, value: impl Into<Value>) -> Value {
    json!({"artifactType": "metric", "name": name, "value": value.into()})
}

/// The values of the listed metrics.
fn values(list: &Value) -> Vec<Value> {
    list["items"].as_array().unwrap_or_else(|| panic!("{list}")).iter().map(|item| item["value"].clone()).collect()
}

async fn metrics_and_their_history_keep_values_that_are_not_finite(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    let path = format!("experiment_runs/{run}/artifacts");
    let logged = ["NaN", "Infinity", "-Infinity", "NaN"].map(Value::from);
    for value in logged.iter().cloned().chain([json!(0.5)]).chain(logged.iter().cloned()) {
        let response = api.post(&path, metric("loss", value.clone())).await;
        assert!(response.status < 300, "{}", response.message());
        assert_eq!(response.json()["value"], value);
        let id = response.id();
        assert_eq!(api.get(&format!("artifacts/{id}")).await.json()["value"], value);
        assert_eq!(api.get(&format!("{V1}artifacts/{id}")).await.json()["value"], value);
    }
    let history = api.get(&format!("experiment_runs/{run}/metric_history?name=loss")).await.json();
    let expected: Vec<Value> = [&logged[..], &[json!(0.5)], &logged[..]].concat();
    assert_eq!(values(&history), expected);
    // In v1 too, and by an update of the artifact itself.
    let id = api.create(&format!("{V1}artifacts"), metric("alone", "-Infinity")).await;
    let updated = api.patch(&format!("{V1}artifacts/{id}"), json!({"artifactType": "metric", "value": "NaN"})).await;
    assert_eq!(updated.json()["value"], "NaN");
    for prefix in ["", V1] {
        assert_eq!(values(&api.get(&format!("{prefix}artifacts")).await.json()), [json!("NaN"), json!("NaN")]);
    }
    assert!(api.get("changes?after=0&limit=100").await.json()["items"].as_array().unwrap().len() > 9);
}

async fn filters_compare_values_that_are_not_finite_as_ieee_754_defines(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    let named = [
        ("nan", json!("NaN")),
        ("above", json!("Infinity")),
        ("below", json!("-Infinity")),
        ("zero", json!(0)),
        ("most", json!(f64::MAX)),
    ];
    for (name, value) in &named {
        let loss = json!({"metadataType": "MetadataDoubleValue", "double_value": value});
        let mut body = metric(name, value.clone());
        body["customProperties"] = json!({"loss": loss});
        api.create(&format!("experiment_runs/{run}/artifacts"), body).await;
    }
    for (filter, expected) in [
        ("IS NAN", &["nan"][..]),
        ("IS NOT NAN", &["above", "below", "zero", "most"]),
        ("IS NOT NULL", &["nan", "above", "below", "zero", "most"]),
        ("IS NULL", &[]),
        ("= 0", &["zero"]),
        ("!= 0", &["nan", "above", "below", "most"]),
        ("NOT IN (0, 1.5)", &["nan", "above", "below", "most"]),
        ("> -1", &["above", "zero", "most"]),
        ("<= 0", &["below", "zero"]),
        ("BETWEEN -1e308 AND 1e308", &["zero"]),
        ("NOT BETWEEN -1e308 AND 1e308", &["nan", "above", "below", "most"]),
        ("= Infinity", &["above"]),
        ("!= Infinity", &["nan", "below", "zero", "most"]),
        ("IN (-infinity, 0)", &["below", "zero"]),
        ("> -Infinity", &["above", "zero", "most"]),
        ("< Infinity", &["below", "zero", "most"]),
        ("= 1.7976931348623157e308", &["most"]),
        ("> 1.7976931348623157e308", &["above"]),
        ("<= 1.7976931348623157e308", &["below", "zero", "most"]),
    ] {
        let lists = [
            ("artifacts?artifactType=metric&", "value"),
            ("artifacts?", "value"),
            ("artifacts?", "loss"),
            ("experiment_runs/metric_history?", "value"),
            ("experiment_runs/metric_history?", "loss"),
        ];
        for (list, name) in lists {
            let filter = encoded(&format!("{name} {filter}"));
            let found = api.get(&format!("{list}filterQuery={filter}")).await;
            assert_eq!(found.names(), expected, "{list} {filter}");
        }
    }
    for wrong in ["value = NaN", "name IS NAN", "state IS NOT NAN"] {
        let response = api.get(&format!("artifacts?filterQuery={}", encoded(wrong))).await;
        assert_eq!(response.status, 400, "{wrong}");
    }
}

async fn a_bare_nan_is_rejected_by_name_and_place(backend: Backend) {
    let api = Api::on(backend).await;
    let run = run(&api).await;
    for (path, body, expected) in [
        (
            format!("experiment_runs/{run}/artifacts"),
            r#"{"artifactType": "metric", "name": "loss", "value": NaN}"#,
            r#"the body is not valid JSON: the value of `value` at line 1, column 53 is NaN. NaN is not JSON: send the string "NaN""#,
        ),
        (
            "registered_models".to_owned(),
            "{\"name\": \"m\",\n \"customProperties\": {\"a\": {\"double_value\": -Infinity}}}",
            r#"the body is not valid JSON: the value of `double_value` at line 2, column 45 is -Infinity. -Infinity is not JSON: send the string "-Infinity""#,
        ),
    ] {
        for base in ["/api/model_registry/v1alpha3/", V1] {
            if base == V1 && path.contains("experiment") {
                continue;
            }
            let request = Request::post(format!("{base}{path}")).body(body.into()).unwrap();
            let response = api.send(request).await;
            assert_eq!((response.status, response.message().as_str()), (400, expected));
        }
    }
    let response = api.post("artifacts", metric("loss", "nan")).await;
    assert_eq!(response.status, 400);
    let expected = r#"field `value` must be a number, "NaN", "Infinity" or "-Infinity", not a string"#;
    assert_eq!(response.message(), expected);
}

async fn custom_properties_keep_doubles_that_are_not_finite(backend: Backend) {
    let api = Api::on(backend).await;
    let double = |value: &Value| json!({"loss": {"metadataType": "MetadataDoubleValue", "double_value": value}});
    let id = api.create("registered_models", json!({"name": "m", "customProperties": double(&json!("NaN"))})).await;
    let path = format!("registered_models/{id}");
    for (value, filter) in [
        (json!("NaN"), "loss IS NAN AND loss != 1"),
        (json!("Infinity"), "loss > 1 AND loss IS NOT NAN"),
        (json!(2.5), "loss = 2.5 AND loss IS NOT NAN"),
        (json!("-Infinity"), "loss < 1"),
        (json!("NaN"), "loss IS NAN"),
    ] {
        let response = api.patch(&path, json!({"customProperties": double(&value)})).await;
        assert_eq!(response.json()["customProperties"], double(&value));
        assert_eq!(api.get(&path).await.json()["customProperties"], double(&value));
        let found = api.get(&format!("registered_models?filterQuery={}", encoded(filter))).await;
        assert_eq!(found.names(), ["m"], "{filter}");
    }
    // A removed or replaced NaN leaves no row.
    let text = json!({"loss": {"metadataType": "MetadataStringValue", "string_value": "x"}});
    for (properties, is_null) in [(text, 0), (json!({"other": double(&json!(1))["loss"]}), 1)] {
        assert_eq!(api.patch(&path, json!({"customProperties": properties})).await.status, 200);
        for (filter, count) in [("loss IS NAN", 0), ("loss != 1", 0), ("loss IS NULL", is_null)] {
            let found = api.get(&format!("registered_models?filterQuery={}", encoded(filter))).await;
            assert_eq!(found.names().len(), count, "{filter}");
        }
    }
}
