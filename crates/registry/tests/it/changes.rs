//! The change feed is complete and in one order, whichever replica writes or assigns sequences.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use model_registry_api::Kind;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::entities::{Entities, change, entity};
use crate::support::{Api, START};

on_each_database!(multi_thread: a_mutation_appends_one_change, each_mutation_of_each_kind_appends_exactly_one_change, reading_sequenced_changes_takes_two_statements, invalid_parameters_are_rejected_with_a_remedy, concurrent_writers_on_two_replicas_leave_no_gap_and_keep_the_order, a_long_poll_returns_after_a_write_on_either_replica, an_event_stream_resumes_after_the_last_event_id);

async fn read(api: &Api, query: &str) -> (Vec<Value>, String) {
    let response = api.get(&format!("changes?{query}")).await;
    assert_eq!(response.status, 200, "{}", response.message());
    let json = response.json();
    (json["items"].as_array().unwrap().clone(), json["next"].as_str().unwrap().to_owned())
}

async fn a_mutation_appends_one_change(backend: Backend) {
    let api = Api::on(backend).await;
    assert_eq!(read(&api, "").await, (Vec::new(), "0".to_owned()));
    let id = api.create("registered_models", json!({"name": "m"})).await;
    let updated = api.patch(&format!("registered_models/{id}"), json!({"description": "d"})).await;
    assert_eq!(updated.status, 200);
    let refused = api.post("registered_models", json!({"name": "m"})).await;
    assert_eq!(refused.status, 409);
    let (items, next) = read(&api, "after=0").await;
    assert_eq!(
        Value::from(items),
        json!([
            {"sequence": "1", "time": START.to_string(), "actor": null, "kind": "registered_model", "id": id,
             "verb": "create", "revision": "1"},
            {"sequence": "2", "time": (START + 1).to_string(), "actor": null, "kind": "registered_model", "id": id,
             "verb": "update", "revision": "2"},
        ]),
    );
    assert_eq!(next, "2");
    let (items, next) = read(&api, "after=0&limit=1").await;
    assert_eq!((items.len(), next.as_str()), (1, "1"));
    assert_eq!(read(&api, "after=newest").await, (Vec::new(), "2".to_owned()));
    let v1 = api.get("/api/model_registry/v1/changes?after=1").await.json();
    assert_eq!(v1["items"][0]["sequence"], "2");
}

/// Kind, id, verb and revision of a change.
fn summary(change: &Value) -> (String, String, String, String) {
    let string = |member: &str| change[member].as_str().unwrap().to_owned();
    (string("kind"), string("id"), string("verb"), string("revision"))
}

