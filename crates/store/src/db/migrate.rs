//! Applies the embedded migrations: in order, one replica at a time, resumable after a crash.
//!
//! `model_registry_migrations(version)` has a row per applied migration. Migrations that are not in it are applied, also those
//! below the newest: two may have been developed at the same time. Before anything is written, the database has to be empty
//! or ours (`ownership.rs`). Migrations that only build indexes let other replicas write meanwhile (`online.rs`).
//!
//! Earlier versions called the table `schema_migrations`, as other programs do. Its rows are copied once; the table stays, with
//! a further row that makes earlier versions refuse the database when they start. Replicas of an earlier version that are
//! running do not read it and continue.

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, SqliteConnection};

use super::online::{self, is_online};
use super::ownership::{self, BARRIER, EARLIER_MIGRATIONS, MIGRATIONS as TABLE, Owner};
use crate::error::is_temporary;

struct Migration {
    version: i64,
    sqlite: &'static str,
    postgres: &'static str,
    mysql: &'static str,
}

/// A released migration is never edited; a change is a new migration.
const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        sqlite: include_str!("../../migrations/sqlite/0001_registry.sql"),
        postgres: include_str!("../../migrations/postgres/0001_registry.sql"),
        mysql: include_str!("../../migrations/mysql/0001_registry.sql"),
    },
    Migration {
        version: 2,
        sqlite: include_str!("../../migrations/sqlite/0002_catalog.sql"),
        postgres: include_str!("../../migrations/postgres/0002_catalog.sql"),
        mysql: include_str!("../../migrations/mysql/0002_catalog.sql"),
    },
    Migration {
        version: 3,
        sqlite: include_str!("../../migrations/sqlite/0003_changes.sql"),
        postgres: include_str!("../../migrations/postgres/0003_changes.sql"),
        mysql: include_str!("../../migrations/mysql/0003_changes.sql"),
    },
    Migration {
        version: 4,
        sqlite: include_str!("../../migrations/sqlite/0004_property_keys.sql"),
        postgres: include_str!("../../migrations/postgres/0004_property_keys.sql"),
        mysql: include_str!("../../migrations/mysql/0004_property_keys.sql"),
    },
    Migration {
        version: 5,
        sqlite: include_str!("../../migrations/sqlite/0005_catalog_search.sql"),
        postgres: include_str!("../../migrations/postgres/0005_catalog_search.sql"),
        mysql: include_str!("../../migrations/mysql/0005_catalog_search.sql"),
    },
    Migration {
        version: 6,
        sqlite: include_str!("../../migrations/sqlite/0006_catalog_pending.sql"),
        postgres: include_str!("../../migrations/postgres/0006_catalog_pending.sql"),
        mysql: include_str!("../../migrations/mysql/0006_catalog_pending.sql"),
    },
    Migration {
        version: 7,
        sqlite: include_str!("../../migrations/sqlite/0007_catalog_sync.sql"),
        postgres: include_str!("../../migrations/postgres/0007_catalog_sync.sql"),
        mysql: include_str!("../../migrations/mysql/0007_catalog_sync.sql"),
    },
    Migration {
        version: 8,
        sqlite: include_str!("../../migrations/sqlite/0008_property_signatures.sql"),
        postgres: include_str!("../../migrations/postgres/0008_property_signatures.sql"),
        mysql: include_str!("../../migrations/mysql/0008_property_signatures.sql"),
    },
    Migration {
        version: 9,
        sqlite: include_str!("../../migrations/sqlite/0009_catalog_first_load.sql"),
        postgres: include_str!("../../migrations/postgres/0009_catalog_first_load.sql"),
        mysql: include_str!("../../migrations/mysql/0009_catalog_first_load.sql"),
    },
    Migration {
        version: 10,
        sqlite: include_str!("../../migrations/sqlite/0010_point_ids.sql"),
        postgres: include_str!("../../migrations/postgres/0010_point_ids.sql"),
        mysql: include_str!("../../migrations/mysql/0010_point_ids.sql"),
    },
    Migration {
        version: 11,
        sqlite: include_str!("../../migrations/sqlite/0011_catalog_packed_properties.sql"),
        postgres: include_str!("../../migrations/postgres/0011_catalog_packed_properties.sql"),
        mysql: include_str!("../../migrations/mysql/0011_catalog_packed_properties.sql"),
    },
    Migration {
        version: 13,
        sqlite: include_str!("../../migrations/sqlite/0013_not_finite.sql"),
        postgres: include_str!("../../migrations/postgres/0013_not_finite.sql"),
        mysql: include_str!("../../migrations/mysql/0013_not_finite.sql"),
    },
    Migration {
        version: 14,
        sqlite: include_str!("../../migrations/sqlite/0014_list_indexes.sql"),
        postgres: include_str!("../../migrations/postgres/0014_list_indexes.sql"),
        mysql: include_str!("../../migrations/mysql/0014_list_indexes.sql"),
    },
    Migration {
        version: 15,
        sqlite: include_str!("../../migrations/sqlite/0015_order_indexes.sql"),
        postgres: include_str!("../../migrations/postgres/0015_order_indexes.sql"),
        mysql: include_str!("../../migrations/mysql/0015_order_indexes.sql"),
    },
];

