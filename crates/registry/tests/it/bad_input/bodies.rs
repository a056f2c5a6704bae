//! Request bodies that are malformed, huge, deeply nested, or have duplicate keys.

use axum::body::Body;
use http::Request;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use super::error_message;
use crate::support::{Api, Response};

on_each_database!(
    a_body_that_is_not_a_json_object_is_rejected_by_every_operation,
    a_body_over_the_size_limit_is_rejected_with_413,
    the_last_of_duplicate_keys_wins,
    malformed_idempotency_keys_and_entity_tags_are_rejected_or_ignored,
    the_largest_entity_can_be_created_replaced_and_emptied
);

async fn send(api: &Api, method: &str, path: &str, body: impl Into<Body>) -> Response {
    let uri = format!("/api/model_registry/v1alpha3/{path}");
    api.send(Request::builder().method(method).uri(uri).body(body.into()).unwrap()).await
}

const WRITES: [(&str, &str); 6] = [
    ("POST", "registered_models"),
    ("POST", "registered_models:register"),
    ("POST", "artifacts"),
    ("POST", "model_artifacts"),
    ("PATCH", "registered_models/1"),
    ("POST", "model_versions/1/artifacts"),
];

async fn a_body_that_is_not_a_json_object_is_rejected_by_every_operation(backend: Backend) {
    let api = Api::on(backend).await;
    let broken: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b" ".to_vec(),
        b"{".to_vec(),
        b"}".to_vec(),
        b"[]".to_vec(),
        b"[{\"name\": \"m\"}]".to_vec(),
        b"5".to_vec(),
        b"true".to_vec(),
        b"\"name\"".to_vec(),
        b"name=m".to_vec(),
        b"<name>m</name>".to_vec(),
        b"{\"name\": \"m\"} {\"name\": \"n\"}".to_vec(),
        b"{\"name\": \"m\",}".to_vec(),
        b"{name: \"m\"}".to_vec(),
        b"{'name': 'm'}".to_vec(),
        b"{\"name\": \"m\"".to_vec(),
        b"{\"name\": \"m\nn\"}".to_vec(),
        b"{\"name\": \"\\x\"}".to_vec(),
        b"{\"name\": \"\\ud800\"}".to_vec(),
        b"{\"name\": \"\\udc00\\ud800\"}".to_vec(),
        b"{\"name\": \"\xff\"}".to_vec(),
        b"{\"name\": \"\xc3\"}".to_vec(),
        b"{\"name\": \"\xed\xa0\x80\"}".to_vec(),
        b"{\"na\xffme\": \"m\"}".to_vec(),
        b"{\"name\": \"a\0b\"}".to_vec(),
        b"{\"name\": \"a\\u0000b\"}".to_vec(),
        b"{\"name\\u0000\": \"m\"}".to_vec(),
        b"{\"name\": \"m\", \"customProperties\": {\"a\\u0000\": null}}".to_vec(),
        b"\xef\xbb\xbf{\"name\": \"m\"}".to_vec(),
        b"{\"name\": 1e999}".to_vec(),
        b"{\"name\": NaN}".to_vec(),
        "[".repeat(1_000_000).into_bytes(),
        "{\"a\":".repeat(1_000_000).into_bytes(),
        format!("{{\"name\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000)).into_bytes(),
        format!("{{\"name\": {}1}}", "1".repeat(1_000_000)).into_bytes(),
    ];
    for (method, path) in WRITES {
        for body in &broken {
            let context = format!("{method} {path}: {}", String::from_utf8_lossy(&body[..body.len().min(60)]));
            let response = send(&api, method, path, body.clone()).await;
            let message = error_message(&response, &context);
            assert_eq!(response.status, 400, "{context}: {message}");
            assert!(message.len() < 1_000, "{context}: a message of {} bytes", message.len());
        }
    }
    assert_eq!(api.get("registered_models").await.names(), [""; 0]);
}

async fn a_body_over_the_size_limit_is_rejected_with_413(backend: Backend) {
    let api = Api::on(backend).await;
    let body = format!("{{\"name\": \"m\", \"description\": \"{}\"}}", "x".repeat(20 * 1024 * 1024));
    for (method, path) in WRITES {
        let response = send(&api, method, path, body.clone()).await;
        let message = error_message(&response, path);
        assert_eq!(
            (response.status, message.as_str()),
            (413, "request body is larger than the limit of 16777216 bytes")
        );
    }
}