async fn each_mutation_of_each_kind_appends_exactly_one_change(backend: Backend) {
    let api = Api::on(backend).await;
    let mut expected = Vec::new();
    let mut expect = |kind: Kind, id: &str, verb: &str, revision: u32| {
        expected.push((kind.name().to_owned(), id.to_owned(), verb.to_owned(), revision.to_string()));
    };
    let entities = Entities::create(&api).await;
    for (kind, id) in &entities.ids {
        expect(*kind, id, "create", 1);
    }
    for (kind, id) in &entities.ids {
        let Some(path) = entity(*kind, id) else { continue };
        assert_eq!(api.patch(&path, change(*kind, json!({"description": "d"}))).await.status, 200, "{path}");
        expect(*kind, id, "update", 2);
        // A rejected update appends no change.
        assert_eq!(api.patch(&path, change(*kind, json!({"customProperties": 5}))).await.status, 400, "{path}");
        let stale = [("if-match", "\"stale\"")];
        assert_eq!(api.call("PATCH", &path, &stale, Some(change(*kind, json!({})))).await.status, 412, "{path}");
    }
    let artifact = entities.id(Kind::ModelArtifact);
    assert_eq!(api.patch(&format!("model_artifacts/{artifact}"), json!({})).await.status, 200);
    expect(Kind::ModelArtifact, artifact, "update", 3);

    for nested in entities.nested() {
        let context = format!("{} {:?}", nested.path, nested.kind);
        let mut body = nested.body;
        body["name"] = json!("nested");
        let created = api.post(&nested.path, body.clone()).await;
        assert_eq!(created.status, 201, "{context}");
        expect(nested.kind, &created.id(), "create", 1);
        // Repeated: a metric or parameter is updated by name, any other kind conflicts.
        let again = api.post(&nested.path, body.clone()).await;
        if matches!(nested.kind, Kind::Metric | Kind::Parameter) {
            assert_eq!(again.status, 200, "{context}");
            expect(nested.kind, &created.id(), "update", 2);
        } else {
            assert_eq!(again.status, 409, "{context}");
            if !matches!(nested.kind, Kind::ServeModel | Kind::InferenceService) {
                body["id"] = json!(created.id());
                assert_eq!(api.post(&nested.path, body).await.status, 200, "{context}");
                expect(nested.kind, &created.id(), "update", 2);
            }
        }
    }

    let loose = api.create("artifacts", json!({"artifactType": "doc-artifact", "name": "loose"})).await;
    expect(Kind::DocArtifact, &loose, "create", 1);
    let path = format!("model_versions/{}/artifacts", entities.id(Kind::ModelVersion));
    let attached = api.post(&path, json!({"artifactType": "doc-artifact", "id": loose})).await;
    assert_eq!(attached.status, 200);
    expect(Kind::DocArtifact, &loose, "update", 2);

    for (name, is_new) in [("v1", true), ("v2", false)] {
        let body = json!({
            "registeredModel": {"name": "registered"},
            "modelVersion": {"name": name},
            "artifacts": [{"artifactType": "model-artifact", "name": "a"}, {"artifactType": "dataset-artifact", "name": "b"}]
        });
        let response = api.post("registered_models:register", body.clone()).await;
        assert_eq!(response.status, 201, "{}", response.message());
        let response = response.json();
        let id = |value: &Value| value["id"].as_str().unwrap().to_owned();
        if is_new {
            expect(Kind::RegisteredModel, &id(&response["registeredModel"]), "create", 1);
        }
        expect(Kind::ModelVersion, &id(&response["modelVersion"]), "create", 1);
        expect(Kind::ModelArtifact, &id(&response["artifacts"][0]), "create", 1);
        expect(Kind::DataSet, &id(&response["artifacts"][1]), "create", 1);
        assert_eq!(api.post("registered_models:register", body).await.status, 409);
    }

    let (items, _) = read(&api, "after=0&limit=1000").await;
    assert_eq!(items.iter().map(summary).collect::<Vec<_>>(), expected);
}

async fn reading_sequenced_changes_takes_two_statements(backend: Backend) {
    let api = Api::on(backend).await;
    api.create("registered_models", json!({"name": "m"})).await;
    read(&api, "").await;
    let (statements, _) = api.statements(api.get("changes")).await;
    assert_eq!(statements, 2);
}

async fn invalid_parameters_are_rejected_with_a_remedy(backend: Backend) {
    let api = Api::on(backend).await;
    for (query, message) in [
        ("after=x", "invalid `after` `x`: use `next` of the previous response, 0 for all changes, or `newest`"),
        ("limit=0", "invalid `limit` `0`: use a number from 1 to 1000"),
        ("wait=soon", "invalid `wait` `soon`: use a number of seconds"),
        (
            "after=7",
            "change 7 does not exist: the newest is 0; if an older backup was restored, read everything again, with \
             after=0",
        ),
    ] {
        let response = api.get(&format!("changes?{query}")).await;
        assert_eq!((response.status, response.message().as_str()), (400, message), "{query}");
    }
}

/// Follows the feed in small pages until `total` changes have been read.
async fn follow(api: &Api, total: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = "0".to_owned();
    let start = Instant::now();
    while all.len() < total {
        assert!(start.elapsed() < Duration::from_mins(2), "only {} of {total} changes were read", all.len());
        let (items, next) = read(api, &format!("after={after}&limit=7&wait=5")).await;
        all.extend(items);
        after = next;
    }
    all
}

