//! Versions with skewed properties, for which the best ways to read a list differ: in the database and in memory.

use std::collections::BTreeMap;

use model_registry_filter::Value;
use model_registry_filter::evaluate::{Entity, Property};
use model_registry_testkit::Backend;
use sea_query::{MysqlQueryBuilder, PostgresQueryBuilder, SelectStatement, SqliteQueryBuilder};
use sqlx::{AssertSqlSafe, Connection, Executor, MySqlConnection, PgConnection, Row, SqliteConnection};

use crate::dialect::Dialect;
use crate::test_support::TestStore;

/// The versions have the ids 1 to this number.
pub(in crate::list) const VERSIONS: i64 = 4_000;

/// A property of the sample: its name, the column of its value, the value and the condition in SQL over the id `i`, and the
/// value in memory.
struct SampleProperty {
    name: &'static str,
    ordinal: i16,
    column: &'static str,
    value: &'static str,
    condition: &'static str,
    in_memory: fn(i64) -> Option<Value>,
}

#[expect(clippy::unnecessary_wraps, reason = "the values of a property are optional")]
fn string(value: &str) -> Option<Value> {
    Some(Value::String(value.to_owned()))
}

/// `{}` is replaced by the operator or function that joins strings.
const PROPERTIES: [SampleProperty; 9] = [
    SampleProperty {
        name: "stage",
        ordinal: 0,
        column: "string_value",
        value: "CASE WHEN i % 10 < 8 THEN 'common' ELSE 'other' END",
        condition: "i % 10 < 9",
        in_memory: |i| match i % 10 {
            0..8 => string("common"),
            8 => string("other"),
            _ => None,
        },
    },
    SampleProperty {
        name: "accuracy",
        ordinal: 0,
        column: "double_value",
        value: "i * 1e0 / 4096",
        condition: "i % 3 <> 0",
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        in_memory: |i| (i % 3 != 0).then_some(Value::Double(i as f64 / 4096.0)),
    },
    SampleProperty {
        name: "batch",
        ordinal: 0,
        column: "int_value",
        value: "i % 8",
        condition: "1 = 1",
        in_memory: |i| Some(Value::Int(i % 8)),
    },
    SampleProperty {
        name: "commit",
        ordinal: 0,
        column: "string_value",
        value: "{'c', i * 7919 % 4001}",
        condition: "1 = 1",
        in_memory: |i| string(&format!("c{}", i * 7919 % 4001)),
    },
    SampleProperty {
        name: "rare",
        ordinal: 0,
        column: "string_value",
        value: "'x'",
        condition: "i > 3995",
        in_memory: |i| if i > 3995 { string("x") } else { None },
    },
    SampleProperty {
        name: "late",
        ordinal: 0,
        column: "int_value",
        value: "i",
        condition: "i > 3800",
        in_memory: |i| (i > 3800).then_some(Value::Int(i)),
    },
    SampleProperty {
        name: "flag",
        ordinal: 0,
        column: "bool_value",
        value: "i % 100 = 0",
        condition: "i % 50 = 0",
        in_memory: |i| (i % 50 == 0).then_some(Value::Bool(i % 100 == 0)),
    },
    SampleProperty {
        name: "tag",
        ordinal: 0,
        column: "string_value",
        value: "'a'",
        condition: "i % 40 = 0",
        in_memory: |i| if i % 40 == 0 { string("a") } else { None },
    },
    // A second value under the same name.
    SampleProperty {
        name: "tag",
        ordinal: 1,
        column: "string_value",
        value: "'b'",
        condition: "i % 60 = 0",
        in_memory: |i| if i % 60 == 0 { string("b") } else { None },
    },
];

pub(in crate::list) fn create_time(id: i64) -> i64 {
    id * 7919 % 4001
}

/// Ten versions each have the same time.
pub(in crate::list) fn update_time(id: i64) -> i64 {
    10_000 + id / 10
}

/// The versions as a filter sees them, in the order of their ids.
pub(in crate::list) fn versions() -> Vec<Entity> {
    versions_to(VERSIONS)
}

/// So many versions.
pub(in crate::list) fn versions_to(count: i64) -> Vec<Entity> {
    let version = |id: i64| Entity {
        columns: BTreeMap::from([
            ("id", Value::Int(id)),
            ("name", Value::String(format!("v{id}"))),
            ("parent_id", Value::Int(0)),
            ("create_time", Value::Int(create_time(id))),
            ("update_time", Value::Int(update_time(id))),
        ]),
        properties: PROPERTIES
            .iter()
            .filter_map(|property| {
                let value = Some((property.in_memory)(id)?);
                Some(Property { name: property.name.to_owned(), custom: true, value })
            })
            .collect(),
    };
    (1..=count).map(version).collect()
}