/// Fixed forever: replicas of different versions must use the same lock.
const LOCK_ID: i64 = 0x6d6f_6465_6c72;
const LOCK_NAME: &str = "model_registry_migrations";
const LOCK_SECONDS: i32 = 120;

/// Why the schema could not be migrated.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("cannot apply schema migration {version}: {source}")]
    Apply { version: i64, source: sqlx::Error },
    #[error("cannot read or lock the schema version: {0}")]
    Version(#[source] sqlx::Error),
    #[error("another replica has been migrating the schema for {LOCK_SECONDS} s; waiting for it to finish")]
    Locked,
    #[error(
        "the database has schema version {found}, but this program supports only up to {known}: start the version of the \
         program that migrated it, or a newer one"
    )]
    TooNew { found: i64, known: i64 },
    /// The database is neither empty nor ours.
    #[error("{0}")]
    Foreign(String),
    #[error(
        "the search path of the connection names no schema that exists: create it, or set another one with \
         ?options=-csearch_path=NAME"
    )]
    NoSchema,
    #[error(
        "the tables of the registry are in the schema `{found}`, but this connection would create tables in `{current}`: set the \
         search path of the database user to `{found}`, or add ?options=-csearch_path={found} to the URL"
    )]
    OtherSchema { found: String, current: String },
}

impl MigrateError {
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Locked => true,
            Self::Apply { source, .. } | Self::Version(source) => is_temporary(source),
            Self::TooNew { .. } | Self::Foreign(_) | Self::NoSchema | Self::OtherSchema { .. } => false,
        }
    }
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Version(error)
    }
}

fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

fn pending(applied: &[(i64,)]) -> Result<impl Iterator<Item = &'static Migration>, MigrateError> {
    let found = applied.iter().map(|(version,)| *version).max().unwrap_or(0);
    if found > newest() {
        return Err(MigrateError::TooNew { found, known: newest() });
    }
    Ok(MIGRATIONS.iter().filter(|migration| !applied.contains(&(migration.version,))))
}

fn is_complete(applied: &[(i64,)]) -> bool {
    pending(applied).is_ok_and(|mut pending| pending.next().is_none())
}

/// The statements that prepare the table of migrations for an owner; each can be repeated.
///
/// `ignoring` is an INSERT that skips existing rows: how that is written differs.
fn preparation(tables: &[String], ignoring: (&str, &str)) -> Result<Vec<String>, MigrateError> {
    let create = format!("CREATE TABLE IF NOT EXISTS {TABLE} (version BIGINT NOT NULL PRIMARY KEY)");
    let (insert, on_conflict) = ignoring;
    match ownership::owner(tables) {
        Owner::Foreign(message) => Err(MigrateError::Foreign(message)),
        Owner::Nobody | Owner::Ours => Ok(vec![create]),
        Owner::OursInEarlierForm => Ok(vec![
            create,
            // Without the barrier, which another replica may have written.
            format!(
                "{insert} INTO {TABLE} (version) SELECT version FROM {EARLIER_MIGRATIONS} WHERE version < {BARRIER} {on_conflict}"
            ),
            format!("{insert} INTO {EARLIER_MIGRATIONS} (version, dirty) VALUES ({BARRIER}, FALSE) {on_conflict}"),
        ]),
    }
}

const ON_CONFLICT: (&str, &str) = ("INSERT", "ON CONFLICT DO NOTHING");
const INSERT_IGNORE: (&str, &str) = ("INSERT IGNORE", "");

