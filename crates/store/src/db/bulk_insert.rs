//! Bulk inserts: many rows for one table in few statements.
//!
//! PostgreSQL receives one array per column. A parameter per value would cost it as much as writing the row, and every number
//! of rows would be a different statement.

use sea_query::{Expr, MysqlQueryBuilder, Query, SqliteQueryBuilder, Value};
use sea_query_sqlx::SqlxValues;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query as SqlxQuery;

use super::Transaction;
use super::statement_text::build;
use crate::dialect::Dialect;
use crate::error::Result;

/// Values per statement. SQLite's limit is 32,766, and longer statements are not faster.
const MAX_VALUES: usize = 8_000;

/// An INSERT statement ready to be sent. Building it takes about as long as running it, so it can be built while the database
/// runs another one.
pub struct Insertion {
    pub(super) sql: String,
    pub(super) values: Inserted,
}

pub(super) enum Inserted {
    /// The values row by row.
    Rows(SqlxValues),
    /// The values column by column, as arrays.
    Columns(Vec<Column>),
}

impl Insertion {
    /// Turns the insert into an upsert: a row with the same key gets the new values of these columns.
    pub(crate) fn replacing(mut self, dialect: Dialect, key: &[&str], columns: &[&str]) -> Self {
        let list = |columns: &[&str], form: fn(&str) -> String| {
            columns.iter().map(|column| form(column)).collect::<Vec<_>>().join(", ")
        };
        let clause = match dialect {
            Dialect::Sqlite | Dialect::Postgres => format!(
                " ON CONFLICT ({}) DO UPDATE SET {}",
                list(key, |column| format!("\"{column}\"")),
                list(columns, |column| format!("\"{column}\" = excluded.\"{column}\""))
            ),
            Dialect::MySql => {
                let columns = list(columns, |column| format!("`{column}` = VALUES(`{column}`)"));
                format!(" ON DUPLICATE KEY UPDATE {columns}")
            }
        };
        self.sql.push_str(&clause);
        self
    }
}

/// The maximum number of rows with this many columns in one statement.
pub fn rows_of_statement(columns: usize) -> usize {
    MAX_VALUES / columns.max(1)
}

/// Builds statements that insert rows; the values of a row are in the order of `columns`.
pub fn insertions<R: IntoIterator<Item = Expr>>(
    dialect: Dialect,
    table: &'static str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = R>,
) -> Vec<Insertion> {
    insertions_of(rows_of_statement(columns.len()), dialect, table, columns, rows)
}

/// As [`insertions`], with at most `at_once` rows per statement.
pub(crate) fn insertions_of<R: IntoIterator<Item = Expr>>(
    at_once: usize,
    dialect: Dialect,
    table: &'static str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = R>,
) -> Vec<Insertion> {
    let mut insertions = Vec::new();
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let rows = rows.by_ref().take(at_once);
        insertions.push(match dialect {
            Dialect::Postgres => by_column(0, table, columns, rows),
            Dialect::Sqlite | Dialect::MySql => by_row(dialect, table, columns, rows),
        });
    }
    insertions
}

