//! Databases of others, and of earlier versions, on every database.

use model_registry_base::Clock;
use model_registry_testkit::{Backend, TestDatabase, on_each_database};

use super::{BARRIER, Owner, owner};
use crate::db::migrate::MigrateError;
use crate::db::{ConnectError, PoolOptions};
use crate::store::Store;

on_each_database!(
    the_database_of_another_program_is_refused_and_stays_as_it_was,
    a_database_of_an_earlier_version_is_carried_over_once_and_refused_by_that_version,
    an_interrupted_copy_of_the_migrations_is_repeated
);

async fn connect(database: &TestDatabase) -> Result<Store, ConnectError> {
    Store::connect(&database.url().parse().unwrap(), PoolOptions::default(), Clock::stepping(0)).await
}

/// The number of tables, which are in the database alone: one schema, or one file.
async fn tables(database: &TestDatabase) -> i64 {
    let query = match database.backend() {
        Backend::Sqlite => "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table'",
        Backend::Postgres => "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'",
        Backend::MariaDb | Backend::MySql => {
            "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()"
        }
    };
    database.fetch_number(query).await.unwrap()
}

async fn the_database_of_another_program_is_refused_and_stays_as_it_was(backend: Backend) {
    for (statements, expected) in [
        (
            &[
                "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL)",
                "INSERT INTO schema_migrations VALUES (9, FALSE)",
                "CREATE TABLE Type (id INTEGER NOT NULL PRIMARY KEY)",
                "CREATE TABLE Context (id INTEGER NOT NULL PRIMARY KEY)",
                "CREATE TABLE MLMDEnv (schema_version INTEGER NOT NULL PRIMARY KEY)",
            ][..],
            "belongs to the Kubeflow Model Registry",
        ),
        (
            &[
                "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
                "CREATE TABLE experiments (id INTEGER NOT NULL PRIMARY KEY)",
                "CREATE TABLE runs (id INTEGER NOT NULL PRIMARY KEY)",
            ],
            "belongs to MLflow",
        ),
        (&["CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY)"], "belongs to another program (table orders)"),
    ] {
        let database = TestDatabase::create(backend).await.unwrap();
        for statement in statements {
            database.execute(statement).await.unwrap();
        }
        let before = tables(&database).await;
        let error = connect(&database).await.err().expect("refused");
        assert!(!error.is_temporary());
        assert!(matches!(error, ConnectError::Migrate(MigrateError::Foreign(_))), "{error:?}");
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(tables(&database).await, before, "{expected}");
        if statements.len() == 5 {
            assert_eq!(database.fetch_number("SELECT MAX(version) FROM schema_migrations").await.unwrap(), 9);
            assert_eq!(database.fetch_number("SELECT COUNT(*) FROM schema_migrations").await.unwrap(), 1);
        }
    }
}

/// Turns a database into one of an earlier version, whose migrations are in `schema_migrations`.
async fn as_earlier_version(database: &TestDatabase) {
    for statement in [
        "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL)",
        "INSERT INTO schema_migrations (version, dirty) SELECT version, FALSE FROM model_registry_migrations",
        "DROP TABLE model_registry_migrations",
    ] {
        database.execute(statement).await.unwrap();
    }
}

async fn a_database_of_an_earlier_version_is_carried_over_once_and_refused_by_that_version(backend: Backend) {
    let database = TestDatabase::create(backend).await.unwrap();
    connect(&database).await.unwrap();
    let count = "SELECT COUNT(*) FROM model_registry_migrations";
    let migrations = database.fetch_number(count).await.unwrap();
    as_earlier_version(&database).await;
    for _ in 0..2 {
        connect(&database).await.unwrap();
        assert_eq!(database.fetch_number(count).await.unwrap(), migrations);
        // An earlier version compares the highest number with its own.
        assert_eq!(database.fetch_number("SELECT MAX(version) FROM schema_migrations").await.unwrap(), BARRIER);
    }
}

async fn an_interrupted_copy_of_the_migrations_is_repeated(backend: Backend) {
    if !matches!(backend, Backend::MariaDb | Backend::MySql) {
        // The copy is part of a transaction.
        return;
    }
    let database = TestDatabase::create(backend).await.unwrap();
    connect(&database).await.unwrap();
    let count = "SELECT COUNT(*) FROM model_registry_migrations";
    let migrations = database.fetch_number(count).await.unwrap();
    as_earlier_version(&database).await;
    database.execute("CREATE TABLE model_registry_migrations (version BIGINT NOT NULL PRIMARY KEY)").await.unwrap();
    connect(&database).await.unwrap();
    assert_eq!(database.fetch_number(count).await.unwrap(), migrations);
}

#[tokio::test]
async fn a_file_of_another_program_is_not_changed_by_a_single_byte() {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    database.execute("CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY)").await.unwrap();
    let path = database.url().strip_prefix("sqlite:").unwrap();
    let before = std::fs::read(path).unwrap();
    connect(&database).await.err().expect("refused");
    assert_eq!(std::fs::read(path).unwrap(), before);
}

#[tokio::test]
async fn on_postgresql_a_schema_of_its_own_is_enough_and_tables_in_another_schema_are_not_overlooked() {
    if !Backend::Postgres.is_configured() {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres).await.unwrap();
    database.execute("CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY)").await.unwrap();
    database.execute("CREATE SCHEMA registry").await.unwrap();
    let with_path = |path: &str| {
        let separator = if database.url().contains('?') { '&' } else { '?' };
        format!("{}{separator}options=-csearch_path%3D{path}", database.url()).parse().unwrap()
    };
    let open = async |path: &str| Store::connect(&with_path(path), PoolOptions::default(), Clock::stepping(0)).await;
    open("registry,public").await.unwrap();
    open("registry").await.unwrap();
    database.execute("CREATE SCHEMA later").await.unwrap();
    database.execute("DELETE FROM registry.model_registry_migrations WHERE version = 9").await.unwrap();
    let error = open("later,registry").await.err().expect("refused");
    assert!(
        error.to_string().contains("in the schema `registry`, but this connection would create tables in `later`"),
        "{error}"
    );
    assert!(matches!(open("missing").await, Err(ConnectError::Migrate(MigrateError::NoSchema))));
}

#[test]
fn a_new_table_of_ours_is_not_taken_for_one_of_another_program() {
    let tables = ["model_registry_migrations", "some_new_table"].map(str::to_owned);
    assert_eq!(owner(&tables), Owner::Ours);
}