fn applied() -> String {
    format!("SELECT version FROM {TABLE}")
}

// The three functions are similar but share no code: the types of the drivers share no trait, and the locks differ.

/// Checks whose database a file is, without writing to it: not even the journal mode, which is stored in the file.
pub(super) async fn check_sqlite(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    preparation(&sqlite_tables(connection).await?, ON_CONFLICT).map(drop)
}

async fn sqlite_tables(connection: &mut SqliteConnection) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        r"SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name",
    )
    .fetch_all(connection)
    .await
}

/// SQLite runs all migrations in one transaction, so that nothing has to be resumed.
pub(super) async fn sqlite(connection: &mut SqliteConnection) -> Result<i64, MigrateError> {
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await?;
    for statement in preparation(&sqlite_tables(&mut tx).await?, ON_CONFLICT)? {
        tx.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    }
    let applied: Vec<(i64,)> = sqlx::query_as(AssertSqlSafe(applied())).fetch_all(&mut *tx).await?;
    for migration in pending(&applied)? {
        let version = migration.version;
        tx.execute(sqlx::raw_sql(migration.sqlite)).await.map_err(|source| MigrateError::Apply { version, source })?;
        let record = format!("INSERT INTO {TABLE} (version) VALUES (?)");
        sqlx::query(AssertSqlSafe(record)).bind(version).execute(&mut *tx).await?;
        tracing::info!(version, "schema migration applied");
    }
    tx.commit().await?;
    Ok(newest())
}

pub(super) async fn postgres(connection: &mut PgConnection) -> Result<i64, MigrateError> {
    // Usually the schema is up to date: then neither a lock nor the privilege to create tables is needed.
    if let Ok(applied) = sqlx::query_as::<_, (i64,)>(AssertSqlSafe(applied())).fetch_all(&mut *connection).await
        && is_complete(&applied)
    {
        return Ok(newest());
    }
    while let Some(migration) = postgres_until_online(connection).await? {
        let version = migration.version;
        online::postgres(connection, migration.postgres)
            .await
            .map_err(|source| MigrateError::Apply { version, source })?;
        let record = format!("INSERT INTO {TABLE} (version) VALUES ($1) ON CONFLICT DO NOTHING");
        sqlx::query(AssertSqlSafe(record)).bind(version).execute(&mut *connection).await?;
        tracing::info!(version, "schema migration applied");
    }
    Ok(newest())
}

/// Applies pending migrations in one transaction, up to the first one that runs outside of transactions; returns that one.
async fn postgres_until_online(connection: &mut PgConnection) -> Result<Option<&'static Migration>, MigrateError> {
    let mut tx = connection.begin().await?;
    // The lock ends with the transaction: a killed replica releases it, and it works through pgbouncer.
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK_ID).execute(&mut *tx).await?;
    for statement in preparation(&postgres_tables(&mut tx).await?, ON_CONFLICT)? {
        tx.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    }
    let applied: Vec<(i64,)> = sqlx::query_as(AssertSqlSafe(applied())).fetch_all(&mut *tx).await?;
    // A new installation has no rows, and no other replicas.
    let is_new = applied.is_empty();
    for migration in pending(&applied)? {
        let version = migration.version;
        if is_online(version) && !is_new {
            tx.commit().await?;
            return Ok(Some(migration));
        }
        tx.execute(sqlx::raw_sql(migration.postgres))
            .await
            .map_err(|source| MigrateError::Apply { version, source })?;
        let record = format!("INSERT INTO {TABLE} (version) VALUES ($1)");
        sqlx::query(AssertSqlSafe(record)).bind(version).execute(&mut *tx).await?;
        tracing::info!(version, "schema migration applied");
    }
    tx.commit().await?;
    Ok(None)
}

