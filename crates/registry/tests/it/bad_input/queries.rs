//! Malformed and hostile filters, page tokens and other query parameters.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use super::error_message;
use crate::support::{Api, encoded};

on_each_database!(
    a_malformed_filter_is_rejected_with_the_position_or_the_limit,
    a_forged_page_token_is_rejected,
    invalid_query_parameters_are_rejected_by_name,
    unknown_paths_and_methods_get_a_json_error
);

const LISTS: [&str; 8] = [
    "registered_models",
    "model_versions",
    "serving_environments",
    "inference_services",
    "experiments",
    "experiment_runs",
    "artifacts",
    "model_artifacts",
];

async fn a_malformed_filter_is_rejected_with_the_position_or_the_limit(backend: Backend) {
    let hostile = [
        "(".repeat(9_000),
        format!("{}name = 'x'{}", "(".repeat(4_000), ")".repeat(4_000)),
        format!("{}name = 'x'", "NOT ".repeat(2_000)),
        (0..500).fold("a = 1".to_owned(), |inner, _| format!("(a = 1 OR {inner})")),
        vec!["a = 1"; 1_000].join(" AND "),
        vec!["a = 1"; 1_000].join(" OR "),
        format!("a IN ({})", vec!["1"; 4_000].join(",")),
        format!("name = '{}'", "x".repeat(20_000)),
        format!("name LIKE '{}'", "%a".repeat(4_000)),
        format!("{} = 1", "a".repeat(15_000)),
        format!("{}1", "a.".repeat(4_900)),
        "name = 'x' -- comment\n OR (".to_owned(),
        "name = 'x'; DROP TABLE resource".to_owned(),
        "name = 'x' UNION SELECT 1".to_owned(),
        "1 = 1".to_owned(),
        "name".to_owned(),
        "= 'x'".to_owned(),
        "name = ".to_owned(),
        "name = 'x".to_owned(),
        "name = x".to_owned(),
        "name = 'x' name = 'y'".to_owned(),
        "name == 'x'".to_owned(),
        "name = 99999999999999999999".to_owned(),
        "name = 1e999".to_owned(),
        "id = 'x'".to_owned(),
        "`` = 1".to_owned(),
        "`name = 1".to_owned(),
        "ä = 1".to_owned(),
        "name IN (1, 'x'".to_owned(),
        "name BETWEEN 'a'".to_owned(),
        "name IS 'x'".to_owned(),
        "name LIKE 5".to_owned(),
        "\u{202e}name = 'x'".to_owned(),
        "name = 'x' AND".to_owned(),
        "NOT".to_owned(),
        ")".to_owned(),
    ];
    let api = Api::on(backend).await;
    for filter in &hostile {
        let shown: String = filter.chars().take(60).collect();
        let response = api.get(&format!("registered_models?filterQuery={}", encoded(filter))).await;
        let message = error_message(&response, &shown);
        assert_eq!(response.status, 400, "{shown}: {message}");
        let is_placed = message.contains("line ") && message.contains("column ");
        let is_limit = message.chars().any(|character| character.is_ascii_digit());
        assert!(is_placed || is_limit, "{shown}: {message}");
        assert!(message.len() < 2_000, "{shown}: a message of {} bytes", message.len());
    }
    for list in LISTS {
        let response = api.get(&format!("{list}?filterQuery=name%20%3D")).await;
        assert_eq!(response.status, 400, "{list}: {}", error_message(&response, list));
    }
}

