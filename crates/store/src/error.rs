//! Errors of the store, by meaning.

use model_registry_base::PageTokenProblem;
use model_registry_filter::FilterError;

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The unique value that an insert or update conflicts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueField {
    Name,
    ExternalId,
    IdempotencyKey,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another entity has the same value.
    #[error("the {0:?} is already in use")]
    Conflict(UniqueField),
    /// The filter is invalid.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The page token was not made by this server for this list.
    #[error("invalid nextPageToken: {0}")]
    PageToken(#[from] PageTokenProblem),
    /// The statement lost against a concurrent one (deadlock, serialisation, lock timeout) and may be repeated.
    #[error("the transaction lost against concurrent ones and has to be repeated")]
    Retry(#[source] sqlx::Error),
    /// A row with this primary key exists: a concurrent transaction has inserted it, or it was not looked up before.
    #[error("a row with this primary key already exists")]
    DuplicateKey(#[source] sqlx::Error),
    /// The database is not reachable, or it is shutting down or overloaded.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// The entity exceeds what the database accepts in one statement.
    #[error(
        "the entity is larger than the database accepts: send less, or raise the database's limit (`max_allowed_packet` \
         of MySQL and MariaDB)"
    )]
    TooLarge(#[source] sqlx::Error),
    /// A stored row is not in the form that this program writes.
    #[error("row {id} of table `{table}` is corrupt: {reason}")]
    Corrupt { table: &'static str, id: i64, reason: String },
    /// Any other error of the database: a defect of this program or of the database.
    #[error("database error")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error),
            sqlx::Error::Database(database) => match classify(database.as_ref()) {
                Class::PrimaryKey => Self::DuplicateKey(error),
                Class::Unique(field) => Self::Conflict(field),
                Class::Retry => Self::Retry(error),
                Class::Unavailable => Self::Unavailable(error),
                Class::TooLarge => Self::TooLarge(error),
                Class::Other => Self::Database(error),
            },
            _ => Self::Database(error),
        }
    }
}

/// Whether the same statement may succeed later: the database was unreachable, busy or shutting down.
pub(crate) fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => matches!(classify(error.as_ref()), Class::Retry | Class::Unavailable),
        _ => true,
    }
}

enum Class {
    PrimaryKey,
    Unique(UniqueField),
    Retry,
    Unavailable,
    TooLarge,
    Other,
}

fn classify(error: &dyn sqlx::error::DatabaseError) -> Class {
    let code = error.code().unwrap_or_default();
    if error.is_unique_violation() {
        return violated_key(&code, error.constraint(), error.message());
    }
    // The code of MySQL is an SQLSTATE; its own error numbers are more specific.
    let number =
        error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(sqlx::mysql::MySqlDatabaseError::number);
    match number {
        // Deadlock, lock wait timeout, changed since the snapshot was taken (MariaDB).
        Some(1213 | 1205 | 1020) => return Class::Retry,
        // Too many connections, shutdown in progress, read-only server, connection killed.
        Some(1040 | 1053 | 1290 | 1792 | 1836 | 1927) => return Class::Unavailable,
        // Packet too large.
        Some(1153) => return Class::TooLarge,
        Some(_) => return Class::Other,
        None => {}
    }
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        let primary = code.parse::<i32>().unwrap_or(0) & 0xff;
        return match primary {
            // SQLITE_BUSY, SQLITE_LOCKED
            5 | 6 => Class::Retry,
            // SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN, SQLITE_READONLY
            10 | 13 | 14 | 8 => Class::Unavailable,
            _ => Class::Other,
        };
    }
    match code.as_ref() {
        "40001" | "40P01" | "55P03" => Class::Retry,
        // Statement timeouts and recovery or standby conflicts count as an unavailable database.
        "57014" | "25006" => Class::Unavailable,
        _ if ["08", "53", "57P", "58"].iter().any(|prefix| code.starts_with(prefix)) => Class::Unavailable,
        _ => Class::Other,
    }
}

