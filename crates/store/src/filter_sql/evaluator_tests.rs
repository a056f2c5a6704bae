//! SQLite finds the same entities as the reference evaluator.

use model_registry_filter::evaluate::Entity;
use model_registry_filter::evaluate::strategies::{accepted_expression, sample_entity};
use model_registry_filter::{Expression, parse};
use proptest::collection::vec;
use proptest::prelude::*;
use sea_query::{SelectStatement, SqliteQueryBuilder};
use sea_query_sqlx::SqlxBinder;
use sqlx::{Connection, SqliteConnection};
use tokio::runtime::Runtime;

use super::samples::{create_property_table, create_sample_table, disagreements, insert};
use crate::dialect::Dialect;
use crate::test_support::seeded;

fn sqlite_disagreements(expressions: &[Expression], entities: &[Entity]) -> String {
    let runtime = Runtime::new().unwrap();
    let mut connection = runtime.block_on(async {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        sqlx::raw_sql("PRAGMA case_sensitive_like = ON").execute(&mut connection).await.unwrap();
        for statement in [create_sample_table(Dialect::Sqlite), create_property_table(Dialect::Sqlite)] {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
        }
        for statement in insert(entities) {
            let (sql, values) = statement.build_sqlx(SqliteQueryBuilder);
            sqlx::query_with(sqlx::AssertSqlSafe(sql), values).execute(&mut connection).await.unwrap();
        }
        connection
    });
    let mut run = |statement: &SelectStatement| {
        let (sql, values) = statement.build_sqlx(SqliteQueryBuilder);
        let query = sqlx::query_scalar_with(sqlx::AssertSqlSafe(sql), values);
        runtime.block_on(query.fetch_all(&mut connection)).map_err(|error| error.to_string())
    };
    disagreements(expressions, entities, Dialect::Sqlite, &mut run)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..seeded() })]

    #[test]
    fn sqlite_finds_the_same_entities_as_the_evaluator(
        entities in vec(sample_entity(), 1..12),
        expressions in vec(accepted_expression(), 20),
    ) {
        prop_assert_eq!(sqlite_disagreements(&expressions, &entities), "");
    }
}

#[test]
fn the_largest_filters_run() {
    let comparisons: Vec<String> = (0..100).map(|index| format!("p{index} = {index}")).collect();
    let elements: Vec<String> = (0..1000).map(|index| index.to_string()).collect();
    let filters = [
        comparisons.join(" AND "),
        comparisons.join(" OR "),
        format!("custom NOT IN ({})", elements.join(",")),
        format!("{}custom = 1{}", "(".repeat(64), ")".repeat(64)),
        format!("{}custom = 1", "NOT ".repeat(64)),
        format!("name LIKE '{}'", "%a".repeat(500)),
        (0..32).fold("a = 1".to_owned(), |inner, index| format!("NOT (b = {index} OR {inner})")),
    ];
    let expressions: Vec<Expression> = filters.iter().map(|filter| parse(filter).unwrap().unwrap()).collect();
    assert_eq!(sqlite_disagreements(&expressions, &[Entity::default()]), "");
}