async fn concurrent_writers_on_two_replicas_leave_no_gap_and_keep_the_order(backend: Backend) {
    const WRITERS: usize = 8;
    const MODELS: usize = 12;
    let first = Api::on(backend).await;
    let second = first.replica().await;
    let total = WRITERS * MODELS * 3;
    let writer = async |writer: usize| {
        let api = if writer.is_multiple_of(2) { &first } else { &second };
        let mut written = Vec::new();
        for number in 0..MODELS {
            let id = api.create("registered_models", json!({"name": format!("{writer}-{number}")})).await;
            for revision in ["2", "3"] {
                let body = json!({"description": revision});
                assert_eq!(api.patch(&format!("registered_models/{id}"), body).await.status, 200);
            }
            written.push(id);
        }
        written
    };
    let (ids, of_first, of_second) = tokio::join!(
        futures::future::join_all((0..WRITERS).map(writer)),
        follow(&first, total),
        follow(&second, total)
    );
    assert_eq!(of_first, of_second, "two readers saw different feeds");
    assert_eq!(of_first, follow(&second, total).await, "the feed changed between two reads");
    let sequences: Vec<String> = of_first.iter().map(|item| item["sequence"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<String> = (1..=total).map(|sequence| sequence.to_string()).collect();
    assert_eq!(sequences, expected);
    let ids: BTreeSet<String> = ids.into_iter().flatten().collect();
    for id in ids {
        let of_id = of_first.iter().filter(|item| item["id"] == id.as_str());
        let revisions: Vec<&str> = of_id.map(|item| item["revision"].as_str().unwrap()).collect();
        assert_eq!(revisions, ["1", "2", "3"], "model {id}");
    }
}

async fn a_long_poll_returns_after_a_write_on_either_replica(backend: Backend) {
    let api = Api::on(backend).await;
    let replica = api.replica().await;
    let (waiting, mut after) = (Duration::from_millis(50), "0".to_owned());
    for (number, writer) in [&api, &replica].into_iter().enumerate() {
        let query = format!("after={after}&wait=20");
        let write = async {
            tokio::time::sleep(waiting).await;
            writer.create("registered_models", json!({"name": format!("m{number}")})).await
        };
        let start = Instant::now();
        let ((items, next), _) = tokio::join!(read(&api, &query), write);
        assert_eq!(items.len(), 1);
        let took = start.elapsed();
        assert!(took >= waiting && took < Duration::from_secs(10), "{took:?}");
        after = next;
    }
    let start = Instant::now();
    assert_eq!(read(&api, &format!("after={after}&wait=1")).await, (Vec::new(), after.clone()));
    assert!(start.elapsed() >= Duration::from_secs(1));
}

async fn an_event_stream_resumes_after_the_last_event_id(backend: Backend) {
    let api = Api::on(backend).await;
    for name in ["a", "b", "c"] {
        api.create("registered_models", json!({"name": name})).await;
    }
    let request = Request::get("/api/model_registry/v1alpha3/changes?after=0")
        .header("accept", "text/event-stream")
        .header("last-event-id", "1")
        .body(Body::empty())
        .unwrap();
    let (head, mut body) = api.open(request).await;
    assert_eq!(head.headers["content-type"], "text/event-stream");
    let mut text = String::new();
    let mut is_written = false;
    while text.matches("event: change").count() < 3 {
        let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.unwrap().unwrap().unwrap();
        text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap());
        if text.contains("id: 3\n") && !std::mem::replace(&mut is_written, true) {
            api.create("registered_models", json!({"name": "d"})).await;
        }
    }
    let event = |sequence: i64| {
        let time = START + sequence - 1;
        format!(
            "id: {sequence}\nevent: change\ndata: {{\"sequence\":\"{sequence}\",\"time\":\"{time}\",\"actor\":null,\
             \"kind\":\"registered_model\",\"id\":\"{sequence}\",\"verb\":\"create\",\"revision\":\"1\"}}\n\n"
        )
    };
    assert_eq!(text, format!("retry: 1000\n\n{}{}{}", event(2), event(3), event(4)));
}
