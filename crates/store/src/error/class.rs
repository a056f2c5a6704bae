//! Meaning of the errors of the three databases, and what they say about the connection on which they occurred.

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;
use sqlx::sqlite::SqliteError;

use super::{StorageProblem, UniqueField};

/// Whether the same statement may succeed later: the database was unreachable, busy, full or shutting down.
pub(crate) fn is_temporary(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => matches!(
            classify(error.as_ref()),
            Class::Retry | Class::Unavailable | Class::ServerEnds | Class::Interrupted | Class::Storage(_)
        ),
        _ => true,
    }
}

/// The state of the connection after an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// The server rejected a statement. The connection can be used again after a rollback.
    Usable,
    /// The state of the connection and of its transaction is unknown.
    Unknown,
    /// As `Unknown`; the other connections to this server probably are in the same state.
    ServerLost,
    /// The database cannot store anything. SQLite may or may not have rolled the transaction back.
    Storage(StorageProblem),
}

pub(crate) fn aftermath(error: &sqlx::Error) -> Aftermath {
    match error {
        sqlx::Error::Database(error) => match classify(error.as_ref()) {
            Class::PrimaryKey
            | Class::Unique(_)
            | Class::Retry
            | Class::TooLarge
            | Class::Unavailable
            | Class::Interrupted
            | Class::Other => Aftermath::Usable,
            Class::ServerEnds => Aftermath::ServerLost,
            Class::Storage(problem) => Aftermath::Storage(problem),
            Class::Broken => Aftermath::Unknown,
        },
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Aftermath::ServerLost
        }
        // The response was complete and was not understood, or has no rows.
        sqlx::Error::RowNotFound
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Decode(_)
        | sqlx::Error::Encode(_)
        | sqlx::Error::TypeNotFound { .. } => Aftermath::Usable,
        _ => Aftermath::Unknown,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    PrimaryKey,
    Unique(UniqueField),
    Retry,
    Unavailable,
    /// The server shuts down, has crashed or has ended this connection.
    ServerEnds,
    /// The statement was cancelled, by an administrator or a time limit of the server.
    Interrupted,
    Storage(StorageProblem),
    TooLarge,
    /// A defect of the database or its file.
    Broken,
    /// A rejected statement: a defect of this program.
    Other,
}

pub(super) fn classify(error: &dyn DatabaseError) -> Class {
    let code = error.code().unwrap_or_default();
    if error.is_unique_violation() {
        return violated_key(&code, error.constraint(), error.message());
    }
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // The code is an SQLSTATE; the numbers are more specific.
        return mysql(error.number(), error.message());
    }
    if error.try_downcast_ref::<SqliteError>().is_some() {
        return sqlite(code.parse().unwrap_or(0));
    }
    postgres(&code, error.message())
}

fn mysql(number: u16, message: &str) -> Class {
    match number {
        // Deadlock, lock wait timeout, changed since the snapshot was taken (MariaDB).
        1213 | 1205 | 1020 => Class::Retry,
        // Too many connections of the server, of this user; no thread for a connection.
        1040 | 1203 | 1226 | 1135 => Class::Unavailable,
        // Shutdown in progress, connection killed, aborted, not allowed by the server's state (MariaDB, Galera: 1047).
        1053 | 1927 | 1152 | 1184 | 1047 => Class::ServerEnds,
        // Query killed; time limits of MariaDB and MySQL.
        1317 | 1969 | 3024 => Class::Interrupted,
        // Disk full, table full, disk quota of a tablespace.
        1021 | 1114 => Class::Storage(StorageProblem::Full),
        // An option prevents the statement (`--read-only`), read-only transaction, read-only mode.
        1290 | 1792 | 1836 => Class::Storage(StorageProblem::ReadOnly),
        1037 | 1038 | 1041 | 1257 => Class::Storage(StorageProblem::OutOfMemory),
        // Errors of files and storage engines: the number of the operating system is a part of the message.
        3 | 11 | 14 | 20 | 1002..=1005 | 1016 | 1023 | 1024 | 1026 | 1030 | 1180 | 1181 => match errno_of(message) {
            // No space left on device, quota exceeded; HA_ERR_RECORD_FILE_FULL.
            Some(28 | 122 | 135) => Class::Storage(StorageProblem::Full),
            Some(30) => Class::Storage(StorageProblem::ReadOnly),
            Some(5) => Class::Storage(StorageProblem::InputOutput),
            Some(12) => Class::Storage(StorageProblem::OutOfMemory),
            _ => Class::Other,
        },
        // Packet too large.
        1153 => Class::TooLarge,
        _ => Class::Other,
    }
}

