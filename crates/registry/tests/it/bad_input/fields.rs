//! Invalid values for every field of every kind, generated from the declarations.

use model_registry_api::kind::NAME_LIMIT;
use model_registry_api::{ApiVersion, Field, Kind, Shape};
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use super::error_message;
use crate::support::Api;
use crate::support::entities::{Entities, change, entity, kinds};

on_each_database!(
    a_value_of_the_wrong_type_is_rejected_for_every_field_of_every_kind,
    unknown_fields_are_rejected_except_in_artifacts,
    required_names_and_length_limits_are_enforced,
    an_invalid_custom_property_is_rejected_by_name
);

/// Values that are invalid for a field of the shape.
fn wrong_values(shape: Shape) -> Vec<Value> {
    let mut values = vec![json!(true), json!({}), json!({"a": 1}), json!([1]), json!([null]), json!([["x"]])];
    values.extend(match shape {
        Shape::String | Shape::Uri | Shape::EpochMillis => vec![json!(1), json!(-1.5), json!([]), json!(["x"])],
        Shape::Id => vec![json!(1), json!([]), json!(["1"])],
        Shape::StringList => vec![json!("x"), json!(1), json!(["x", 1]), json!(["x", null])],
        Shape::Enumeration(_) => {
            vec![json!(1), json!([]), json!(["LIVE"]), json!("live"), json!("NO_SUCH"), json!(" LIVE"), json!("")]
        }
        Shape::Double => vec![json!("1"), json!("nan"), json!("+Infinity"), json!([])],
        Shape::Integer => vec![
            json!(1.5),
            json!(1e30),
            json!(9_223_372_036_854_775_808_u64),
            json!("x"),
            json!("1.5"),
            json!("9223372036854775808"),
            json!(""),
            json!([]),
        ],
    });
    values
}

/// Whether the message names the field, or the enumeration of which the value is not a member.
fn is_named(field: &Field, message: &str) -> bool {
    let enumeration = match field.shape {
        Shape::Enumeration(enumeration) => message.contains(enumeration.name),
        _ => false,
    };
    enumeration || message.contains(field.name)
}

async fn a_value_of_the_wrong_type_is_rejected_for_every_field_of_every_kind(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for version in ApiVersion::ALL {
        for kind in kinds(version) {
            for field in kind.spec().all_fields() {
                for wrong in wrong_values(field.shape) {
                    check_field(&api, &entities, version, kind, field, &wrong).await;
                }
            }
        }
    }
}

async fn check_field(api: &Api, entities: &Entities, version: ApiVersion, kind: Kind, field: &Field, wrong: &Value) {
    let base = version.base_path();
    let context = |verb: &str| format!("{verb} {kind:?} in {version:?}: {} = {wrong}", field.name);
    // Artifacts ignore unknown fields, and fields that only the server sets count as unknown.
    let is_ignored = |accepted: bool| !accepted && kind.spec().artifact_type.is_some();
    if !is_ignored(field.on_create()) {
        let (path, mut body) = entities.new_entity(kind);
        if version == ApiVersion::V1 && kind == Kind::Metric {
            body["value"] = json!(0.5);
        }
        body["name"] = json!("wrong");
        body[field.name] = wrong.clone();
        let response = api.post(&format!("{base}/{path}"), body).await;
        let message = error_message(&response, &context("POST"));
        assert_eq!(response.status, 400, "{}: {message}", context("POST"));
        assert!(is_named(field, &message), "{}: {message}", context("POST"));
    }
    let Some(path) = entity(kind, entities.id(kind)) else { return };
    if !is_ignored(field.on_update()) {
        let body = change(kind, json!({field.name: wrong}));
        let response = api.patch(&format!("{base}/{path}"), body).await;
        let message = error_message(&response, &context("PATCH"));
        assert_eq!(response.status, 400, "{}: {message}", context("PATCH"));
        assert!(is_named(field, &message), "{}: {message}", context("PATCH"));
    }
}

async fn unknown_fields_are_rejected_except_in_artifacts(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for kind in kinds(ApiVersion::V1Alpha3) {
        for unknown in ["owners", "display_name", "", "ä", "id2"] {
            let (path, mut body) = entities.new_entity(kind);
            body["name"] = json!(format!("{kind:?} {unknown}"));
            body[unknown] = json!("x");
            let response = api.post(&path, body).await;
            if kind.spec().artifact_type.is_some() {
                assert_eq!(response.status, 201, "{kind:?} {unknown}: {}", response.json());
                assert!(response.json().get(unknown).is_none(), "{kind:?} {unknown}");
            } else {
                let message = error_message(&response, &format!("{kind:?} {unknown}"));
                assert_eq!(message, format!("json: unknown field {}", json!(unknown)));
            }
        }
    }
}

