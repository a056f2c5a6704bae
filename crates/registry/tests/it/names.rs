//! Names are compared exactly, byte by byte.

use std::collections::BTreeSet;

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::entities::{Creation, Entities};
use crate::support::{Api, encoded};

on_each_database!(
    names_that_collations_often_merge_are_distinct,
    metric_names_are_compared_exactly,
    a_unique_name_is_generated_where_none_is_given
);

async fn names_that_collations_often_merge_are_distinct(backend: Backend) {
    // They differ in case, accents, trailing blanks, wildcards, full-width forms and combining characters.
    let names = ["a_b", "aXb", "A_b", "a_b ", "a%b", "ä_b", "a\u{308}_b", "ａ_b", "a\\b", "a:b", "'", "\"", "🚀"];
    let api = Api::on(backend).await;
    let mut ids = Vec::new();
    for name in names {
        ids.push(api.create("registered_models", json!({"name": name})).await);
    }
    for (name, id) in names.iter().zip(&ids) {
        let found = api.get(&format!("registered_model?name={}", encoded(name))).await;
        assert_eq!((found.status, &found.id()), (200, id), "{name:?}");
    }
}

async fn metric_names_are_compared_exactly(backend: Backend) {
    let api = Api::on(backend).await;
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    let run = api.create("experiment_runs", json!({"experimentId": experiment})).await;
    let path = format!("experiment_runs/{run}/artifacts");
    let metric = |name: &str| json!({"artifactType": "metric", "name": name, "value": 1.0});
    for name in ["aXb", "a_b", "x:a_b", "A_b"] {
        assert_eq!(api.post(&path, metric(name)).await.status, 201, "{name}");
    }
    // A parameter with the same name is a different artifact.
    let parameter = json!({"artifactType": "parameter", "name": "a_b", "value": "1"});
    assert_eq!(api.post(&path, parameter).await.status, 201);
    assert_eq!(api.post(&path, metric("a_b")).await.status, 200);
    assert_eq!(api.get(&format!("{path}?artifactType=metric")).await.names().len(), 4);
}

async fn a_unique_name_is_generated_where_none_is_given(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    let mut generated = BTreeSet::new();
    let mut created = 0;
    for Creation { kind, path, body } in entities.creations() {
        for name in [None, Some(json!("")), Some(json!(null))] {
            let mut body = body.clone();
            if let Some(name) = name {
                body["name"] = name;
            }
            let response = api.post(&path, body.clone()).await;
            if kind.spec().name_required {
                assert_eq!(response.status, 422, "{path} {body}");
                continue;
            }
            assert_eq!(response.status, 201, "{path} {body}: {}", response.message());
            let name = response.json()["name"].as_str().unwrap().to_owned();
            // A random UUID, as from the Kubeflow Model Registry.
            let dashes: Vec<usize> = name.match_indices('-').map(|(place, _)| place).collect();
            assert_eq!((name.len(), dashes, name.as_bytes()[14]), (36, vec![8, 13, 18, 23], b'4'), "{name}");
            generated.insert(name);
            created += 1;
        }
    }
    assert_eq!(generated.len(), created);
    // Services, runs, serve models and five kinds of artifacts, with and without a parent; model artifacts on their own path.
    assert_eq!(created, 3 * (8 + 3 + 10 + 1));
}
