//! What can go wrong in the store, by meaning.

use model_registry_filter::FilterError;

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The unique value that an insert or update collided with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueField {
    Name,
    ExternalId,
    IdempotencyKey,
}

/// A failure of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another entity has the value already.
    #[error("the {0:?} is taken")]
    Conflict(UniqueField),
    /// The filter cannot be read or compared.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The page token was not made by this server for this list.
    #[error("invalid nextPageToken: {0}")]
    PageToken(&'static str),
    /// The statement lost against a concurrent one and may be repeated.
    #[error("the transaction has to be repeated")]
    Retry(#[source] sqlx::Error),
    /// The database does not answer.
    #[error("the database is unavailable")]
    Unavailable(#[source] sqlx::Error),
    /// The entity is more than the database takes in one statement.
    #[error(
        "the entity is larger than the database takes: send less, or raise the database's limit (`max_allowed_packet` \
         of MySQL and MariaDB)"
    )]
    TooLarge(#[source] sqlx::Error),
    /// A stored row is not what this program writes.
    #[error("row {id} of table `{table}` is corrupt: {reason}")]
    Corrupt { table: &'static str, id: i64, reason: String },
    /// Anything else that the database refused: a defect of this program or of the database.
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

/// Whether the same statement may succeed later: the database was away, busy or shutting down.
pub(crate) fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => matches!(classify(error.as_ref()), Class::Retry | Class::Unavailable),
        _ => true,
    }
}

enum Class {
    Unique(UniqueField),
    Retry,
    Unavailable,
    TooLarge,
    Other,
}

fn classify(error: &dyn sqlx::error::DatabaseError) -> Class {
    if error.is_unique_violation() {
        return violated(error.constraint(), error.message()).map_or(Class::Other, Class::Unique);
    }
    let code = error.code().unwrap_or_default();
    // MySQL reports SQLSTATE in `code`; its own numbers tell more.
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
        // Statement timeout and recovery or standby conflicts count as the database being away.
        "57014" | "25006" => Class::Unavailable,
        _ if ["08", "53", "57P", "58"].iter().any(|prefix| code.starts_with(prefix)) => Class::Unavailable,
        _ => Class::Other,
    }
}

/// Which of our unique keys a message names: PostgreSQL gives the constraint, MySQL the key at the message's end,
/// SQLite the columns.
fn violated(constraint: Option<&str>, message: &str) -> Option<UniqueField> {
    let key = constraint.unwrap_or_else(|| message.rsplit_once("for key").map_or(message, |(_, key)| key));
    if key.contains("lease") {
        Some(UniqueField::Name)
    } else if key.contains("idempotency") {
        Some(UniqueField::IdempotencyKey)
    } else if key.contains("external_id") {
        Some(UniqueField::ExternalId)
    } else if key.contains("_name") || key.contains(".name") {
        Some(UniqueField::Name)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_violated_key_is_recognised_in_every_dialect() {
        let sqlite =
            "UNIQUE constraint failed: resource.workspace_id, resource.kind, resource.parent_id, resource.name";
        assert_eq!(violated(None, sqlite), Some(UniqueField::Name));
        let sqlite = "UNIQUE constraint failed: artifact.workspace_id, artifact.external_id";
        assert_eq!(violated(None, sqlite), Some(UniqueField::ExternalId));
        assert_eq!(violated(Some("resource_external_id"), ""), Some(UniqueField::ExternalId));
        let mysql = "Duplicate entry '1-1-0-external_id' for key 'resource.resource_name'";
        assert_eq!(violated(None, mysql), Some(UniqueField::Name));
        let mariadb = "Duplicate entry '1-1-x for key' for key 'resource_external_id'";
        assert_eq!(violated(None, mariadb), Some(UniqueField::ExternalId));
        assert_eq!(violated(Some("idempotency_pkey"), ""), Some(UniqueField::IdempotencyKey));
    }
}
