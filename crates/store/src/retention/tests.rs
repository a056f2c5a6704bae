use model_registry_api::Kind;
use model_registry_base::Clock;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use super::*;
use crate::db::PoolOptions;
use crate::idempotency::IdempotencyKey;
use crate::test_support::{TestStore, author_at, document};
use crate::write::PendingRows;

on_each_database!(
    changes_older_than_the_retention_are_deleted,
    a_change_without_a_sequence_number_is_not_deleted,
    a_change_from_a_clock_that_is_ahead_does_not_stop_the_deletion,
    old_changes_are_deleted_in_several_batches,
    nothing_is_deleted_while_another_replica_holds_the_lease,
    a_replica_whose_clock_is_wrong_deletes_nothing_too_early_and_dates_nothing_wrongly
);

const DAY: i64 = 24 * 60 * 60 * 1000;
const NOW: i64 = 100 * DAY;
const FIVE_DAYS: Duration = Duration::from_hours(5 * 24);

async fn store(backend: Backend) -> TestStore {
    TestStore::with_clock(backend, Clock::new(|| NOW)).await
}

fn lease() -> Lease {
    Lease::new("change-retention", LEASE_DURATION)
}

/// Creates models, one at each of these times, in milliseconds since the Unix epoch.
async fn create_at(store: &TestStore, times: &[i64]) {
    let mut tx = store.database().unwrap().begin().await.unwrap();
    for (number, times) in times.chunk_by(|left, right| left == right).enumerate() {
        let (mut pending, author) = (PendingRows::default(), author_at(times[0]));
        for index in 0..times.len() {
            let model = document(json!({"name": format!("m{}-{number}-{index}", times[0])}));
            tx.begin_create(Kind::RegisteredModel, None, model, &author, &mut pending).await.unwrap();
        }
        tx.finish_create(pending, &author).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn sequences(store: &TestStore) -> Vec<i64> {
    store.changes(0, 1_000).await.unwrap().items.iter().map(|change| change.sequence).collect()
}

async fn changes_older_than_the_retention_are_deleted(backend: Backend) {
    let store = store(backend).await;
    create_at(&store, &[NOW - 9 * DAY, NOW - 6 * DAY, NOW - 4 * DAY, NOW]).await;
    assert_eq!(sequences(&store).await, [1, 2, 3, 4]);
    assert_eq!(store.delete_old_changes(&lease(), FIVE_DAYS).await.unwrap(), 2);
    assert_eq!(sequences(&store).await, [3, 4]);
    assert_eq!(store.deleted_changes(), 2);
    assert_eq!(store.changes(0, 10).await.unwrap().first_retained(0), Some(3));
    store.refresh_oldest_change().await.unwrap();
    assert_eq!(store.oldest_known_change(), 3);
    assert_eq!(store.delete_old_changes(&lease(), FIVE_DAYS).await.unwrap(), 0);
}

async fn a_change_without_a_sequence_number_is_not_deleted(backend: Backend) {
    let store = store(backend).await;
    create_at(&store, &[NOW - 9 * DAY]).await;
    assert_eq!(store.delete_old_changes(&lease(), FIVE_DAYS).await.unwrap(), 0, "no reader could have seen it");
    assert_eq!(sequences(&store).await, [1]);
    assert_eq!(store.delete_old_changes(&lease(), FIVE_DAYS).await.unwrap(), 1);
}

async fn a_change_from_a_clock_that_is_ahead_does_not_stop_the_deletion(backend: Backend) {
    let store = store(backend).await;
    create_at(&store, &[NOW - 9 * DAY, NOW + 999 * DAY, NOW - 6 * DAY, NOW]).await;
    assert_eq!(sequences(&store).await, [1, 2, 3, 4]);
    assert_eq!(store.delete_old_changes(&lease(), FIVE_DAYS).await.unwrap(), 3);
    assert_eq!(sequences(&store).await, [4]);
}

async fn old_changes_are_deleted_in_several_batches(backend: Backend) {
    let store = store(backend).await;
    let old = BATCH + 7;
    create_at(&store, &vec![NOW - 9 * DAY; old]).await;
    create_at(&store, &[NOW]).await;
    let last = i64::try_from(old).unwrap() + 1;
    assert_eq!(store.newest_change().await.unwrap(), last);
    assert_eq!(store.delete_old_changes(&lease(), FIVE_DAYS).await.unwrap(), old as u64);
    assert_eq!(sequences(&store).await, [last]);
}

async fn nothing_is_deleted_while_another_replica_holds_the_lease(backend: Backend) {
    let store = store(backend).await;
    create_at(&store, &[NOW - 9 * DAY]).await;
    assert_eq!(sequences(&store).await, [1]);
    let (mine, other) = (lease(), lease());
    assert!(store.acquire(&other).await.unwrap());
    assert_eq!(store.delete_old_changes(&mine, FIVE_DAYS).await.unwrap(), 0);
    // A replica that lost its lease between acquiring it and deleting.
    assert_eq!(store.write(&DeleteBatch { lease: &mine, before: NOW }).await.unwrap(), 0);
    store.release(&other).await.unwrap();
    assert_eq!(store.delete_old_changes(&mine, FIVE_DAYS).await.unwrap(), 1);
}

async fn a_replica_whose_clock_is_wrong_deletes_nothing_too_early_and_dates_nothing_wrongly(backend: Backend) {
    let store = TestStore::with_clock(backend, Clock::system()).await;
    let url = store.url().parse().unwrap();
    let right = store.clock().now();
    create_at(&store, &[right]).await;
    let key = IdempotencyKey::new(None, "key", "POST", "/", b"");
    let mut tx = store.database().unwrap().begin().await.unwrap();
    tx.store_response(&key, 201, None, "{}", right).await.unwrap();
    tx.commit().await.unwrap();
    for error in [100 * DAY, -100 * DAY] {
        let wrong = Store::connect(&url, PoolOptions::default(), Clock::wrong_by(error)).await.unwrap();
        assert_eq!(wrong.delete_old_changes(&lease(), FIVE_DAYS).await.unwrap(), 0, "{error}");
        assert_eq!(wrong.delete_expired_responses().await.unwrap(), 0, "{error}");
        let mut tx = wrong.database().unwrap().begin().await.unwrap();
        assert!(tx.find_stored_response(&key, wrong.clock().now()).await.unwrap().is_some(), "{error}");
        drop(tx);
        assert!((wrong.clock().now() - store.clock().now()).abs() < DAY / 24, "{error}");
        let skew = wrong.clock_skew().unwrap();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let difference = skew - error as f64 / 1000.0;
        assert!(difference.abs() < 3600.0, "{error}: {skew}");
    }
    assert_eq!(sequences(&store).await, [1]);
}
