use model_registry_store::{DatabaseUrl, Document, PoolOptions, Store};
use model_registry_testkit::{Backend, TestDatabase, on_each_database};
use serde_json::json;
use sqlx::{Connection, PgConnection};

use super::*;
use crate::{CatalogItem, CatalogKind};

async fn store(database: &TestDatabase) -> CatalogStore {
    let source: DatabaseUrl = database.url().parse().unwrap();
    CatalogStore::new(Store::connect(&source, PoolOptions::default(), Clock::system()).await.unwrap())
}

async fn load(store: &CatalogStore, models: &[&str]) -> LoadReport {
    load_keeping(store, models, &[]).await
}

async fn load_keeping(store: &CatalogStore, models: &[&str], kept: &[&str]) -> LoadReport {
    let mut items = CatalogItems::default();
    for name in models {
        let mut document = Document::default();
        document.set("name", *name);
        document.set("description", json!("a searched string"));
        items.push(&CatalogItem {
            kind: CatalogKind::Model,
            key: (*name).to_owned(),
            name: Some((*name).to_owned()),
            document,
            create_time: None,
            update_time: None,
            written: Vec::new(),
            children: Vec::new(),
        });
    }
    let snapshot = SourceSnapshot {
        source_id: "a".to_owned(),
        status: "available",
        error: None,
        skipped: 0,
        ignored: 0,
        items: Some(items),
        kept: kept.iter().map(|&key| key.to_owned()).collect(),
        is_part: false,
        next_sync: None,
    };
    let load = CatalogLoad { snapshots: vec![snapshot], sources: None, clock: Clock::system(), lease: None };
    store.load(&load).await.unwrap().unwrap()
}

/// The indexes that the first load builds, each with its object id, which changes when it is built again.
async fn indexes(database: &TestDatabase) -> Vec<(String, String)> {
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let select = "SELECT indexrelid::text, pg_get_indexdef(indexrelid) FROM pg_index \
                  WHERE indisvalid AND indexrelid::regclass::text IN ('catalog_item_search', 'catalog_property_string', \
                  'catalog_property_int', 'catalog_property_double') ORDER BY 2";
    sqlx::query_as(select).fetch_all(&mut connection).await.unwrap()
}

async fn run(database: &TestDatabase, statements: &'static str) {
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    sqlx::raw_sql(statements).execute(&mut connection).await.unwrap();
}

on_each_database!(a_kept_key_may_have_null_characters);

// Hubs keep models under the keys that they were published with.
async fn a_kept_key_may_have_null_characters(backend: Backend) {
    let database = TestDatabase::create(backend).await.unwrap();
    let store = store(&database).await;
    load(&store, &["a\0", "b"]).await;
    let report = load_keeping(&store, &[], &["a\0"]).await;
    assert_eq!(report, LoadReport { written: 0, removed: 1, unchanged: 1 });
}

#[tokio::test]
async fn the_first_load_into_postgresql_builds_the_large_indexes_and_later_ones_keep_them() {
    if !Backend::Postgres.is_configured() {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres).await.unwrap();
    let store = store(&database).await;
    assert_eq!(load(&store, &[]).await.written, 0);
    assert_eq!(indexes(&database).await, [], "an empty load builds none");
    load(&store, &["one"]).await;
    let first = indexes(&database).await;
    let on = "INDEX catalog_property_";
    for (found, expected) in first.iter().map(|(_, found)| found.replace("public.", "")).zip([
        "CREATE INDEX catalog_item_search ON catalog_item USING gin (search_text gin_trgm_ops)".to_owned(),
        format!(
            "CREATE {on}double ON catalog_property USING btree (workspace_id, kind, name, double_value, owner_id) \
             WHERE (double_value IS NOT NULL)"
        ),
        format!(
            "CREATE {on}int ON catalog_property USING btree (workspace_id, kind, name, int_value, owner_id) \
             WHERE (int_value IS NOT NULL)"
        ),
        format!(
            "CREATE {on}string ON catalog_property USING btree (workspace_id, kind, name, \"left\"(string_value, 255), owner_id) \
             WHERE (string_value IS NOT NULL)"
        ),
    ]) {
        assert_eq!(found, expected);
    }
    assert_eq!(first.len(), 4);
    load(&store, &["one", "two"]).await;
    assert_eq!(indexes(&database).await, first);

    // A schema from before the migration keeps its indexes if it has rows; otherwise its first load builds them.
    run(&database, "DELETE FROM model_registry_migrations WHERE version = 9").await;
    let store = self::store(&database).await;
    assert_eq!(indexes(&database).await, first);
    assert_eq!(load(&store, &[]).await.removed, 2);
    run(&database, "DELETE FROM model_registry_migrations WHERE version = 9").await;
    let store = self::store(&database).await;
    assert_eq!(indexes(&database).await, []);
    load(&store, &["one"]).await;
    assert_eq!(indexes(&database).await.len(), 4);
}

