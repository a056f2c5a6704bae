//! Errors of the store, by meaning.

use model_registry_base::PageTokenProblem;
use model_registry_filter::FilterError;

mod class;

pub(crate) use class::{Aftermath, aftermath, is_temporary};
use class::{Class, classify};

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The unique value that an insert or update conflicts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueField {
    Name,
    ExternalId,
    IdempotencyKey,
}

/// Why a database that is reachable stores nothing. It ends without a restart when an operator has removed the cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StorageProblem {
    #[error("the disk of the database is full: nothing was stored; free or add space, then repeat the request")]
    Full,
    #[error(
        "the database is read-only, such as a standby: nothing was stored; connect to the primary server, or make this one \
         writable"
    )]
    ReadOnly,
    #[error("the database is out of memory: nothing was stored; repeat the request later")]
    OutOfMemory,
    #[error(
        "the disk of the database reports errors: nothing was stored; its log and that of the system have the cause"
    )]
    InputOutput,
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
    /// The list cannot be ordered by this field or property.
    #[error("invalid orderBy `{order_by}`: {reason}")]
    OrderBy { order_by: String, reason: String },
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
    /// The database is reachable but cannot store anything.
    #[error("{problem}")]
    Storage { problem: StorageProblem, source: sqlx::Error },
    /// The memory budget has no room for large documents at the moment.
    #[error("the memory for large documents is in use (limits.memory): try again shortly")]
    NoMemory,
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
                Class::Unavailable | Class::ServerEnds | Class::Interrupted => Self::Unavailable(error),
                Class::Storage(problem) => Self::Storage { problem, source: error },
                Class::TooLarge => Self::TooLarge(error),
                Class::Broken | Class::Other => Self::Database(error),
            },
            _ => Self::Database(error),
        }
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
}
