//! Custom properties keep their types and values.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::Api;

on_each_database!(
    every_type_round_trips_and_survives_an_unrelated_update,
    integral_doubles_keep_their_decimal_point,
    invalid_values_are_rejected_by_name
);

async fn every_type_round_trips_and_survives_an_unrelated_update(backend: Backend) {
    let properties = json!({
        "string": {"metadataType": "MetadataStringValue", "string_value": "mlmd-struct::not one"},
        "int": {"metadataType": "MetadataIntValue", "int_value": "-9223372036854775808"},
        "double": {"metadataType": "MetadataDoubleValue", "double_value": 1.0},
        "bool": {"metadataType": "MetadataBoolValue", "bool_value": false},
        "struct": {"metadataType": "MetadataStructValue", "struct_value": "eyJhIjoxfQ=="},
        "proto": {"metadataType": "MetadataProtoValue", "type": "t", "proto_value": "AAEC"},
        "experiment_id": {"metadataType": "MetadataIntValue", "int_value": "7"},
        "": {"metadataType": "MetadataStringValue", "string_value": "empty key"}
    });
    let api = Api::on(backend).await;
    let id = api.create("registered_models", json!({"name": "m", "customProperties": properties})).await;
    let path = format!("registered_models/{id}");
    assert_eq!(api.get(&path).await.json()["customProperties"], properties);
    let patched = api.patch(&path, json!({"owner": "ada"})).await;
    assert_eq!((patched.status, &patched.json()["customProperties"]), (200, &properties));
}

async fn integral_doubles_keep_their_decimal_point(backend: Backend) {
    let api = Api::on(backend).await;
    let body =
        json!({"name": "m", "customProperties": {"d": {"metadataType": "MetadataDoubleValue", "double_value": 2}}});
    let response = api.post("registered_models", body).await;
    assert!(String::from_utf8_lossy(&response.bytes).contains(r#""double_value":2.0"#));
    let metric = api.post("artifacts", json!({"artifactType": "metric", "name": "m", "value": 3})).await;
    assert!(String::from_utf8_lossy(&metric.bytes).contains(r#""value":3.0"#));
}

async fn invalid_values_are_rejected_by_name(backend: Backend) {
    let api = Api::on(backend).await;
    let cases = [
        (json!({"metadataType": "MetadataStructValue", "struct_value": "{}"}), "`struct_value` is not base64"),
        (json!({"metadataType": "MetadataIntValue", "int_value": "9223372036854775808"}), "is not a 64-bit integer"),
        (json!({"metadataType": "MetadataIntValue", "int_value": 7}), "`int_value` must be a string, and is a number"),
        (json!({"metadataType": "MetadataBoolValue"}), "`bool_value` must be a boolean, and is missing"),
        (json!({"string_value": "x"}), "`metadataType` not found"),
        (json!("bare"), "must be an object with `metadataType`, not a string"),
    ];
    for (value, expected) in cases {
        let response = api.post("registered_models", json!({"name": "m", "customProperties": {"key": value}})).await;
        assert_eq!(response.status, 400, "{value}");
        let message = response.message();
        assert!(message.starts_with("custom property `key`: ") && message.contains(expected), "{message}");
    }
    let long = json!({"name": "m", "customProperties": {"k".repeat(256): {"metadataType": "MetadataBoolValue", "bool_value": true}}});
    assert_eq!(
        api.post("registered_models", long).await.message(),
        "`customProperties key` is longer than 255 characters"
    );
}
