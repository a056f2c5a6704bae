//! Applies the embedded migrations: in order, one replica at a time, resumable after a crash.
//!
//! `schema_migrations(version, dirty)` has a row per applied migration, in the form of common migration tools. Migrations that
//! are not in it are applied, also those below the newest: two may have been developed at the same time.

use sqlx::{AssertSqlSafe, Executor, MySqlPool, PgPool, SqlitePool};

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
}

impl MigrateError {
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::Locked => true,
            Self::Apply { source, .. } | Self::Version(source) => is_temporary(source),
            Self::TooNew { .. } => false,
        }
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

const CREATE: &str =
    "CREATE TABLE IF NOT EXISTS schema_migrations (version BIGINT NOT NULL PRIMARY KEY, dirty BOOLEAN NOT NULL)";
const APPLIED: &str = "SELECT version FROM schema_migrations";

// The three functions are similar but share no code: the types of the drivers share no trait, and the locks differ.

/// SQLite and PostgreSQL run all migrations in one transaction, so that nothing has to be resumed.
pub(super) async fn sqlite(pool: &SqlitePool) -> Result<i64, MigrateError> {
    let mut tx = pool.begin_with("BEGIN IMMEDIATE").await.map_err(MigrateError::Version)?;
    tx.execute(CREATE).await.map_err(MigrateError::Version)?;
    let applied: Vec<(i64,)> = sqlx::query_as(APPLIED).fetch_all(&mut *tx).await.map_err(MigrateError::Version)?;
    for migration in pending(&applied)? {
        let version = migration.version;
        tx.execute(sqlx::raw_sql(migration.sqlite)).await.map_err(|source| MigrateError::Apply { version, source })?;
        sqlx::query("INSERT INTO schema_migrations (version, dirty) VALUES (?, FALSE)")
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(MigrateError::Version)?;
        tracing::info!(version, "schema migration applied");
    }
    tx.commit().await.map_err(MigrateError::Version)?;
    Ok(newest())
}

pub(super) async fn postgres(pool: &PgPool) -> Result<i64, MigrateError> {
    // Usually the schema is up to date: then neither a lock nor the privilege to create tables is needed.
    if let Ok(applied) = sqlx::query_as::<_, (i64,)>(APPLIED).fetch_all(pool).await
        && is_complete(&applied)
    {
        return Ok(newest());
    }
    let mut tx = pool.begin().await.map_err(MigrateError::Version)?;
    // The lock ends with the transaction: a killed replica releases it, and it works through pgbouncer.
    sqlx::query("SELECT pg_advisory_xact_lock($1)")
        .bind(LOCK_ID)
        .execute(&mut *tx)
        .await
        .map_err(MigrateError::Version)?;
    tx.execute(CREATE).await.map_err(MigrateError::Version)?;
    let applied: Vec<(i64,)> = sqlx::query_as(APPLIED).fetch_all(&mut *tx).await.map_err(MigrateError::Version)?;
    for migration in pending(&applied)? {
        let version = migration.version;
        tx.execute(sqlx::raw_sql(migration.postgres))
            .await
            .map_err(|source| MigrateError::Apply { version, source })?;
        sqlx::query("INSERT INTO schema_migrations (version, dirty) VALUES ($1, FALSE)")
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(MigrateError::Version)?;
        tracing::info!(version, "schema migration applied");
    }
    tx.commit().await.map_err(MigrateError::Version)?;
    Ok(newest())
}

/// MySQL commits every DDL statement. The statements can be repeated, and the version is recorded after the last one.
pub(super) async fn mysql(pool: &MySqlPool, collation: &str) -> Result<i64, MigrateError> {
    if let Ok(applied) = sqlx::query_as::<_, (i64,)>(APPLIED).fetch_all(pool).await
        && is_complete(&applied)
    {
        return Ok(newest());
    }
    let mut connection = pool.acquire().await.map_err(MigrateError::Version)?;
    // The lock ends with the connection: a killed replica releases it.
    let (locked,): (Option<i64>,) = sqlx::query_as("SELECT GET_LOCK(?, ?)")
        .bind(LOCK_NAME)
        .bind(LOCK_SECONDS)
        .fetch_one(&mut *connection)
        .await
        .map_err(MigrateError::Version)?;
    if locked != Some(1) {
        return Err(MigrateError::Locked);
    }
    connection.execute(CREATE).await.map_err(MigrateError::Version)?;
    let applied: Vec<(i64,)> =
        sqlx::query_as(APPLIED).fetch_all(&mut *connection).await.map_err(MigrateError::Version)?;
    for migration in pending(&applied)? {
        let version = migration.version;
        let script = migration.mysql.replace("{collation}", collation);
        connection
            .execute(sqlx::raw_sql(AssertSqlSafe(script)))
            .await
            .map_err(|source| MigrateError::Apply { version, source })?;
        sqlx::query("INSERT INTO schema_migrations (version, dirty) VALUES (?, FALSE)")
            .bind(version)
            .execute(&mut *connection)
            .await
            .map_err(MigrateError::Version)?;
        tracing::info!(version, "schema migration applied");
    }
    sqlx::query("DO RELEASE_LOCK(?)").bind(LOCK_NAME).execute(&mut *connection).await.map_err(MigrateError::Version)?;
    Ok(newest())
}

#[cfg(test)]
mod tests {
    use super::*;

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
