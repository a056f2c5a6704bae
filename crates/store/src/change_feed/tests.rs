use std::collections::BTreeSet;

use model_registry_api::Kind;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use super::*;
use crate::change_log::BATCH;
use crate::db::Transaction;
use crate::error::StoreError;
use crate::test_support::{TestStore, author_at, connect, document};
use crate::unit_of_work::{Outcome, UnitOfWork};
use crate::write::PendingRows;

on_each_database!(multi_thread:
    sequence_numbers_ascend_without_gaps,
    an_uncommitted_change_gets_its_number_when_it_is_committed,
    a_rolled_back_change_does_not_appear,
    concurrent_readers_of_two_replicas_see_every_change_once,
    a_page_has_the_requested_number_of_changes,
    a_waiting_reader_is_woken_by_a_write_of_this_process,
    a_waiting_reader_notices_a_write_of_another_replica
);

/// Creates models with these names in one transaction.
struct CreateModels<'a>(&'a [&'a str]);

impl UnitOfWork for CreateModels<'_> {
    type Output = Vec<i64>;
    type Error = StoreError;

    async fn run(&self, tx: &mut Transaction) -> Result<Outcome<Vec<i64>>> {
        let (mut ids, mut pending, author) = (Vec::new(), PendingRows::default(), author_at(7));
        for name in self.0 {
            let model = document(json!({"name": name}));
            let record = tx.begin_create(Kind::RegisteredModel, None, model, &author, &mut pending).await?;
            ids.push(record.id);
        }
        tx.finish_create(pending, &author).await?;
        Ok(Outcome::Done(ids))
    }

    fn may_retry(&self, error: &StoreError) -> bool {
        matches!(error, StoreError::Retry(_))
    }
}

async fn create_model(tx: &mut Transaction, name: &str) -> Result<i64> {
    let record = tx.create(Kind::RegisteredModel, None, document(json!({"name": name})), &author_at(7)).await?;
    Ok(record.id)
}

fn ids(changes: &Changes) -> Vec<i64> {
    changes.items.iter().map(|change| change.id).collect()
}

fn sequences(changes: &Changes) -> Vec<i64> {
    changes.items.iter().map(|change| change.sequence).collect()
}

async fn sequence_numbers_ascend_without_gaps(backend: Backend) {
    let store = TestStore::new(backend).await;
    assert_eq!(store.newest_change().await.unwrap(), 0);
    let mut created = store.write(&CreateModels(&["a", "b"])).await.unwrap();
    assert_eq!(sequences(&store.changes(0, 10).await.unwrap()), [1, 2]);
    created.extend(store.write(&CreateModels(&["c"])).await.unwrap());
    let changes = store.changes(0, 10).await.unwrap();
    assert_eq!(sequences(&changes), [1, 2, 3]);
    assert_eq!(ids(&changes), created);
    assert_eq!(changes.newest, 3);
    assert_eq!(sequences(&store.changes(2, 10).await.unwrap()), [3]);
    assert_eq!(store.newest_known_change(), 3);
}

/// On SQLite two transactions cannot write at the same time.
async fn an_uncommitted_change_gets_its_number_when_it_is_committed(backend: Backend) {
    if backend == Backend::Sqlite {
        return;
    }
    let store = TestStore::new(backend).await;
    let mut slow = store.database().unwrap().begin().await.unwrap();
    let slow_id = create_model(&mut slow, "slow").await.unwrap();
    let fast = store.write(&CreateModels(&["fast"])).await.unwrap();
    let before = store.changes(0, 10).await.unwrap();
    assert_eq!((ids(&before), sequences(&before)), (fast, vec![1]));
    slow.commit().await.unwrap();
    // Its id is lower than that of the first change, its sequence number higher: a reader after 1 does not miss it.
    let after = store.changes(1, 10).await.unwrap();
    assert_eq!((ids(&after), sequences(&after)), (vec![slow_id], vec![2]));
}

