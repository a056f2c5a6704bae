//! An installation from before migration 14 gets its indexes while others write.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use model_registry_api::Kind;
use model_registry_testkit::{Backend, TestDatabase, on_each_database};
use serde_json::json;

use super::*;
use crate::store::Store;
use crate::test_support::{TestStore, author_at, connect, document};

on_each_database!(an_installation_gets_the_indexes_while_a_writer_goes_on, a_repeated_migration_changes_nothing);

const INDEXES: [(&str, &str); 3] =
    [("property", "property_name"), ("resource", "resource_kind_name"), ("artifact", "artifact_kind_name")];

#[test]
fn a_script_of_indexes_is_split_into_its_statements() {
    let script =
        "-- Why; not.\nCREATE INDEX IF NOT EXISTS a ON t (x, y);\nCREATE INDEX b ON u (z) INCLUDE (w) WHERE z > 1;\n";
    assert_eq!(
        indexes(script),
        [
            Index { name: "a", table: "t", definition: "t (x, y)" },
            Index { name: "b", table: "u", definition: "u (z) INCLUDE (w) WHERE z > 1" },
        ]
    );
    assert!(consists_of_indexes("CREATE INDEX a ON t (x);\n-- The end.\n"));
    assert!(!consists_of_indexes("CREATE INDEX a ON t (x); ALTER TABLE t ADD COLUMN y INT;"));
}

/// Takes the database back to the state before migration 14.
async fn take_back(store: &TestStore, backend: Backend) {
    let mut tx = store.database().unwrap().begin().await.unwrap();
    for (table, index) in INDEXES {
        let of_table = match backend {
            Backend::Sqlite | Backend::Postgres => String::new(),
            Backend::MariaDb | Backend::MySql => format!(" ON {table}"),
        };
        tx.execute_text(format!("DROP INDEX {index}{of_table}")).await.unwrap();
    }
    tx.execute_text("DELETE FROM model_registry_migrations WHERE version = 14".to_owned()).await.unwrap();
    tx.commit().await.unwrap();
}

async fn valid_indexes(database: &TestDatabase) -> i64 {
    let query = match database.backend() {
        Backend::Sqlite => {
            "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('property_name', 'resource_kind_name', 'artifact_kind_name')"
        }
        Backend::Postgres => {
            "SELECT COUNT(*) FROM pg_class c JOIN pg_index i ON i.indexrelid = c.oid \
             WHERE c.relname IN ('property_name', 'resource_kind_name', 'artifact_kind_name') AND i.indisvalid"
        }
        Backend::MariaDb | Backend::MySql => {
            "SELECT COUNT(DISTINCT index_name) FROM information_schema.statistics WHERE table_schema = DATABASE() \
             AND index_name IN ('property_name', 'resource_kind_name', 'artifact_kind_name')"
        }
    };
    database.fetch_number(query).await.unwrap()
}

async fn create_model(store: &Store, name: &str) -> crate::error::Result<()> {
    let mut tx = store.database()?.begin().await?;
    let text = |value: &str| json!({"metadataType": "MetadataStringValue", "string_value": value});
    let custom = json!({"team": text(name), "stage": text("production")});
    let model = document(json!({"name": name, "state": "LIVE", "customProperties": custom}));
    tx.create(Kind::RegisteredModel, None, model, &author_at(1)).await?;
    tx.commit().await
}

async fn an_installation_gets_the_indexes_while_a_writer_goes_on(backend: Backend) {
    let store = TestStore::new(backend).await;
    for number in 0..100 {
        create_model(&store, &format!("before-{number}")).await.unwrap();
    }
    take_back(&store, backend).await;
    assert_eq!(valid_indexes(store.test_database()).await, 0);
    let (is_over, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let writer = {
        let (store, is_over, written) = (store.store().clone(), Arc::clone(&is_over), Arc::clone(&written));
        tokio::spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                let number = written.fetch_add(1, Ordering::SeqCst);
                create_model(&store, &format!("meanwhile-{number}")).await.unwrap();
            }
        })
    };
    while written.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    // Two replicas of the new version start at the same time.
    tokio::join!(connect(store.url()), connect(store.url()));
    is_over.store(true, Ordering::SeqCst);
    writer.await.unwrap();
    assert_eq!(valid_indexes(store.test_database()).await, 3);
    let recorded = "SELECT COUNT(*) FROM model_registry_migrations WHERE version = 14";
    assert_eq!(store.test_database().fetch_number(recorded).await.unwrap(), 1);
}

async fn a_repeated_migration_changes_nothing(backend: Backend) {
    let store = TestStore::new(backend).await;
    let forget = "DELETE FROM model_registry_migrations WHERE version = 14";
    store.test_database().execute(forget).await.unwrap();
    connect(store.url()).await;
    assert_eq!(valid_indexes(store.test_database()).await, 3);
}

/// With a plain `CREATE INDEX`, the second writer would wait for the first one, by way of the lock of the build between them.
#[tokio::test]
async fn on_postgresql_a_waiting_build_does_not_block_writers() {
    if !Backend::Postgres.is_configured() {
        return;
    }
    let store = TestStore::new(Backend::Postgres).await;
    take_back(&store, Backend::Postgres).await;
    let mut open = store.database().unwrap().begin().await.unwrap();
    let model = document(json!({"name": "open", "state": "LIVE", "owner": "ada"}));
    open.create(Kind::RegisteredModel, None, model, &author_at(1)).await.unwrap();
    let url = store.url().to_owned();
    let migration = tokio::spawn(async move { connect(&url).await });
    let waiting = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                   AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'";
    while store.test_database().fetch_number(waiting).await.unwrap() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut second = store.database().unwrap().begin().await.unwrap();
    second.execute_text("SET LOCAL lock_timeout = '10s'".to_owned()).await.unwrap();
    let model = document(json!({"name": "second", "state": "LIVE", "owner": "ada"}));
    second.create(Kind::RegisteredModel, None, model, &author_at(1)).await.unwrap();
    second.commit().await.unwrap();
    assert_eq!(valid_indexes(store.test_database()).await, 0, "the build still waits for the first writer");
    open.commit().await.unwrap();
    migration.await.unwrap();
    assert_eq!(valid_indexes(store.test_database()).await, 3);
}

#[tokio::test]
async fn on_postgresql_an_index_of_an_interrupted_build_is_built_again() {
    if !Backend::Postgres.is_configured() {
        return;
    }
    let store = TestStore::new(Backend::Postgres).await;
    for name in ["a", "b"] {
        create_model(&store, name).await.unwrap();
    }
    take_back(&store, Backend::Postgres).await;
    // A build that fails leaves what a killed one leaves.
    let failing = "CREATE UNIQUE INDEX CONCURRENTLY property_name ON property (workspace_id)";
    assert!(store.test_database().execute(failing).await.is_err());
    let invalid = "SELECT COUNT(*) FROM pg_index WHERE indexrelid = to_regclass('property_name') AND NOT indisvalid";
    assert_eq!(store.test_database().fetch_number(invalid).await.unwrap(), 1);
    connect(store.url()).await;
    assert_eq!(valid_indexes(store.test_database()).await, 3);
    let unique = "SELECT COUNT(*) FROM pg_index WHERE indexrelid = to_regclass('property_name') AND indisunique";
    assert_eq!(store.test_database().fetch_number(unique).await.unwrap(), 0, "the old one is gone");
}