async fn required_names_and_length_limits_are_enforced(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for kind in kinds(ApiVersion::V1Alpha3) {
        let spec = kind.spec();
        let (path, mut body) = entities.new_entity(kind);
        // The longest name in bytes: four for each character.
        body["name"] = json!("😀".repeat(spec.name_limit));
        let longest = api.post(&path, body.clone()).await;
        assert_eq!(longest.status, 201, "{kind:?}: {}", longest.json());
        body["name"] = json!("a".repeat(spec.name_limit + 1));
        let message = error_message(&api.post(&path, body.clone()).await, &format!("{kind:?}"));
        assert_eq!(message, format!("`name` is longer than {} characters", spec.name_limit), "{kind:?}");
        body["name"] = json!("");
        let empty = api.post(&path, body.clone()).await;
        assert_eq!(empty.status, if spec.name_required { 422 } else { 201 }, "{kind:?}");
        body["name"] = json!("with a long external id");
        body["externalId"] = json!("😀".repeat(NAME_LIMIT + 1));
        let message = error_message(&api.post(&path, body.clone()).await, &format!("{kind:?}"));
        assert_eq!(message, "`externalId` is longer than 255 characters", "{kind:?}");
        body["externalId"] = json!(format!("{}{}", "😀".repeat(NAME_LIMIT - 3), kind.code() + 100));
        let longest = api.post(&path, body).await;
        assert_eq!(longest.status, 201, "{kind:?}: {}", longest.json());
    }
}

async fn an_invalid_custom_property_is_rejected_by_name(backend: Backend) {
    let typed = |kind: &str, field: &str, value: Value| {
        let mut property = json!({"metadataType": kind});
        property[field] = value;
        json!({ "the property": property })
    };
    let wrong = [
        json!(1),
        json!("x"),
        json!([]),
        json!([{"the property": 1}]),
        json!({"the property": null}),
        json!({"the property": 1}),
        json!({"the property": []}),
        json!({"the property": {}}),
        json!({"the property": {"metadataType": "MetadataStringValue"}}),
        json!({"the property": {"metadataType": 1, "string_value": "x"}}),
        typed("MetadataNoValue", "string_value", json!("x")),
        typed("metadatastringvalue", "string_value", json!("x")),
        typed("MetadataStringValue", "string_value", json!(1)),
        typed("MetadataStringValue", "string_value", json!(null)),
        typed("MetadataIntValue", "int_value", json!(1)),
        typed("MetadataIntValue", "int_value", json!("1.5")),
        typed("MetadataIntValue", "int_value", json!("")),
        typed("MetadataIntValue", "int_value", json!("9223372036854775808")),
        typed("MetadataDoubleValue", "double_value", json!("1")),
        typed("MetadataDoubleValue", "double_value", json!("nan")),
        typed("MetadataBoolValue", "bool_value", json!("true")),
        typed("MetadataBoolValue", "bool_value", json!(1)),
        typed("MetadataStructValue", "struct_value", json!({"a": 1})),
        typed("MetadataStructValue", "struct_value", json!("no base64!")),
        typed("MetadataProtoValue", "proto_value", json!("AAAA")),
        json!({"the property": {"metadataType": "MetadataProtoValue", "type": 1, "proto_value": "AAAA"}}),
    ];
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    for kind in kinds(ApiVersion::V1Alpha3) {
        for properties in &wrong {
            let (path, mut body) = entities.new_entity(kind);
            body["name"] = json!("wrong");
            body["customProperties"] = properties.clone();
            let context = format!("{kind:?}: {properties}");
            let response = api.post(&path, body).await;
            let message = error_message(&response, &context);
            assert_eq!(response.status, 400, "{context}: {message}");
            let is_named = message.contains("the property") || message.contains("customProperties");
            assert!(is_named, "{context}: {message}");
        }
    }
    let too_long = json!({"name": "m", "customProperties": {"x".repeat(256): {"metadataType": "MetadataBoolValue", "bool_value": true}}});
    let message = error_message(&api.post("registered_models", too_long).await, "a long name");
    assert_eq!(message, "`customProperties key` is longer than 255 characters");
}