async fn the_last_of_duplicate_keys_wins(backend: Backend) {
    let api = Api::on(backend).await;
    let body = r#"{"name": "first", "owner": 5, "name": "last", "owner": "ada"}"#;
    let created = send(&api, "POST", "registered_models", body).await;
    assert_eq!(created.status, 201, "{}", created.json());
    assert_eq!((&created.json()["name"], &created.json()["owner"]), (&json!("last"), &json!("ada")));
}

async fn malformed_idempotency_keys_and_entity_tags_are_rejected_or_ignored(backend: Backend) {
    let api = Api::on(backend).await;
    let long = "k".repeat(256);
    for key in ["", "ä", long.as_str()] {
        let response =
            api.call("POST", "registered_models", &[("Idempotency-Key", key)], Some(json!({"name": "m"}))).await;
        let message = error_message(&response, key);
        assert_eq!((response.status, message.contains("Idempotency-Key")), (400, true), "{key}: {message}");
    }
    let id = api.create("registered_models", json!({"name": "m"})).await;
    for tag in ["", "x", "\"", "\"1-1", "W/", ",,,", "\"ä\""] {
        let headers = [("If-Match", tag)];
        let response = api.call("PATCH", &format!("registered_models/{id}"), &headers, Some(json!({}))).await;
        error_message(&response, tag);
        assert_eq!(response.status, 412, "{tag}");
        let read = api.call("GET", &format!("registered_models/{id}"), &[("If-None-Match", tag)], None).await;
        assert_eq!(read.status, 200, "{tag}");
    }
}

fn many_properties(prefix: &str) -> Value {
    let properties = (0..1_000).map(|number| {
        let value = json!({"metadataType": "MetadataStringValue", "string_value": number.to_string()});
        (format!("{prefix}{number}"), value)
    });
    Value::Object(properties.collect())
}

async fn the_largest_entity_can_be_created_replaced_and_emptied(backend: Backend) {
    let words = |word: &str| (0..500).map(|number| json!(format!("{word}{number}"))).collect::<Vec<_>>();
    let api = Api::on(backend).await;
    let largest = json!({
        "name": "largest", "language": words("l"), "tasks": words("t"), "customProperties": many_properties("a"),
        "description": "d".repeat(100_000), "readme": "😀\\".repeat(20_000)
    });
    let id = api.create("registered_models", largest.clone()).await;
    let path = format!("registered_models/{id}");
    assert_eq!(api.get(&path).await.json()["readme"], largest["readme"]);
    let replaced = json!({"language": [], "tasks": ["x"], "customProperties": many_properties("b"), "readme": null});
    let response = api.patch(&path, replaced).await;
    assert_eq!(response.status, 200, "{}", response.json());
    let response = api.patch(&path, json!({"tasks": [], "customProperties": {}})).await;
    assert_eq!(response.status, 200, "{}", response.json());
    for (filter, count) in
        [("b999%20%3D%20%27999%27", 0), ("tasks%20%3D%20%27x%27", 0), ("name%20%3D%20%27largest%27", 1)]
    {
        let found = api.get(&format!("registered_models?filterQuery={filter}")).await;
        assert_eq!(found.names().len(), count, "{filter}");
    }
    let response = api.patch(&path, json!({"customProperties": many_properties("c")})).await;
    assert_eq!(response.status, 200, "{}", response.json());

    // Just below the limit on bodies, which exceeds MariaDB's default `max_allowed_packet`.
    let longest = json!({"description": "d".repeat(16 * 1024 * 1024 - 100)});
    let response = api.patch(&path, longest).await;
    if response.status != 200 {
        let message = error_message(&response, "a description of 16 MiB");
        assert_eq!((backend, response.status), (Backend::MariaDb, 400), "{message}");
        assert!(message.contains("max_allowed_packet"), "{message}");
    }

    let mut too_many = many_properties("d");
    too_many["one more"] = json!({"metadataType": "MetadataBoolValue", "bool_value": true});
    let message = error_message(&api.patch(&path, json!({"customProperties": too_many})).await, "too many properties");
    assert_eq!(message, "`customProperties` has more than 1000 entries");
    let message = error_message(&api.patch(&path, json!({"tasks": vec!["x"; 501]})).await, "too many tasks");
    assert_eq!(message, "`tasks` has more than 500 elements");
}