/// SQLite's extended result code `SQLITE_CONSTRAINT_PRIMARYKEY`.
const SQLITE_PRIMARY_KEY: &str = "1555";

/// Classifies a violated unique key by its name. PostgreSQL reports the constraint; MySQL and MariaDB name the key at the end
/// of the message, a primary key as `PRIMARY` or `table.PRIMARY`; SQLite lists the columns.
fn violated_key(code: &str, constraint: Option<&str>, message: &str) -> Class {
    let key = constraint.unwrap_or_else(|| message.rsplit_once("for key").map_or(message, |(_, key)| key));
    let is_primary =
        code == SQLITE_PRIMARY_KEY || key.ends_with("_pkey") || key.trim_matches([' ', '\'']).ends_with("PRIMARY");
    if is_primary {
        Class::PrimaryKey
    } else if key.contains("external_id") {
        Class::Unique(UniqueField::ExternalId)
    } else if key.contains("_name") || key.contains(".name") {
        Class::Unique(UniqueField::Name)
    } else {
        Class::Other
    }
}

#[cfg(test)]
mod tests {
    use model_registry_testkit::{Backend, on_each_database};
    use sea_query::Query;

    use super::*;
    use crate::test_support::TestStore;

    on_each_database!(a_duplicate_primary_key_is_recognised);

    async fn a_duplicate_primary_key_is_recognised(backend: Backend) {
        let store = TestStore::new(backend).await;
        let mut insert = Query::insert();
        insert.into_table("lease").columns(["name", "holder", "fence", "expire_time"]).values_panic([
            "work".into(),
            "me".into(),
            1_i64.into(),
            0_i64.into(),
        ]);
        let mut tx = store.database().unwrap().begin().await.unwrap();
        tx.execute(&insert).await.unwrap();
        let error = tx.execute(&insert).await.unwrap_err();
        assert!(matches!(error, StoreError::DuplicateKey(_)), "{error:?}");
    }

    fn field(code: &str, constraint: Option<&str>, message: &str) -> Option<UniqueField> {
        match violated_key(code, constraint, message) {
            Class::Unique(field) => Some(field),
            _ => None,
        }
    }

    #[test]
    fn the_violated_unique_key_is_recognised_in_every_dialect() {
        let sqlite =
            "UNIQUE constraint failed: resource.workspace_id, resource.kind, resource.parent_id, resource.name";
        assert_eq!(field("2067", None, sqlite), Some(UniqueField::Name));
        let sqlite = "UNIQUE constraint failed: artifact.workspace_id, artifact.external_id";
        assert_eq!(field("2067", None, sqlite), Some(UniqueField::ExternalId));
        assert_eq!(field("23505", Some("resource_external_id"), ""), Some(UniqueField::ExternalId));
        let mysql = "Duplicate entry '1-1-0-external_id' for key 'resource.resource_name'";
        assert_eq!(field("23000", None, mysql), Some(UniqueField::Name));
        let mariadb = "Duplicate entry '1-1-x for key' for key 'resource_external_id'";
        assert_eq!(field("23000", None, mariadb), Some(UniqueField::ExternalId));
    }

    #[test]
    fn a_violated_primary_key_is_not_taken_for_a_name() {
        let is_primary =
            |code, constraint, message| matches!(violated_key(code, constraint, message), Class::PrimaryKey);
        assert!(is_primary("1555", None, "UNIQUE constraint failed: lease.name"));
        assert!(is_primary("23505", Some("lease_pkey"), ""));
        assert!(is_primary("23000", None, "Duplicate entry 'catalog' for key 'PRIMARY'"));
        assert!(is_primary("23000", None, "Duplicate entry 'catalog' for key 'lease.PRIMARY'"));
        assert!(!is_primary("23000", None, "Duplicate entry 'PRIMARY' for key 'resource_name'"));
    }
}
