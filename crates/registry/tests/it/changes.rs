//! The change feed: complete, in one order, whoever writes and whoever numbers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use model_registry_testkit::backends;
use serde_json::{Value, json};

use crate::support::{Api, START};

async fn read(api: &Api, query: &str) -> (Vec<Value>, String) {
    let answer = api.get(&format!("changes?{query}")).await;
    assert_eq!(answer.status, 200, "{}", answer.message());
    let json = answer.json();
    (json["items"].as_array().unwrap().clone(), json["next"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_mutation_is_one_change() {
    for backend in backends() {
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
            "{backend}"
        );
        assert_eq!(next, "2");
        let (items, next) = read(&api, "after=0&limit=1").await;
        assert_eq!((items.len(), next.as_str()), (1, "1"));
        assert_eq!(read(&api, "after=newest").await, (Vec::new(), "2".to_owned()));
        let v1 = api.get("/api/model_registry/v1/changes?after=1").await.json();
        assert_eq!(v1["items"][0]["sequence"], "2");
    }
}

#[tokio::test]
async fn reading_what_is_numbered_takes_two_statements() {
    for backend in backends() {
        let api = Api::on(backend).await;
        api.create("registered_models", json!({"name": "m"})).await;
        read(&api, "").await;
        let (statements, _) = api.statements(api.get("changes")).await;
        assert_eq!(statements, 2, "{backend}");
    }
}

#[tokio::test]
async fn bad_parameters_are_refused_with_what_to_do() {
    for backend in backends() {
        let api = Api::on(backend).await;
        for (query, message) in [
            ("after=x", "invalid `after`: use `next` of the last answer, 0 for everything or `newest`, not `x`"),
            ("limit=0", "invalid `limit`: use a number from 1 to 1000, not `0`"),
            ("wait=soon", "invalid `wait`: use a number of seconds, not `soon`"),
            (
                "after=7",
                "there is no change 7: the newest is 0; if an older backup was restored, read everything again, with \
                 after=0",
            ),
        ] {
            let answer = api.get(&format!("changes?{query}")).await;
            assert_eq!((answer.status, answer.message().as_str()), (400, message), "{query}");
        }
    }
}

/// Follows the feed in small pages until `total` changes have come.
async fn follow(api: &Api, total: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = "0".to_owned();
    let start = Instant::now();
    while all.len() < total {
        assert!(start.elapsed() < Duration::from_mins(2), "only {} of {total} changes came", all.len());
        let (items, next) = read(api, &format!("after={after}&limit=7&wait=5")).await;
        all.extend(items);
        after = next;
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_on_two_replicas_leave_no_gap_and_no_reorder() {
    const WRITERS: usize = 8;
    const MODELS: usize = 12;
    for backend in backends() {
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
        assert_eq!(of_first, of_second, "{backend}: two readers saw different feeds");
        assert_eq!(of_first, follow(&second, total).await, "{backend}: the feed has changed");
        let sequences: Vec<String> =
            of_first.iter().map(|item| item["sequence"].as_str().unwrap().to_owned()).collect();
        let expected: Vec<String> = (1..=total).map(|sequence| sequence.to_string()).collect();
        assert_eq!(sequences, expected, "{backend}");
        let ids: BTreeSet<String> = ids.into_iter().flatten().collect();
        for id in ids {
            let of_id = of_first.iter().filter(|item| item["id"] == id.as_str());
            let revisions: Vec<&str> = of_id.map(|item| item["revision"].as_str().unwrap()).collect();
            assert_eq!(revisions, ["1", "2", "3"], "{backend}: model {id}");
        }
    }
}

#[tokio::test]
async fn a_waiting_reader_is_woken_by_its_replica_and_by_another() {
    for backend in backends() {
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
            assert_eq!(items.len(), 1, "{backend}");
            let took = start.elapsed();
            assert!(took >= waiting && took < Duration::from_secs(10), "{backend}: {took:?}");
            after = next;
        }
        let start = Instant::now();
        assert_eq!(read(&api, &format!("after={after}&wait=1")).await, (Vec::new(), after.clone()));
        assert!(start.elapsed() >= Duration::from_secs(1));
    }
}

#[tokio::test]
async fn events_carry_the_sequence_and_go_on_behind_the_last_one_seen() {
    for backend in backends() {
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
        assert_eq!(text, format!("retry: 1000\n\n{}{}{}", event(2), event(3), event(4)), "{backend}");
    }
}
