//! What the connection pool needs to know about each database: how a session is opened, and which sessions a server works for.

use std::collections::HashSet;
use std::future::Future;

use sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, MySql, Postgres, Row, Sqlite, raw_sql};

/// What a server says about itself and a session when the session begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Session {
    /// The number of the session on its server: a process id of PostgreSQL, a connection id of MySQL.
    pub(super) id: i64,
    /// Distinguishes the servers that an address may lead to, and a server from itself before a restart.
    pub(super) server: String,
    /// Whether the server was read-only, such as a standby.
    pub(super) is_read_only: bool,
}

/// The sessions of this user for which a server runs a statement.
pub(super) struct BusySessions {
    pub(super) server: String,
    pub(super) ids: HashSet<i64>,
}

/// A database that connections are pooled for.
pub(super) trait Driver: sqlx::Database {
    type Options: ConnectOptions<Connection = Self::Connection> + Clone + Sync;

    /// Whether the connections lead to a server, over a network that may fail.
    const IS_SERVER: bool;

    /// Sets up a new connection, in one round trip.
    fn begin_session(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<Session, sqlx::Error>> + Send + '_;

    /// Runs a statement without result.
    fn run<'a>(
        connection: &'a mut Self::Connection,
        statement: &'static str,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send + 'a;

    /// Ends a session of this user, so that its transaction is rolled back.
    fn end_session(
        connection: &mut Self::Connection,
        id: i64,
    ) -> impl Future<Output = Result<(), sqlx::Error>> + Send + '_;

    /// The sessions that the server works for at the moment.
    fn busy_sessions(
        connection: &mut Self::Connection,
    ) -> impl Future<Output = Result<BusySessions, sqlx::Error>> + Send + '_;
}

impl Driver for Sqlite {
    type Options = SqliteConnectOptions;

    const IS_SERVER: bool = false;

    async fn begin_session(_: &mut SqliteConnection) -> Result<Session, sqlx::Error> {
        // Everything is set by the options of the connection.
        Ok(Session::default())
    }

    async fn run(connection: &mut SqliteConnection, statement: &'static str) -> Result<(), sqlx::Error> {
        connection.execute(statement).await.map(drop)
    }

    async fn end_session(_: &mut SqliteConnection, _: i64) -> Result<(), sqlx::Error> {
        Ok(())
    }

    async fn busy_sessions(_: &mut SqliteConnection) -> Result<BusySessions, sqlx::Error> {
        Ok(BusySessions { server: String::new(), ids: HashSet::new() })
    }
}

/// Identifies a PostgreSQL server.
const POSTGRES_SERVER: &str = "concat_ws(' ', inet_server_addr(), inet_server_port(), pg_postmaster_start_time())";

impl Driver for Postgres {
    type Options = PgConnectOptions;

    const IS_SERVER: bool = true;

    /// * JIT compilation of a large filter takes seconds, running it milliseconds.
    /// * With the default cost of a random read, which is that of a rotating disk, the planner prefers the primary key in the
    ///   order of the ids to the index that has the kind first, and reads all rows of the kinds that were stored before.
    /// * A replica that vanished would keep its locks, and block the assignment of sequence numbers: the server ends its
    ///   transaction after a minute, and earlier if the network does not confirm what the server sends.
    async fn begin_session(connection: &mut PgConnection) -> Result<Session, sqlx::Error> {
        let statement = format!(
            "SET jit = off; SET random_page_cost = 1.1; SET idle_in_transaction_session_timeout = '60s'; \
             SET tcp_user_timeout = '15s'; SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 5; \
             SELECT pg_backend_pid()::bigint, current_setting('transaction_read_only') = 'on', {POSTGRES_SERVER}"
        );
        // All rows, so that no response is left to be read.
        let rows = raw_sql(AssertSqlSafe(statement)).fetch_all(connection).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Session { id: row.try_get(0)?, is_read_only: row.try_get(1)?, server: row.try_get(2)? })
    }

    async fn run(connection: &mut PgConnection, statement: &'static str) -> Result<(), sqlx::Error> {
        connection.execute(raw_sql(statement)).await.map(drop)
    }

    async fn end_session(connection: &mut PgConnection, id: i64) -> Result<(), sqlx::Error> {
        let statement = format!("SELECT pg_terminate_backend({id})");
        connection.execute(raw_sql(AssertSqlSafe(statement))).await.map(drop)
    }

    async fn busy_sessions(connection: &mut PgConnection) -> Result<BusySessions, sqlx::Error> {
        let statement = format!(
            "SELECT pid::bigint, {POSTGRES_SERVER} FROM pg_stat_activity \
             WHERE state IN ('active', 'fastpath function call') AND usename = current_user"
        );
        let rows = raw_sql(AssertSqlSafe(statement)).fetch_all(connection).await?;
        busy_sessions(&rows)
    }
}

/// 1 if the server rejects the writes of ordinary users. The variable is a number or, in newer versions of MariaDB, a word.
pub(super) const MYSQL_READ_ONLY: &str = "CAST(CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF') AS SIGNED)";

/// Identifies a MySQL or MariaDB server; not a restart, which ends its connections.
const MYSQL_SERVER: &str = "CONCAT_WS(' ', @@global.hostname, @@global.port, @@global.server_id)";

impl Driver for MySql {
    type Options = MySqlConnectOptions;

    const IS_SERVER: bool = true;

    /// * REPEATABLE READ locks gaps and deadlocks.
    /// * Without strict mode, strings that are too long are truncated silently.
    /// * Sorting compares the first bytes of strings, 1,024 by default. The longest strings that lists are ordered by are names:
    ///   255 characters twice, of up to four bytes each.
    async fn begin_session(connection: &mut MySqlConnection) -> Result<Session, sqlx::Error> {
        let statement = format!(
            "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
             SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'); \
             SET SESSION max_sort_length = 2048; \
             SELECT CAST(CONNECTION_ID() AS SIGNED), {MYSQL_READ_ONLY}, CAST({MYSQL_SERVER} AS CHAR)"
        );
        // All rows, so that no response is left to be read.
        let rows = raw_sql(AssertSqlSafe(statement)).fetch_all(connection).await?;
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Session { id: row.try_get(0)?, is_read_only: row.try_get::<i64, _>(1)? != 0, server: row.try_get(2)? })
    }

    async fn run(connection: &mut MySqlConnection, statement: &'static str) -> Result<(), sqlx::Error> {
        connection.execute(raw_sql(statement)).await.map(drop)
    }

    async fn end_session(connection: &mut MySqlConnection, id: i64) -> Result<(), sqlx::Error> {
        connection.execute(raw_sql(AssertSqlSafe(format!("KILL {id}")))).await.map(drop)
    }

    async fn busy_sessions(connection: &mut MySqlConnection) -> Result<BusySessions, sqlx::Error> {
        let statement = format!(
            "SELECT CAST(ID AS SIGNED), CAST({MYSQL_SERVER} AS CHAR) FROM information_schema.PROCESSLIST \
             WHERE COMMAND NOT IN ('Sleep', 'Daemon')"
        );
        let rows = raw_sql(AssertSqlSafe(statement)).fetch_all(connection).await?;
        busy_sessions(&rows)
    }
}

/// There is at least one row: the session that runs the query.
fn busy_sessions<R: Row>(rows: &[R]) -> Result<BusySessions, sqlx::Error>
where
    usize: sqlx::ColumnIndex<R>,
    i64: for<'r> sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
    String: for<'r> sqlx::Decode<'r, R::Database> + sqlx::Type<R::Database>,
{
    let server = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(1)?;
    let ids = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    Ok(BusySessions { server, ids })
}
