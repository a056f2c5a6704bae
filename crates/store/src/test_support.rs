//! What the unit tests share: stores on test databases, authors and documents.

use std::ops::Deref;

use model_registry_base::Clock;
use model_registry_testkit::{Backend, TestDatabase, seed};
use proptest::test_runner::{Config, RngSeed};
use serde_json::Value;

use crate::db::{DatabaseUrl, PoolOptions};
use crate::document::Document;
use crate::store::Store;
use crate::write::Author;

/// A store on a database of its own, which is dropped with it.
pub(crate) struct TestStore {
    store: Store,
    database: TestDatabase,
}

impl TestStore {
    pub(crate) async fn new(backend: Backend) -> Self {
        Self::with_clock(backend, Clock::stepping(1_000_000)).await
    }

    pub(crate) async fn with_clock(backend: Backend, clock: Clock) -> Self {
        let database = TestDatabase::create(backend).await.unwrap();
        let store = Store::connect(&database.url().parse().unwrap(), PoolOptions::default(), clock).await.unwrap();
        Self { store, database }
    }

    pub(crate) fn url(&self) -> &str {
        self.database.url()
    }

    pub(crate) fn test_database(&self) -> &TestDatabase {
        &self.database
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }
}

impl Deref for TestStore {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// A further replica on the same database.
pub(crate) async fn connect(url: &str) -> Store {
    Store::connect(&url.parse().unwrap(), PoolOptions::default(), Clock::stepping(1_000_000)).await.unwrap()
}

/// A store in memory.
pub(crate) async fn sqlite_store() -> Store {
    let url = DatabaseUrl::Sqlite { path: None };
    Store::connect(&url, PoolOptions::default(), Clock::stepping(1_000_000)).await.unwrap()
}

pub(crate) fn document(value: Value) -> Document {
    let Value::Object(map) = value else { panic!("a document is an object") };
    Document(map)
}

/// An author who writes at this time.
pub(crate) fn author_at(time: i64) -> Author {
    Author { actor: Some("ada".to_owned()), time }
}

/// A configuration of random tests whose seed is printed, and taken from `MR_TEST_SEED` to repeat a failure.
pub(crate) fn seeded() -> Config {
    Config { rng_seed: RngSeed::Fixed(seed()), ..Config::default() }
}