/// The tables of the schema in which tables are created, without those of extensions.
///
/// Fails if ours are in another schema of the search path: they would be found by statements, but migrated tables would be
/// created next to them.
async fn postgres_tables(connection: &mut PgConnection) -> Result<Vec<String>, MigrateError> {
    let current: Option<String> =
        sqlx::query_scalar("SELECT current_schema()::text").fetch_one(&mut *connection).await?;
    let current = current.ok_or(MigrateError::NoSchema)?;
    let all: Vec<(String, String)> = sqlx::query_as(
        "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r', 'p', 'f') \
         AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e') \
         ORDER BY 1, 2",
    )
    .fetch_all(connection)
    .await?;
    let of = |schema: &str| -> Vec<String> {
        all.iter().filter(|(of, _)| of == schema).map(|(_, table)| table.clone()).collect()
    };
    let tables = of(&current);
    if ownership::owner(&tables) == Owner::Nobody {
        let is_ours = |schema: &str| matches!(ownership::owner(&of(schema)), Owner::Ours | Owner::OursInEarlierForm);
        if let Some((found, _)) = all.iter().find(|(schema, _)| *schema != current && is_ours(schema)) {
            return Err(MigrateError::OtherSchema { found: found.clone(), current });
        }
    }
    Ok(tables)
}

/// MySQL commits every DDL statement. The statements can be repeated, and the version is recorded after the last one.
pub(super) async fn mysql(connection: &mut MySqlConnection, collation: &str) -> Result<i64, MigrateError> {
    if let Ok(applied) = sqlx::query_as::<_, (i64,)>(AssertSqlSafe(applied())).fetch_all(&mut *connection).await
        && is_complete(&applied)
    {
        return Ok(newest());
    }
    // The lock ends with the connection: a killed replica releases it.
    let (locked,): (Option<i64>,) =
        sqlx::query_as("SELECT GET_LOCK(?, ?)").bind(LOCK_NAME).bind(LOCK_SECONDS).fetch_one(&mut *connection).await?;
    if locked != Some(1) {
        return Err(MigrateError::Locked);
    }
    let result = mysql_locked(connection, collation).await;
    sqlx::query("DO RELEASE_LOCK(?)").bind(LOCK_NAME).execute(&mut *connection).await?;
    result
}

async fn mysql_locked(connection: &mut MySqlConnection, collation: &str) -> Result<i64, MigrateError> {
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT CAST(table_name AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1",
    )
    .fetch_all(&mut *connection)
    .await?;
    for statement in preparation(&mysql_owned(connection, tables).await?, INSERT_IGNORE)? {
        connection.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    }
    let applied: Vec<(i64,)> = sqlx::query_as(AssertSqlSafe(applied())).fetch_all(&mut *connection).await?;
    for migration in pending(&applied)? {
        let version = migration.version;
        let script = migration.mysql.replace("{collation}", collation);
        let run = if is_online(version) {
            online::mysql(connection, &script).await
        } else {
            connection.execute(sqlx::raw_sql(AssertSqlSafe(script))).await.map(drop)
        };
        run.map_err(|source| MigrateError::Apply { version, source })?;
        let record = format!("INSERT INTO {TABLE} (version) VALUES (?)");
        sqlx::query(AssertSqlSafe(record)).bind(version).execute(&mut *connection).await?;
        tracing::info!(version, "schema migration applied");
    }
    Ok(newest())
}

/// The tables by which the owner is decided: without our table of migrations while it is empty, because the copy of the earlier
/// table's rows may have been interrupted.
async fn mysql_owned(connection: &mut MySqlConnection, mut tables: Vec<String>) -> Result<Vec<String>, MigrateError> {
    if tables.iter().any(|table| table == TABLE) && tables.iter().any(|table| table == EARLIER_MIGRATIONS) {
        let applied: Vec<(i64,)> = sqlx::query_as(AssertSqlSafe(applied())).fetch_all(connection).await?;
        if applied.is_empty() {
            tables.retain(|table| table != TABLE);
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_that_run_online_consist_of_indexes() {
        for migration in MIGRATIONS.iter().filter(|migration| is_online(migration.version)) {
            for script in [migration.postgres, migration.mysql] {
                assert!(online::consists_of_indexes(script), "migration {}: {script}", migration.version);
            }
        }
    }

    fn pending_versions(applied: &[i64]) -> Vec<i64> {
        let applied: Vec<_> = applied.iter().map(|version| (*version,)).collect();
        pending(&applied).unwrap().map(|migration| migration.version).collect()
    }

    #[test]
    fn a_missing_migration_below_the_newest_applied_one_is_pending() {
        let all: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert!(all.is_sorted_by(|a, b| a < b));
        assert_eq!(pending_versions(&[]), all);
        assert_eq!(pending_versions(&all), Vec::<i64>::new());
        assert_eq!(pending_versions(&all[1..]), [1]);
        assert!(matches!(pending(&[(99,)]), Err(MigrateError::TooNew { found: 99, .. })));
    }
}
