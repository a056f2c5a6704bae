//! Coalesced reads over a stand-in for the database, whose statements take as long and fail as a test decides.

use std::sync::atomic::{AtomicU32, Ordering};

use model_registry_api::Kind;
use tokio::time::Instant;

use super::*;
use crate::error::StoreError;

const TABLE: RecordTable = RecordTable::Resource;
const STATEMENT: Duration = Duration::from_millis(10);

/// What happens to a statement.
#[derive(Clone, Copy)]
enum Fate {
    Succeeds,
    Fails,
    Hangs,
    Panics,
}

/// Records its statements; entities with even ids exist.
#[derive(Clone)]
struct FakeDatabase {
    statements: Arc<Mutex<Vec<Vec<i64>>>>,
    /// What happens to each statement, by its number; those beyond succeed.
    fates: Arc<Vec<Fate>>,
    started: Arc<AtomicU32>,
}

impl FakeDatabase {
    fn new(fates: &[Fate]) -> Self {
        Self { statements: Arc::default(), fates: Arc::new(fates.to_vec()), started: Arc::default() }
    }

    fn statements(&self) -> Vec<Vec<i64>> {
        self.statements.lock().unwrap().clone()
    }
}

impl FetchRecords for FakeDatabase {
    async fn fetch_records(&self, _: RecordTable, ids: &[i64]) -> Result<HashMap<i64, PartialRow>> {
        self.statements.lock().unwrap().push(ids.to_vec());
        let number = self.started.fetch_add(1, Ordering::Relaxed) as usize;
        tokio::time::sleep(STATEMENT).await;
        match self.fates.get(number).copied().unwrap_or(Fate::Succeeds) {
            Fate::Succeeds => {}
            Fate::Fails => return Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut)),
            Fate::Hangs => std::future::pending().await,
            Fate::Panics => panic!("a defect"),
        }
        let record =
            |id| PartialRow { kind: Kind::RegisteredModel.code(), id, revision: 1, document: Some(String::new()) };
        Ok(ids.iter().filter(|id| **id % 2 == 0).map(|id| (*id, record(*id))).collect())
    }
}

/// Starts a read; it is queued when this returns.
async fn start(
    reads: &CoalescedReads,
    database: &FakeDatabase,
    id: i64,
) -> tokio::task::JoinHandle<Result<Option<i64>>> {
    let (reads, database) = (reads.clone(), database.clone());
    let task = tokio::spawn(async move { Ok(reads.read(&database, TABLE, id).await?.map(|record| record.id)) });
    // The tests run on one thread: all that can run now, runs.
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
    task
}

#[tokio::test(start_paused = true)]
async fn an_uncontended_read_is_never_delayed() {
    let (reads, database) = (CoalescedReads::default(), FakeDatabase::new(&[]));
    for id in [2, 4, 5] {
        let began = Instant::now();
        let record = reads.read(&database, TABLE, id).await.unwrap();
        assert_eq!(record.map(|record| record.id), (id % 2 == 0).then_some(id));
        assert!(began.elapsed() < STATEMENT * 2, "only its own statement");
    }
    assert_eq!(database.statements(), [[2], [4], [5]]);
}

#[tokio::test(start_paused = true)]
async fn reads_that_arrive_during_a_statement_share_the_next_one() {
    let (reads, database) = (CoalescedReads::default(), FakeDatabase::new(&[]));
    let mut tasks = Vec::new();
    for id in [2, 4, 5, 4] {
        tasks.push(start(&reads, &database, id).await);
    }
    let mut found = Vec::new();
    for task in tasks {
        found.push(task.await.unwrap().unwrap());
    }
    assert_eq!(found, [Some(2), Some(4), None, Some(4)]);
    assert_eq!(database.statements(), [vec![2], vec![4, 5, 4]]);
}

#[tokio::test(start_paused = true)]
async fn a_statement_reads_a_limited_number_of_entities() {
    let (reads, database) = (CoalescedReads::default(), FakeDatabase::new(&[]));
    let mut tasks = Vec::new();
    for id in 0..=2 * i64::try_from(MAX_BATCH).unwrap() {
        tasks.push(start(&reads, &database, id).await);
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let sizes: Vec<usize> = database.statements().iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, MAX_BATCH, MAX_BATCH]);
}

#[tokio::test(start_paused = true)]
async fn reads_send_their_own_statement_when_the_shared_one_fails() {
    let (reads, database) = (CoalescedReads::default(), FakeDatabase::new(&[Fate::Succeeds, Fate::Fails]));
    let first = start(&reads, &database, 2).await;
    let others = [start(&reads, &database, 4).await, start(&reads, &database, 6).await];
    assert_eq!(first.await.unwrap().unwrap(), Some(2));
    for (task, id) in others.into_iter().zip([4, 6]) {
        assert_eq!(task.await.unwrap().unwrap(), Some(id));
    }
    assert_eq!(database.statements(), [vec![2], vec![4, 6], vec![4], vec![6]]);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_persists_reaches_every_read() {
    let (reads, database) = (CoalescedReads::default(), FakeDatabase::new(&[Fate::Fails; 8]));
    let tasks = [start(&reads, &database, 2).await, start(&reads, &database, 4).await];
    for task in tasks {
        assert!(matches!(task.await.unwrap(), Err(StoreError::Unavailable(_))));
    }
}

#[tokio::test(start_paused = true)]
async fn reads_send_their_own_statement_when_the_shared_one_is_slow() {
    let (reads, database) = (CoalescedReads::default(), FakeDatabase::new(&[Fate::Hangs]));
    let began = Instant::now();
    let tasks = [start(&reads, &database, 2).await, start(&reads, &database, 4).await];
    for (task, id) in tasks.into_iter().zip([2, 4]) {
        assert_eq!(task.await.unwrap().unwrap(), Some(id));
    }
    assert!(began.elapsed() < PATIENCE + STATEMENT * 3, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_read_does_not_stop_the_others() {
    let (reads, database) = (CoalescedReads::default(), FakeDatabase::new(&[]));
    let leader = start(&reads, &database, 2).await;
    let follower = start(&reads, &database, 4).await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    assert_eq!(follower.await.unwrap().unwrap(), Some(4));
    assert_eq!(database.statements(), [[2], [4]]);
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_statement_does_not_block_later_reads() {
    let (reads, database) = (CoalescedReads::default(), FakeDatabase::new(&[Fate::Panics]));
    let tasks = [start(&reads, &database, 2).await, start(&reads, &database, 4).await];
    for (task, id) in tasks.into_iter().zip([2, 4]) {
        assert_eq!(task.await.unwrap().unwrap(), Some(id));
    }
    let began = Instant::now();
    assert!(reads.read(&database, TABLE, 6).await.unwrap().is_some());
    assert!(began.elapsed() < PATIENCE, "the queue is served again");
}
