//! Retention of changes: old ones are deleted, and a reader that missed some gets 410.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use http::Request;
use model_registry_store::Lease;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::{Api, Response, Time};

on_each_database!(
    a_reader_that_missed_deleted_changes_gets_410,
    changes_are_deleted_in_batches_and_readers_see_no_gap,
    only_the_lease_holder_deletes_changes,
    changes_from_a_clock_that_was_ahead_are_still_deleted
);

const DAY: Duration = Duration::from_hours(24);
const LEASE: Duration = Duration::from_mins(1);

/// A registry with a clock that the test advances by days.
struct Days {
    api: Api,
    time: Time,
}

impl Days {
    async fn start(backend: Backend) -> Self {
        let time = Time::start();
        Self { api: Api::with_clock(backend, time.clock()).await, time }
    }

    fn advance(&self, days: u32) {
        self.time.advance(DAY * days);
    }

    async fn create(&self, names: std::ops::Range<usize>) {
        let create = |number| self.api.create("registered_models", json!({"name": format!("m{number}")}));
        let created = futures::stream::iter(names.map(create)).buffer_unordered(8).count();
        created.await;
    }

    /// Assigns sequences to new changes, then deletes those older than five days.
    async fn delete_old(&self) -> u64 {
        self.api.get("changes?after=newest").await;
        let lease = Lease::new("change-retention", LEASE);
        self.api.store.delete_old_changes(&lease, DAY * 5).await.unwrap()
    }

    async fn read(&self, query: &str) -> Response {
        self.api.get(&format!("changes?{query}")).await
    }
}

fn sequences(response: &Response) -> Vec<i64> {
    assert_eq!(response.status, 200, "{}", response.message());
    let items = response.json()["items"].clone();
    let sequences = items.as_array().unwrap().iter().map(|item| item["sequence"].as_str().unwrap().parse().unwrap());
    sequences.collect()
}

fn gone_message(after: i64, first: i64) -> String {
    format!(
        "the changes after {after} have expired, the oldest one left is {first}: take `next` of after=newest, read \
         all entities again, and continue from there; after={} reads the changes that are left",
        first - 1
    )
}

async fn a_reader_that_missed_deleted_changes_gets_410(backend: Backend) {
    let days = Days::start(backend).await;
    days.create(0..3).await;
    assert_eq!(days.delete_old().await, 0);
    days.advance(10);
    days.create(3..5).await;
    assert_eq!(days.delete_old().await, 3);
    assert_eq!(days.delete_old().await, 0);

    for query in ["after=0", "", "after=2", "after=2&wait=1", "after=1&limit=1"] {
        let response = days.read(query).await;
        let after = query.strip_prefix("after=").map_or(0, |rest| i64::from(rest.as_bytes()[0] - b'0'));
        assert_eq!((response.status, response.message()), (410, gone_message(after, 4)), "{query}");
        assert_eq!(response.json()["code"], "Gone");
    }
    assert_eq!(sequences(&days.read("after=3").await), [4, 5]);
    assert_eq!(sequences(&days.read("after=5").await), [0_i64; 0]);
    assert_eq!(days.read("after=newest").await.json()["next"], "5");
    let stream = Request::get("/api/model_registry/v1/changes?after=newest").header("last-event-id", "1");
    let stream = stream.header("accept", "text/event-stream").body(Body::empty()).unwrap();
    assert_eq!(days.api.open(stream).await.0.status, 410);

    // All changes are deleted; sequences continue.
    days.advance(10);
    assert_eq!(days.delete_old().await, 2);
    let response = days.read("after=4").await;
    assert_eq!((response.status, response.message()), (410, gone_message(4, 6)));
    assert_eq!(sequences(&days.read("after=5").await), [0_i64; 0]);
    days.create(5..6).await;
    assert_eq!(sequences(&days.read("after=5").await), [6]);
}

async fn changes_are_deleted_in_batches_and_readers_see_no_gap(backend: Backend) {
    const OLD: usize = 1_100;
    let days = Days::start(backend).await;
    days.create(0..OLD).await;
    days.advance(10);
    days.create(OLD..OLD + 5).await;
    let reader = async {
        let mut after = 0;
        loop {
            let response = days.read(&format!("after={after}&limit=9")).await;
            // A page may include changes of the concurrent writer.
            if response.status == 410 || after >= i64::try_from(OLD).unwrap() + 5 {
                return response.status;
            }
            for sequence in sequences(&response) {
                assert_eq!(sequence, after + 1, "a gap");
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
    assert_eq!(deleted, OLD as u64);
    assert_eq!(days.api.store.deleted_changes(), OLD as u64);
    let kept = sequences(&days.read(&format!("after={OLD}")).await);
    assert_eq!(kept.len(), 25);
    assert_eq!(kept[0], i64::try_from(OLD).unwrap() + 1);
}

async fn only_the_lease_holder_deletes_changes(backend: Backend) {
    let days = Days::start(backend).await;
    let replica = days.api.replica().await;
    days.create(0..3).await;
    days.advance(10);
    let lease = Lease::new("change-retention", LEASE);
    assert!(replica.store.acquire(&lease).await.unwrap());
    assert_eq!(days.delete_old().await, 0, "another replica holds the lease");
    // The other replica died, and its lease has expired by the clock of the database.
    days.api.database.execute("UPDATE lease SET expire_time = 1").await.unwrap();
    assert_eq!(days.delete_old().await, 3);
}

async fn changes_from_a_clock_that_was_ahead_are_still_deleted(backend: Backend) {
    let days = Days::start(backend).await;
    days.advance(1_000);
    days.create(0..1).await;
    days.time.reset();
    days.create(1..3).await;
    days.advance(10);
    assert_eq!(days.delete_old().await, 3);
}