// A connection keeps its plan for an empty table otherwise, which reads all rows of a kind for each page.
#[tokio::test]
async fn statements_prepared_before_a_load_are_planned_again_after_it() {
    if !Backend::Postgres.is_configured() {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres).await.unwrap();
    let store = store(&database).await;
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let prepare = "SET plan_cache_mode = force_generic_plan; \
                   PREPARE items AS SELECT id FROM catalog_item WHERE workspace_id = $1 AND kind = $2; \
                   PREPARE properties AS SELECT owner_id FROM catalog_property WHERE workspace_id = $1 AND name = $2";
    sqlx::raw_sql(prepare).execute(&mut connection).await.unwrap();
    let mut expected_rows = async |statement: &'static str| {
        let (plan,): (String,) = sqlx::query_as(statement).fetch_one(&mut connection).await.unwrap();
        let rows = plan.split_once("rows=").and_then(|(_, rest)| rest.split_once(' '));
        rows.and_then(|(rows, _)| rows.parse::<usize>().ok()).unwrap_or_else(|| panic!("{plan}"))
    };
    let items = "EXPLAIN EXECUTE items(1, 1)";
    let properties = "EXPLAIN EXECUTE properties(1, 'description')";
    let count = ANALYSED_FROM;
    assert!(expected_rows(items).await < count / 2 && expected_rows(properties).await < count / 2);
    let names: Vec<String> = (0..ANALYSED_FROM).map(|number| format!("model-{number}")).collect();
    let report = load(&store, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(expected_rows(items).await, count);
    store.analyse(&report).await.unwrap();
    assert!(expected_rows(properties).await >= count);
}

#[tokio::test]
async fn a_load_needs_neither_the_extension_nor_to_own_the_tables() {
    if !Backend::Postgres.is_configured() {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres).await.unwrap();
    drop(store(&database).await);
    run(&database, "DROP EXTENSION pg_trgm").await;
    // A role that owns nothing writes the rows.
    let role = format!("r{}", uuid::Uuid::now_v7().simple());
    let mut connection = PgConnection::connect(database.url()).await.unwrap();
    let grant = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'p'; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(grant)).execute(&mut connection).await.unwrap();
    let (_, place) = database.url().split_once('@').unwrap();
    let url = format!("postgres://{role}:p@{place}");
    let source: DatabaseUrl = url.parse().unwrap();
    let store = CatalogStore::new(Store::connect(&source, PoolOptions::default(), Clock::system()).await.unwrap());
    let report = load(&store, &["one"]).await;
    assert_eq!(report.written, 1);
    assert_eq!(indexes(&database).await.len(), 3);
    store.analyse(&LoadReport { written: ANALYSED_FROM, ..report }).await.unwrap();
    run(&database, "CREATE EXTENSION pg_trgm").await;
    assert_eq!(load(&store, &["one", "two"]).await.written, 1);
    assert_eq!(indexes(&database).await.len(), 4, "once the extension is there");
    let drop = format!("DROP OWNED BY {role}; DROP ROLE {role}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(drop)).execute(&mut connection).await.unwrap();
}
