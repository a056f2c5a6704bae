//! Names are compared exactly, whatever characters they have, on every database.

use std::collections::BTreeSet;

use model_registry_testkit::backends;
use serde_json::json;

use crate::support::entities::{Creation, Entities};
use crate::support::{Api, encoded};

#[tokio::test]
async fn names_that_databases_like_to_confuse_are_different_names() {
    // Case, accents, trailing blanks, wildcards, full-width forms, combining characters.
    let names = ["a_b", "aXb", "A_b", "a_b ", "a%b", "ä_b", "a\u{308}_b", "ａ_b", "a\\b", "a:b", "'", "\"", "🚀"];
    for backend in backends() {
        let api = Api::on(backend).await;
        let mut ids = Vec::new();
        for name in names {
            ids.push(api.create("registered_models", json!({"name": name})).await);
        }
        for (name, id) in names.iter().zip(&ids) {
            let found = api.get(&format!("registered_model?name={}", encoded(name))).await;
            assert_eq!((found.status, &found.id()), (200, id), "{backend:?} {name:?}");
        }
    }
}

#[tokio::test]
async fn a_metric_is_the_one_of_exactly_its_name() {
    for backend in backends() {
        let api = Api::on(backend).await;
        let experiment = api.create("experiments", json!({"name": "e"})).await;
        let run = api.create("experiment_runs", json!({"experimentId": experiment})).await;
        let path = format!("experiment_runs/{run}/artifacts");
        let metric = |name: &str| json!({"artifactType": "metric", "name": name, "value": 1.0});
        for name in ["aXb", "a_b", "x:a_b", "A_b"] {
            assert_eq!(api.post(&path, metric(name)).await.status, 201, "{name}");
        }
        // A parameter of the same name is another artifact.
        let parameter = json!({"artifactType": "parameter", "name": "a_b", "value": "1"});
        assert_eq!(api.post(&path, parameter).await.status, 201);
        assert_eq!(api.post(&path, metric("a_b")).await.status, 200);
        assert_eq!(api.get(&format!("{path}?artifactType=metric")).await.names().len(), 4);
    }
}

#[tokio::test]
async fn every_kind_that_needs_no_name_gets_one_of_its_own() {
    for backend in backends() {
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
                let answer = api.post(&path, body.clone()).await;
                if kind.spec().name_required {
                    assert_eq!(answer.status, 422, "{path} {body}");
                    continue;
                }
                assert_eq!(answer.status, 201, "{backend} {path} {body}: {}", answer.message());
                let name = answer.json()["name"].as_str().unwrap().to_owned();
                // A random UUID, as the reference writes them.
                let dashes: Vec<usize> = name.match_indices('-').map(|(place, _)| place).collect();
                assert_eq!((name.len(), dashes, name.as_bytes()[14]), (36, vec![8, 13, 18, 23], b'4'), "{name}");
                generated.insert(name);
                created += 1;
            }
        }
        assert_eq!(generated.len(), created, "{backend}");
        // Services, runs, serve models and five kinds of artifacts, with and without a parent, and model artifacts once more.
        assert_eq!(created, 3 * (8 + 3 + 10 + 1), "{backend}");
    }
}
