//! Migrations that only build indexes, which run while the replicas of the previous version go on writing.
//!
//! PostgreSQL builds an index `CONCURRENTLY`: outside a transaction, so that each index is a step of its own. A build that was
//! interrupted leaves an index that is not valid; it is dropped and built again. MySQL and MariaDB build in place without a
//! lock, and remove what they had built of an interrupted one by themselves. SQLite cannot: its one writer waits.
//!
//! Replicas that start at the same time need no lock of ours, which a connection pooler could lose, or which the build
//! would wait for: two builds on one table exclude each other in PostgreSQL itself. If these wait for each other, one ends and
//! looks again.

use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection};

/// Migrations whose scripts for PostgreSQL and MySQL consist of `CREATE INDEX` statements.
const ONLINE: [i64; 1] = [14];

/// The numbers of the errors of MySQL and MariaDB for an `ALGORITHM` or `LOCK` that an operation does not support.
const NOT_SUPPORTED: [u16; 2] = [1845, 1846];

pub(super) fn is_online(version: i64) -> bool {
    ONLINE.contains(&version)
}

/// A `CREATE INDEX` statement of a script.
#[derive(Debug, PartialEq, Eq)]
struct Index<'a> {
    name: &'a str,
    table: &'a str,
    /// The statement from the table on.
    definition: &'a str,
}

/// The indexes of a script; a statement that creates none is left out, which a test excludes.
fn indexes(script: &str) -> Vec<Index<'_>> {
    script.split(';').filter_map(index).collect()
}

fn index(statement: &str) -> Option<Index<'_>> {
    let start = statement.find("CREATE INDEX ")?;
    let rest = statement.get(start..)?.strip_prefix("CREATE INDEX ")?;
    let rest = rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest);
    let (name, definition) = rest.split_once(" ON ")?;
    let (table, _) = definition.split_once(' ')?;
    Some(Index { name, table, definition })
}

/// Builds the indexes of a script that PostgreSQL does not have yet.
pub(super) async fn postgres(connection: &mut PgConnection, script: &str) -> Result<(), sqlx::Error> {
    for index in indexes(script) {
        while let Some(step) = next_step(connection, &index).await? {
            let done = match step {
                Step::Create => create(connection, &index).await,
                Step::Drop => drop_unless_it_is_built(connection, &index).await,
            };
            match done {
                // Two builds that start at the same moment may wait for each other's snapshot. The other one goes on.
                Err(error) if is_deadlock(&error) => {
                    tracing::info!(index = index.name, "another replica is building the index");
                }
                done => done?,
            }
        }
    }
    Ok(())
}

/// What brings an index closer to being valid.
enum Step {
    Create,
    Drop,
}

async fn next_step(connection: &mut PgConnection, index: &Index<'_>) -> Result<Option<Step>, sqlx::Error> {
    Ok(match is_valid(connection, index.name).await? {
        Some(true) => None,
        Some(false) => Some(Step::Drop),
        None => Some(Step::Create),
    })
}

async fn create(connection: &mut PgConnection, Index { name, definition, .. }: &Index<'_>) -> Result<(), sqlx::Error> {
    tracing::info!(index = *name, "building an index; writes go on");
    let create = format!("CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {definition}");
    connection.execute(sqlx::raw_sql(AssertSqlSafe(create))).await.map(drop)
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "40P01")
}

/// Whether an index is valid; `None` if it does not exist.
async fn is_valid(connection: &mut PgConnection, name: &str) -> Result<Option<bool>, sqlx::Error> {
    sqlx::query_scalar("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)")
        .bind(name)
        .fetch_optional(connection)
        .await
}

/// Drops an index that an interrupted build has left; one that another replica is building is waited for.
async fn drop_unless_it_is_built(connection: &mut PgConnection, index: &Index<'_>) -> Result<(), sqlx::Error> {
    let Index { name, table, .. } = index;
    let mut tx = connection.begin().await?;
    // A build holds this lock until its end, whatever the number of its transactions.
    let wait = format!("LOCK TABLE {table} IN SHARE UPDATE EXCLUSIVE MODE");
    tx.execute(sqlx::raw_sql(AssertSqlSafe(wait))).await?;
    if is_valid(&mut tx, name).await? == Some(false) {
        tracing::warn!(index = *name, "an interrupted build has left an incomplete index; building it again");
        tx.execute(sqlx::raw_sql(AssertSqlSafe(format!("DROP INDEX {name}")))).await?;
    }
    tx.commit().await
}

/// Builds the indexes of a script that MySQL or MariaDB does not have yet.
pub(super) async fn mysql(connection: &mut MySqlConnection, script: &str) -> Result<(), sqlx::Error> {
    for Index { name, table, definition } in indexes(script) {
        let (exists,): (i64,) = sqlx::query_as(
            "SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ? AND index_name = ?",
        )
        .bind(table)
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
        if exists > 0 {
            continue;
        }
        let create = format!("CREATE INDEX {name} ON {definition}");
        let online = format!("{create} ALGORITHM=INPLACE LOCK=NONE");
        match connection.execute(sqlx::raw_sql(AssertSqlSafe(online))).await {
            Err(error) if is_not_supported(&error) => {
                tracing::warn!(index = name, error = %error, "the database cannot build this index while others write; writes wait");
                connection.execute(sqlx::raw_sql(AssertSqlSafe(create))).await?;
            }
            built => {
                built?;
            }
        }
    }
    Ok(())
}

fn is_not_supported(error: &sqlx::Error) -> bool {
    let error = error.as_database_error().and_then(|error| error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>());
    error.is_some_and(|error| NOT_SUPPORTED.contains(&error.number()))
}

/// Whether every statement of a script creates an index.
#[cfg(test)]
pub(super) fn consists_of_indexes(script: &str) -> bool {
    let statements: Vec<&str> = script
        .split(';')
        .filter(|statement| statement.lines().any(|line| !line.trim().is_empty() && !line.starts_with("--")))
        .collect();
    !statements.is_empty() && statements.into_iter().all(|statement| index(statement).is_some())
}

#[cfg(test)]
mod tests;