async fn a_forged_page_token_is_rejected(backend: Backend) {
    let api = Api::on(backend).await;
    for number in 0..3 {
        api.create("registered_models", json!({"name": format!("m{number}")})).await;
        api.create("experiments", json!({"name": format!("e{number}")})).await;
    }
    let first = api.get("registered_models?pageSize=1&orderBy=CREATE_TIME").await;
    let token = first.json()["nextPageToken"].as_str().unwrap().to_owned();
    let same = format!("registered_models?pageSize=2&orderBy=CREATE_TIME&nextPageToken={token}");
    assert_eq!(api.get(&same).await.names(), ["m1", "m2"], "the true token is taken");

    let plain = String::from_utf8(URL_SAFE_NO_PAD.decode(&token).unwrap()).unwrap();
    let parts: Vec<&str> = plain.splitn(3, ':').collect();
    let forge = |text: &str| URL_SAFE_NO_PAD.encode(text);
    for forged in [
        "x".to_owned(),
        "%25%25".to_owned(),
        "%FF".to_owned(),
        "%00".to_owned(),
        "%20".to_owned(),
        "1".to_owned(),
        "A".repeat(10_000),
        format!("{token}A"),
        token[1..].to_owned(),
        forge(":"),
        forge("::"),
        forge("1:2"),
        forge("1:2:3"),
        forge(&format!("x:{}:{}", parts[1], parts[2])),
        forge(&format!("{}:99999999999999999999:{}", parts[0], parts[2])),
        forge(&format!("{}:1 OR 1=1:{}", parts[0], parts[2])),
        forge(&format!("{}:{}:{}x", parts[0], parts[1], parts[2])),
    ] {
        let path = format!("registered_models?pageSize=1&orderBy=CREATE_TIME&nextPageToken={forged}");
        let response = api.get(&path).await;
        let message = error_message(&response, &forged);
        assert_eq!(response.status, 400, "{forged}: {message}");
    }
    // A token is bound to one list, order and filter.
    for other in [
        "registered_models?",
        "experiments?orderBy=CREATE_TIME&",
        "registered_models?orderBy=CREATE_TIME&sortOrder=DESC&",
        "registered_models?orderBy=CREATE_TIME&filterQuery=id%3E0&",
    ] {
        let response = api.get(&format!("{other}pageSize=1&nextPageToken={token}")).await;
        let message = error_message(&response, other);
        assert!(message.contains("another list"), "{other}: {message}");
    }
}

async fn invalid_query_parameters_are_rejected_by_name(backend: Backend) {
    let api = Api::on(backend).await;
    for (path, named) in [
        ("registered_models?pageSize=0", "pageSize"),
        ("registered_models?pageSize=-1", "pageSize"),
        ("registered_models?pageSize=x", "pageSize"),
        ("registered_models?pageSize=1.5", "pageSize"),
        ("registered_models?pageSize=99999999999999999999", "pageSize"),
        ("registered_models?name=%zz", "escape"),
        ("registered_models?name=%", "escape"),
        ("registered_models?name=%FF", "UTF-8"),
        ("registered_models?name=a%00b", "null byte"),
        ("registered_models?filterQuery=name%20%3D%20%27%00%27", "null byte"),
        ("registered_models?a;b=1", "semicolon"),
        ("/api/model_registry/v1/registered_models?orderBy=nothing", "orderBy"),
        ("artifacts?artifactType=none", "artifact type"),
        ("registered_model", "name"),
        ("model_version?name=v", "parentResourceId"),
        ("model_version?name=v&parentResourceId=x", "integer"),
        ("artifact?name=a&parentResourceId=99999999999999999999", "integer"),
        ("experiment_runs/metric_history?stepIds=x", "step ID"),
        ("experiment_runs/metric_history?stepIds=99999999999999999999", "step ID"),
    ] {
        let response = api.get(path).await;
        let message = error_message(&response, path);
        assert_eq!(response.status, 400, "{path}: {message}");
        assert!(message.contains(named), "{path}: {message}");
    }
    let steps = format!("experiment_runs/metric_history?stepIds={}", vec!["1"; 5_000].join(","));
    assert_eq!(api.get(&steps).await.status, 400);
    let name = "😀".repeat(3_000);
    assert_eq!(api.get(&format!("registered_model?name={}", encoded(&name))).await.status, 404);
    let listed = api.get(&format!("registered_models?name={}", encoded(&name))).await;
    assert_eq!(listed.names(), [""; 0]);
}

async fn unknown_paths_and_methods_get_a_json_error(backend: Backend) {
    let api = Api::on(backend).await;
    for (method, path, status) in [
        ("GET", "/", 404),
        ("GET", "/api/model_registry/v2/registered_models", 404),
        ("GET", "no_such_things", 404),
        ("GET", "registered_models/1/2/3", 404),
        ("GET", "registered_models/", 404),
        ("DELETE", "registered_models/1", 405),
        ("PUT", "registered_models", 405),
        ("PATCH", "registered_models", 405),
        ("GET", "/api/model_registry/v1/experiments", 404),
        ("GET", "registered_models:register", 405),
        ("POST", "registered_models:other", 404),
    ] {
        let response = api.call(method, path, &[], None).await;
        let message = error_message(&response, path);
        assert_eq!(response.status, status, "{method} {path}: {message}");
    }
}
