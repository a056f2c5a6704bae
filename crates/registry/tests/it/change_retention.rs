//! Changes that are too old are deleted, and a reader that has missed some is told so.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use http::Request;
use model_registry_store::Lease;
use model_registry_testkit::backends;
use serde_json::json;

use crate::support::{Answer, Api, Time};

const DAY: Duration = Duration::from_hours(24);
const LEASE: Duration = Duration::from_mins(1);

/// A registry whose days pass when the test says so.
struct Days {
    api: Api,
    time: Time,
}

impl Days {
    async fn begin(backend: model_registry_testkit::Backend) -> Self {
        let time = Time::start();
        Self { api: Api::with_clock(backend, time.clock()).await, time }
    }

    fn pass(&self, days: u32) {
        self.time.pass(DAY * days);
    }

    async fn create(&self, names: std::ops::Range<usize>) {
        let create = |number| self.api.create("registered_models", json!({"name": format!("m{number}")}));
        let created = futures::stream::iter(names.map(create)).buffer_unordered(8).count();
        created.await;
    }

    /// Numbers what is new and deletes what is older than five days.
    async fn delete_old(&self) -> u64 {
        self.api.get("changes?after=newest").await;
        let lease = Lease::new("change-retention", LEASE);
        self.api.store.delete_old_changes(&lease, DAY * 5).await.unwrap()
    }

    async fn read(&self, query: &str) -> Answer {
        self.api.get(&format!("changes?{query}")).await
    }
}

fn sequences(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 200, "{}", answer.message());
    let items = answer.json()["items"].clone();
    let sequences = items.as_array().unwrap().iter().map(|item| item["sequence"].as_str().unwrap().parse().unwrap());
    sequences.collect()
}

fn refusal(after: i64, first: i64) -> String {
    format!(
        "the changes after {after} have expired, the oldest one left is {first}: take `next` of after=newest, read \
         all entities again, and continue from there; after={} reads the changes that are left",
        first - 1
    )
}

#[tokio::test]
async fn a_reader_that_has_missed_changes_is_told_to_begin_again() {
    for backend in backends() {
        let days = Days::begin(backend).await;
        days.create(0..3).await;
        assert_eq!(days.delete_old().await, 0, "{backend}");
        days.pass(10);
        days.create(3..5).await;
        assert_eq!(days.delete_old().await, 3, "{backend}");
        assert_eq!(days.delete_old().await, 0, "{backend}");

        for query in ["after=0", "", "after=2", "after=2&wait=1", "after=1&limit=1"] {
            let answer = days.read(query).await;
            let after = query.strip_prefix("after=").map_or(0, |rest| i64::from(rest.as_bytes()[0] - b'0'));
            assert_eq!((answer.status, answer.message()), (410, refusal(after, 4)), "{backend}: {query}");
            assert_eq!(answer.json()["code"], "Gone");
        }
        assert_eq!(sequences(&days.read("after=3").await), [4, 5], "{backend}");
        assert_eq!(sequences(&days.read("after=5").await), [0_i64; 0], "{backend}");
        assert_eq!(days.read("after=newest").await.json()["next"], "5", "{backend}");
        let stream = Request::get("/api/model_registry/v1/changes?after=newest").header("last-event-id", "1");
        let stream = stream.header("accept", "text/event-stream").body(Body::empty()).unwrap();
        assert_eq!(days.api.open(stream).await.0.status, 410, "{backend}");

        // Everything is too old: numbers go on all the same.
        days.pass(10);
        assert_eq!(days.delete_old().await, 2, "{backend}");
        let answer = days.read("after=4").await;
        assert_eq!((answer.status, answer.message()), (410, refusal(4, 6)), "{backend}");
        assert_eq!(sequences(&days.read("after=5").await), [0_i64; 0], "{backend}");
        days.create(5..6).await;
        assert_eq!(sequences(&days.read("after=5").await), [6], "{backend}");
    }
}

#[tokio::test]
async fn many_changes_go_batch_by_batch_and_no_reader_sees_a_gap() {
    const OLD: usize = 1_100;
    for backend in backends() {
        let days = Days::begin(backend).await;
        days.create(0..OLD).await;
        days.pass(10);
        days.create(OLD..OLD + 5).await;
        let reader = async {
            let mut after = 0;
            loop {
                let answer = days.read(&format!("after={after}&limit=9")).await;
                // A page may end with what the writer has written meanwhile.
                if answer.status == 410 || after >= i64::try_from(OLD).unwrap() + 5 {
                    return answer.status;
                }
                for sequence in sequences(&answer) {
                    assert_eq!(sequence, after + 1, "{backend}: a gap");
                    after = sequence;
                }
            }
        };
        let writer = async {
            for number in 0..20 {
                days.api.create("experiments", json!({"name": format!("e{number}")})).await;
            }
        };
        let (deleted, _, ()) = tokio::join!(days.delete_old(), reader, writer);
        assert_eq!(deleted, OLD as u64, "{backend}");
        assert_eq!(days.api.store.deleted_changes(), OLD as u64, "{backend}");
        let kept = sequences(&days.read(&format!("after={OLD}")).await);
        assert_eq!(kept.len(), 25, "{backend}");
        assert_eq!(kept[0], i64::try_from(OLD).unwrap() + 1, "{backend}");
    }
}

#[tokio::test]
async fn one_replica_deletes_at_a_time() {
    for backend in backends() {
        let days = Days::begin(backend).await;
        let replica = days.api.replica().await;
        days.create(0..3).await;
        days.pass(10);
        let lease = Lease::new("change-retention", LEASE);
        assert!(replica.store.acquire(&lease).await.unwrap(), "{backend}");
        assert_eq!(days.delete_old().await, 0, "{backend}: the other replica is at it");
        // The other one died: its lease runs out.
        days.time.pass(LEASE + Duration::from_millis(1));
        assert_eq!(days.delete_old().await, 3, "{backend}");
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_keeps_nothing_for_ever() {
    for backend in backends() {
        let days = Days::begin(backend).await;
        days.pass(1_000);
        days.create(0..1).await;
        days.time.back_to_the_start();
        days.create(1..3).await;
        days.pass(10);
        assert_eq!(days.delete_old().await, 3, "{backend}");
    }
}