/// Adds rows of a further table to an insertion: in the same statement on PostgreSQL, in further ones on the others.
pub(crate) fn and_insert<R: IntoIterator<Item = Expr>>(
    first: Option<Insertion>,
    dialect: Dialect,
    table: &'static str,
    columns: &[&'static str],
    rows: impl IntoIterator<Item = R>,
) -> Vec<Insertion> {
    match first {
        Some(Insertion { sql, values: Inserted::Columns(mut values) }) => {
            let further = by_column(values.len(), table, columns, rows.into_iter());
            let sql = format!("WITH first AS ({sql}) {}", further.sql);
            if let Inserted::Columns(further) = further.values {
                values.extend(further);
            }
            vec![Insertion { sql, values: Inserted::Columns(values) }]
        }
        first => first.into_iter().chain(insertions(dialect, table, columns, rows)).collect(),
    }
}

fn by_row<R: IntoIterator<Item = Expr>>(
    dialect: Dialect,
    table: &'static str,
    columns: &[&'static str],
    rows: impl Iterator<Item = R>,
) -> Insertion {
    let mut insert = Query::insert();
    insert.into_table(table).columns(columns.iter().copied());
    for row in rows {
        insert.values_panic(row);
    }
    let (sql, values) = match dialect {
        Dialect::MySql => build(&insert, MysqlQueryBuilder),
        Dialect::Sqlite | Dialect::Postgres => build(&insert, SqliteQueryBuilder),
    };
    Insertion { sql, values: Inserted::Rows(values) }
}

/// Placeholders continue after the `parameters_before` ones of the preceding fragment.
fn by_column<R: IntoIterator<Item = Expr>>(
    parameters_before: usize,
    table: &'static str,
    names: &[&'static str],
    rows: impl Iterator<Item = R>,
) -> Insertion {
    let mut columns: Vec<Column> = Vec::with_capacity(names.len());
    for row in rows {
        for (index, value) in row.into_iter().enumerate() {
            let Expr::Value(value) = value else { panic!("{table}: inserted rows consist of plain values") };
            match columns.get_mut(index) {
                Some(column) => column.push(value),
                None => columns.push(Column::of(value)),
            }
        }
    }
    let arrays: Vec<String> = columns
        .iter()
        .zip(parameters_before + 1..)
        .map(|(column, number)| format!("${number}::{}[]", column.sql_type()))
        .collect();
    let sql =
        format!(r#"INSERT INTO "{table}" ("{}") SELECT * FROM unnest({})"#, names.join(r#"", ""#), arrays.join(", "));
    Insertion { sql, values: Inserted::Columns(columns) }
}

/// The values of one column, all of one type.
pub(super) enum Column {
    Bool(Vec<Option<bool>>),
    SmallInt(Vec<Option<i16>>),
    Int(Vec<Option<i32>>),
    BigInt(Vec<Option<i64>>),
    Double(Vec<Option<f64>>),
    String(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Column {
    fn of(value: Value) -> Self {
        match value {
            Value::Bool(value) => Self::Bool(vec![value]),
            Value::SmallInt(value) => Self::SmallInt(vec![value]),
            Value::Int(value) => Self::Int(vec![value]),
            Value::BigInt(value) => Self::BigInt(vec![value]),
            Value::Double(value) => Self::Double(vec![value]),
            Value::String(value) => Self::String(vec![value]),
            Value::Bytes(value) => Self::Bytes(vec![value]),
            other => panic!("no table has a column of this type: {other:?}"),
        }
    }

    fn push(&mut self, value: Value) {
        match (self, value) {
            (Self::Bool(values), Value::Bool(value)) => values.push(value),
            (Self::SmallInt(values), Value::SmallInt(value)) => values.push(value),
            (Self::Int(values), Value::Int(value)) => values.push(value),
            (Self::BigInt(values), Value::BigInt(value)) => values.push(value),
            (Self::Double(values), Value::Double(value)) => values.push(value),
            (Self::String(values), Value::String(value)) => values.push(value),
            (Self::Bytes(values), Value::Bytes(value)) => values.push(value),
            (_, other) => panic!("the values of a column have different types: {other:?}"),
        }
    }

    fn sql_type(&self) -> &'static str {
        match self {
            Self::Bool(_) => "bool",
            Self::SmallInt(_) => "int2",
            Self::Int(_) => "int4",
            Self::BigInt(_) => "int8",
            Self::Double(_) => "float8",
            Self::String(_) => "text",
            Self::Bytes(_) => "bytea",
        }
    }

    pub(super) fn bind(self, query: SqlxQuery<'_, Postgres, PgArguments>) -> SqlxQuery<'_, Postgres, PgArguments> {
        match self {
            Self::Bool(values) => query.bind(values),
            Self::SmallInt(values) => query.bind(values),
            Self::Int(values) => query.bind(values),
            Self::BigInt(values) => query.bind(values),
            Self::Double(values) => query.bind(values),
            Self::String(values) => query.bind(values),
            Self::Bytes(values) => query.bind(values),
        }
    }
}

impl Transaction {
    /// Inserts rows; the values of a row are in the order of `columns`.
    pub(crate) async fn insert_rows<R: IntoIterator<Item = Expr> + Send>(
        &mut self,
        table: &'static str,
        columns: &[&'static str],
        rows: Vec<R>,
    ) -> Result<()> {
        for insertion in insertions(self.dialect(), table, columns, rows) {
            self.run_insertion(insertion).await?;
        }
        Ok(())
    }
}