/// The number in `Error writing file './x' (Errcode: 28 "No space left on device")` or `Got error 28 from storage engine`.
fn errno_of(message: &str) -> Option<i32> {
    let (_, rest) = ["rrcode: ", "rrno: ", "ot error "].iter().find_map(|words| message.split_once(words))?;
    let rest = rest.trim_start_matches('"');
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest[..digits].parse().ok()
}

fn sqlite(extended: i32) -> Class {
    match extended & 0xff {
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => Class::Retry,
        // SQLITE_NOMEM
        7 => Class::Storage(StorageProblem::OutOfMemory),
        // SQLITE_READONLY
        8 => Class::Storage(StorageProblem::ReadOnly),
        // SQLITE_INTERRUPT
        9 => Class::Interrupted,
        // SQLITE_IOERR_SHMSIZE: the shared memory of the write-ahead log could not grow, because the disk is full.
        10 if extended == 4874 => Class::Storage(StorageProblem::Full),
        // SQLITE_IOERR
        10 => Class::Storage(StorageProblem::InputOutput),
        // SQLITE_FULL
        13 => Class::Storage(StorageProblem::Full),
        // SQLITE_CANTOPEN
        14 => Class::ServerEnds,
        // SQLITE_ERROR, NOTFOUND, TOOBIG, CONSTRAINT, MISMATCH, RANGE: about the statement. Others, such as a corrupt file, leave
        // open in which state the connection is.
        1 | 12 | 18 | 19 | 20 | 25 => Class::Other,
        _ => Class::Broken,
    }
}

fn postgres(code: &str, message: &str) -> Class {
    match code {
        // Whatever the part of the server that could not write: it has codes for some only.
        _ if message.contains("No space left on device") => Class::Storage(StorageProblem::Full),
        "40001" | "40P01" | "55P03" => Class::Retry,
        "57014" => Class::Interrupted,
        "53100" => Class::Storage(StorageProblem::Full),
        "53200" => Class::Storage(StorageProblem::OutOfMemory),
        // Read-only transaction, such as on a standby.
        "25006" => Class::Storage(StorageProblem::ReadOnly),
        // The transaction or the session was idle for too long, and the server has ended the connection.
        "25P03" | "57P05" => Class::ServerEnds,
        _ if code.starts_with("58") => Class::Storage(StorageProblem::InputOutput),
        _ if code.starts_with("08") || code.starts_with("57P") => Class::ServerEnds,
        _ if code.starts_with("53") => Class::Unavailable,
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
    use super::*;

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

    #[test]
    fn storage_that_cannot_be_written_is_recognised_in_every_dialect() {
        let full = Class::Storage(StorageProblem::Full);
        let read_only = Class::Storage(StorageProblem::ReadOnly);
        let out_of_memory = Class::Storage(StorageProblem::OutOfMemory);
        let input_output = Class::Storage(StorageProblem::InputOutput);
        for (class, expected) in [
            (postgres("53100", ""), full),
            (postgres("XX000", "could not write to file \"pg_wal/xlogtemp.7\": No space left on device"), full),
            (postgres("53200", ""), out_of_memory),
            (postgres("25006", ""), read_only),
            (postgres("58030", ""), input_output),
            (sqlite(13), full),
            (sqlite(4874), full),
            (sqlite(778), input_output),
            (sqlite(7), out_of_memory),
            // SQLITE_READONLY_DBMOVED
            (sqlite(1032), read_only),
            (mysql(1021, ""), full),
            (mysql(1114, "The table 'resource' is full"), full),
            (mysql(3, "Error writing file './x' (Errcode: 28 \"No space left on device\")"), full),
            (mysql(1030, "Got error 28 \"No space left on device\" from storage engine InnoDB"), full),
            (mysql(1180, "Got error 122 during COMMIT"), full),
            (mysql(1026, "Error writing file './x' (errno: 5 \"Input/output error\")"), input_output),
            (mysql(1290, "The MariaDB server is running with the --read-only option"), read_only),
            (mysql(1836, "Running in read-only mode"), read_only),
        ] {
            assert_eq!(class, expected);
        }
        assert_eq!(mysql(1030, "Got error 1 from storage engine"), Class::Other);
    }
}