/// A store with the versions.
pub(in crate::list) async fn sample_store(backend: Backend) -> (TestStore, RawConnection) {
    sample_store_of(backend, VERSIONS).await
}

/// A store with so many versions, up to 100,000.
pub(in crate::list) async fn sample_store_of(backend: Backend, count: i64) -> (TestStore, RawConnection) {
    let store = TestStore::new(backend).await;
    let mut connection = RawConnection::open(backend, store.url()).await;
    let joined = |first: &str, then: &str| match backend {
        Backend::MariaDb | Backend::MySql => format!("CONCAT({first}, {then})"),
        Backend::Sqlite | Backend::Postgres => format!("({first} || {then})"),
    };
    let digits = |alias: &str| {
        let all: Vec<_> = (0..10).map(|digit| format!("SELECT {digit} AS d")).collect();
        format!("({}) AS {alias}", all.join(" UNION ALL "))
    };
    // A table for each digit.
    let tables: Vec<&str> = ["a", "b", "c", "e", "f"].into_iter().take(if count > 10_000 { 5 } else { 4 }).collect();
    let sum: Vec<String> =
        tables.iter().zip(0_u32..).map(|(table, power)| format!("{} * {table}.d", 10_i64.pow(power))).collect();
    let all: Vec<String> = tables.iter().map(|table| digits(table)).collect();
    let numbers = format!("(SELECT 1 + {} AS i FROM {}) AS numbers", sum.join(" + "), all.join(", "));
    let name = joined("'v'", "i");
    let document = joined(&joined("'{\"name\":\"v'", "i"), "'\"}'");
    connection
        .run(format!(
            "INSERT INTO resource (id, workspace_id, kind, family, parent_id, name, create_time, update_time, revision, document) \
             SELECT i, 1, 2, 1, 0, {name}, i * 7919 % 4001, 10000 + {}, 1, {document} FROM {numbers} WHERE i <= {count}",
            // Integer division, whose operator differs.
            "(i - i % 10) / 10",
        ))
        .await;
    for SampleProperty { name, ordinal, column, value, condition, .. } in PROPERTIES {
        let value = match value.strip_prefix('{').and_then(|value| value.strip_suffix('}')) {
            Some(parts) => parts.split_once(", ").map(|(first, then)| joined(first, &format!("({then})"))).unwrap(),
            None => value.to_owned(),
        };
        connection
            .run(format!(
                "INSERT INTO property (workspace_id, kind, owner_id, name, custom, ordinal, {column}) \
                 SELECT 1, 2, i, '{name}', TRUE, {ordinal}, {value} FROM {numbers} WHERE i <= {count} AND {condition}"
            ))
            .await;
    }
    if backend == Backend::Postgres {
        connection.run("ANALYZE".to_owned()).await;
    }
    (store, connection)
}

/// A connection for statements that the store has no use for.
pub(in crate::list) enum RawConnection {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

impl RawConnection {
    async fn open(backend: Backend, url: &str) -> Self {
        match backend {
            Backend::Sqlite => Self::Sqlite(SqliteConnection::connect(url).await.unwrap()),
            Backend::Postgres => Self::Postgres(PgConnection::connect(url).await.unwrap()),
            Backend::MariaDb | Backend::MySql => Self::MySql(MySqlConnection::connect(url).await.unwrap()),
        }
    }

    async fn run(&mut self, sql: String) {
        let statement = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(connection) => drop(connection.execute(statement).await.unwrap()),
            Self::Postgres(connection) => drop(connection.execute(statement).await.unwrap()),
            Self::MySql(connection) => drop(connection.execute(statement).await.unwrap()),
        }
    }

    /// The plan of a statement, in the form of the database.
    pub(in crate::list) async fn explain(&mut self, sql: &str) -> String {
        match self {
            Self::Sqlite(connection) => {
                let statement = format!("EXPLAIN QUERY PLAN {sql}");
                let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap();
                rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n")
            }
            Self::Postgres(connection) => {
                let statement = format!("EXPLAIN (COSTS OFF) {sql}");
                let rows = connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap();
                rows.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>().join("\n")
            }
            Self::MySql(connection) => {
                let statement = format!("EXPLAIN FORMAT=JSON {sql}");
                let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(statement))).await.unwrap();
                row.get::<String, _>(0)
            }
        }
    }
}

/// A statement with its values written into it.
pub(in crate::list) fn text(statement: &SelectStatement, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => statement.to_string(SqliteQueryBuilder),
        Dialect::Postgres => statement.to_string(PostgresQueryBuilder),
        Dialect::MySql => statement.to_string(MysqlQueryBuilder),
    }
}