async fn a_rolled_back_change_does_not_appear(backend: Backend) {
    let store = TestStore::new(backend).await;
    let mut tx = store.database().unwrap().begin().await.unwrap();
    create_model(&mut tx, "lost").await.unwrap();
    drop(tx);
    let kept = store.write(&CreateModels(&["kept"])).await.unwrap();
    let changes = store.changes(0, 10).await.unwrap();
    assert_eq!((ids(&changes), sequences(&changes)), (kept, vec![1]));
}

async fn concurrent_readers_of_two_replicas_see_every_change_once(backend: Backend) {
    const WRITES: i64 = 60;
    let store = TestStore::new(backend).await;
    let replicas = [store.store().clone(), connect(store.url()).await];
    let readers: Vec<_> = replicas
        .iter()
        .map(|replica| {
            let replica = replica.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                let mut after = 0;
                while after < WRITES {
                    replica.wait_for_change(after).await.unwrap();
                    for change in replica.changes(after, 7).await.unwrap().items {
                        assert_eq!(change.sequence, after + 1, "no gap");
                        after = change.sequence;
                        seen.push(change.id);
                    }
                }
                seen
            })
        })
        .collect();
    let writers: Vec<_> = replicas
        .iter()
        .enumerate()
        .map(|(number, replica)| {
            let replica = replica.clone();
            tokio::spawn(async move {
                for write in 0..WRITES / 2 {
                    let name = format!("m{number}-{write}");
                    replica.write(&CreateModels(&[&name])).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let mut all = Vec::new();
    for reader in readers {
        all.push(reader.await.unwrap());
    }
    assert_eq!(all[0], all[1], "the same order for all readers");
    assert_eq!(all[0].iter().collect::<BTreeSet<_>>().len(), 60);
}

async fn a_page_has_the_requested_number_of_changes(backend: Backend) {
    let store = TestStore::new(backend).await;
    let names: Vec<String> = (0..BATCH + 20).map(|number| format!("m{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    store.write(&CreateModels(&names)).await.unwrap();
    let page = store.changes(0, 3).await.unwrap();
    assert_eq!(sequences(&page), [1, 2, 3]);
    assert!(page.newest >= 3);
    let last = i64::try_from(names.len()).unwrap();
    assert_eq!(store.newest_change().await.unwrap(), last, "more than one transaction assigns");
    assert_eq!(sequences(&store.changes(last - 1, 3).await.unwrap()), [last]);
}

async fn a_waiting_reader_is_woken_by_a_write_of_this_process(backend: Backend) {
    let store = TestStore::new(backend).await;
    let reader = tokio::spawn({
        let store = store.store().clone();
        async move { store.wait_for_change(0).await }
    });
    store.write(&CreateModels(&["m"])).await.unwrap();
    reader.await.unwrap().unwrap();
    assert_eq!(store.newest_known_change(), 1);
}

async fn a_waiting_reader_notices_a_write_of_another_replica(backend: Backend) {
    let store = TestStore::new(backend).await;
    let other = connect(store.url()).await;
    let reader = tokio::spawn({
        let store = store.store().clone();
        async move { store.wait_for_change(0).await }
    });
    other.write(&CreateModels(&["m"])).await.unwrap();
    reader.await.unwrap().unwrap();
}

#[test]
fn a_gap_after_the_position_of_a_reader_means_that_changes_were_deleted() {
    let change = |sequence| Change {
        sequence,
        time: 0,
        actor: None,
        kind: Kind::RegisteredModel,
        id: 1,
        verb: "create".to_owned(),
        revision: 1,
    };
    let page = |first: i64, newest| Changes { items: vec![change(first)], newest };
    assert_eq!(page(6, 9).first_retained(5), None);
    assert_eq!(page(8, 9).first_retained(5), Some(8));
    let empty = |newest| Changes { items: Vec::new(), newest };
    assert_eq!(empty(5).first_retained(5), None);
    assert_eq!(empty(9).first_retained(5), Some(10), "all changes up to the newest were deleted");
}
