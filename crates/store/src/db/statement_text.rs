//! The SQL string of a statement and its bound values.
//!
//! Values are bound, but limits and offsets are written into the statement: PostgreSQL uses the cached generic plan of a
//! prepared statement only if its estimated cost is close to that of plans for the values, and it never is without a known
//! limit. For the same reason some values are constants of their statement: [`constant`](crate::tables::constant).

use std::fmt::{self, Display, Write};

use sea_query::{QueryBuilder, QueryStatementWriter, SqlWriter, SqlWriterValues, Value};
use sea_query_sqlx::SqlxValues;

pub(super) fn build(statement: &impl QueryStatementWriter, builder: impl QueryBuilder) -> (String, SqlxValues) {
    let (placeholder, numbered) = builder.placeholder();
    let mut statement_text = StatementText(SqlWriterValues::new(placeholder, numbered));
    statement.build_collect_into(builder, &mut statement_text);
    let (sql, values) = statement_text.0.into_parts();
    (sql, SqlxValues(values))
}

struct StatementText(SqlWriterValues);

impl SqlWriter for StatementText {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, builder: &T) {
        match value {
            // All columns are signed, so only limits and offsets have this type. Writing to memory does not fail.
            Value::BigUnsigned(Some(rows)) => drop(write!(self.0, "{rows}")),
            value => self.0.push_param(value, builder),
        }
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self.0.as_writer()
    }
}

impl Write for StatementText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

impl Display for StatementText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use sea_query::{Expr, ExprTrait, PostgresQueryBuilder, Query};

    use super::*;

    #[test]
    fn values_are_bound_and_limits_are_written_into_the_statement() {
        let statement = Query::select().column("id").from("t").and_where(Expr::col("id").gt(7_i64)).limit(101).take();
        let (sql, values) = build(&statement, PostgresQueryBuilder);
        assert_eq!(sql, r#"SELECT "id" FROM "t" WHERE "id" > $1 LIMIT 101"#);
        assert_eq!(values.0.0, [Value::BigInt(Some(7))]);
    }
}
