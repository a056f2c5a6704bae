//! Bodies that are broken, huge, deep, or say a thing twice.

use axum::body::Body;
use http::Request;
use model_registry_testkit::{Backend, backends};
use serde_json::{Value, json};

use super::refusal;
use crate::support::{Answer, Api};

async fn send(api: &Api, method: &str, path: &str, body: impl Into<Body>) -> Answer {
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

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_everywhere() {
    for backend in backends() {
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
                let what = format!("{method} {path}: {}", String::from_utf8_lossy(&body[..body.len().min(60)]));
                let answer = send(&api, method, path, body.clone()).await;
                let message = refusal(&answer, &what);
                assert_eq!(answer.status, 400, "{what}: {message}");
                assert!(message.len() < 1_000, "{what}: a message of {} bytes", message.len());
            }
        }
        assert_eq!(api.get("registered_models").await.names(), [""; 0]);
    }
}

#[tokio::test]
async fn a_body_of_20_megabytes_is_refused_with_413() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let body = format!("{{\"name\": \"m\", \"description\": \"{}\"}}", "x".repeat(20 * 1024 * 1024));
        for (method, path) in WRITES {
            let answer = send(&api, method, path, body.clone()).await;
            let message = refusal(&answer, path);
            assert_eq!(
                (answer.status, message.as_str()),
                (413, "request body is larger than the limit of 16777216 bytes")
            );
        }
    }
}

#[tokio::test]
async fn of_a_key_that_is_given_twice_the_last_one_counts() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let body = r#"{"name": "first", "owner": 5, "name": "last", "owner": "ada"}"#;
        let created = send(&api, "POST", "registered_models", body).await;
        assert_eq!(created.status, 201, "{backend}: {}", created.json());
        assert_eq!((&created.json()["name"], &created.json()["owner"]), (&json!("last"), &json!("ada")), "{backend}");
    }
}

#[tokio::test]
async fn a_header_that_makes_no_sense_is_refused_or_ignored() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let long = "k".repeat(256);
        for key in ["", "ä", long.as_str()] {
            let answer =
                api.call("POST", "registered_models", &[("Idempotency-Key", key)], Some(json!({"name": "m"}))).await;
            let message = refusal(&answer, key);
            assert_eq!((answer.status, message.contains("Idempotency-Key")), (400, true), "{key}: {message}");
        }
        let id = api.create("registered_models", json!({"name": "m"})).await;
        for tag in ["", "x", "\"", "\"1-1", "W/", ",,,", "\"ä\""] {
            let headers = [("If-Match", tag)];
            let answer = api.call("PATCH", &format!("registered_models/{id}"), &headers, Some(json!({}))).await;
            refusal(&answer, tag);
            assert_eq!(answer.status, 412, "{tag}");
            let read = api.call("GET", &format!("registered_models/{id}"), &[("If-None-Match", tag)], None).await;
            assert_eq!(read.status, 200, "{tag}");
        }
    }
}

fn many_properties(prefix: &str) -> Value {
    let properties = (0..1_000).map(|number| {
        let value = json!({"metadataType": "MetadataStringValue", "string_value": number.to_string()});
        (format!("{prefix}{number}"), value)
    });
    Value::Object(properties.collect())
}

#[tokio::test]
async fn the_largest_entity_can_be_created_replaced_and_emptied() {
    let words = |word: &str| (0..500).map(|number| json!(format!("{word}{number}"))).collect::<Vec<_>>();
    for backend in backends() {
        let api = Api::on(backend).await;
        let largest = json!({
            "name": "largest", "language": words("l"), "tasks": words("t"), "customProperties": many_properties("a"),
            "description": "d".repeat(100_000), "readme": "😀\\".repeat(20_000)
        });
        let id = api.create("registered_models", largest.clone()).await;
        let path = format!("registered_models/{id}");
        assert_eq!(api.get(&path).await.json()["readme"], largest["readme"], "{backend}");
        let replaced =
            json!({"language": [], "tasks": ["x"], "customProperties": many_properties("b"), "readme": null});
        let answer = api.patch(&path, replaced).await;
        assert_eq!(answer.status, 200, "{backend}: {}", answer.json());
        let answer = api.patch(&path, json!({"tasks": [], "customProperties": {}})).await;
        assert_eq!(answer.status, 200, "{backend}: {}", answer.json());
        for (filter, count) in
            [("b999%20%3D%20%27999%27", 0), ("tasks%20%3D%20%27x%27", 0), ("name%20%3D%20%27largest%27", 1)]
        {
            let found = api.get(&format!("registered_models?filterQuery={filter}")).await;
            assert_eq!(found.names().len(), count, "{backend}: {filter}");
        }
        let answer = api.patch(&path, json!({"customProperties": many_properties("c")})).await;
        assert_eq!(answer.status, 200, "{backend}: {}", answer.json());

        // As long as the body's limit lets it be, which is more than MariaDB takes unless it is told to.
        let longest = json!({"description": "d".repeat(16 * 1024 * 1024 - 100)});
        let answer = api.patch(&path, longest).await;
        if answer.status != 200 {
            let message = refusal(&answer, "a description of 16 MiB");
            assert_eq!((backend, answer.status), (Backend::MariaDb, 400), "{message}");
            assert!(message.contains("max_allowed_packet"), "{message}");
        }

        let mut too_many = many_properties("d");
        too_many["one more"] = json!({"metadataType": "MetadataBoolValue", "bool_value": true});
        let message = refusal(&api.patch(&path, json!({"customProperties": too_many})).await, "too many properties");
        assert_eq!(message, "`customProperties` has more than 1000 entries");
        let message = refusal(&api.patch(&path, json!({"tasks": vec!["x"; 501]})).await, "too many tasks");
        assert_eq!(message, "`tasks` has more than 500 elements");
    }
}
