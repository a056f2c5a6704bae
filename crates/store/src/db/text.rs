//! The text of a statement, with its values apart.
//!
//! Values are bound, limits and offsets are written out: `PostgreSQL` keeps the plan of a prepared statement only if that
//! is about as good as one made for the values, and without the number of rows that are wanted it never is. For the same
//! reason some values are constants of their statement: [`constant`](crate::tables::constant).

use std::fmt::{self, Display, Write};

use sea_query::{QueryBuilder, QueryStatementWriter, SqlWriter, SqlWriterValues, Value};
use sea_query_sqlx::SqlxValues;

pub(super) fn build(statement: &impl QueryStatementWriter, builder: impl QueryBuilder) -> (String, SqlxValues) {
    let (placeholder, numbered) = builder.placeholder();
    let mut text = Text(SqlWriterValues::new(placeholder, numbered));
    statement.build_collect_into(builder, &mut text);
    let (text, values) = text.0.into_parts();
    (text, SqlxValues(values))
}

struct Text(SqlWriterValues);

impl SqlWriter for Text {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, builder: &T) {
        match value {
            // Columns are signed: only limits and offsets are of this type. Writing to memory does not fail.
            Value::BigUnsigned(Some(rows)) => drop(write!(self.0, "{rows}")),
            value => self.0.push_param(value, builder),
        }
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self.0.as_writer()
    }
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write_str(text)
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use sea_query::{Expr, ExprTrait, PostgresQueryBuilder, Query};

    use super::*;

    #[test]
    fn values_are_bound_and_limits_written_out() {
        let statement = Query::select().column("id").from("t").and_where(Expr::col("id").gt(7_i64)).limit(101).take();
        let (text, values) = build(&statement, PostgresQueryBuilder);
        assert_eq!(text, r#"SELECT "id" FROM "t" WHERE "id" > $1 LIMIT 101"#);
        assert_eq!(values.0.0, [Value::BigInt(Some(7))]);
    }
}
