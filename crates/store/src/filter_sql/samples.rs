//! The sample list as tables, and the comparison of a database's results with those of the reference evaluator.

use std::fmt::Write;

use model_registry_filter::evaluate::strategies::{COLUMNS, sample_target};
use model_registry_filter::evaluate::{Entity, evaluate};
use model_registry_filter::{Expression, FilterError, Value, fold};
use sea_query::{Expr, ExprTrait, InsertStatement, Query, SelectStatement, Value as Bound};

use super::{Scope, compile};
use crate::dialect::Dialect;
use crate::tables::{NOT_FINITE, stored_double, value_column};
use crate::write::stored_value;

/// The outer table of the sample list.
pub(super) const TABLE: &str = "filter_sample";

const WORKSPACE: i32 = 1;
/// Entities have these kinds in turn, so that a filter over one kind must exclude rows of the other.
pub(super) const KINDS: [i16; 2] = [1, 2];

/// A query for the ids of the entities that pass a filter.
pub(super) struct SampleQuery {
    pub(super) statement: SelectStatement,
    pub(super) expected: Vec<i64>,
    pub(super) filter: String,
}

/// Creates the outer table.
pub(super) fn create_sample_table(dialect: Dialect) -> String {
    let string = string_type(dialect);
    format!(
        "CREATE TABLE {TABLE} (id BIGINT NOT NULL PRIMARY KEY, kind SMALLINT NOT NULL, name {string} NULL, \
         name_folded {string} NULL, state {string} NULL, parent_id BIGINT NULL, score DOUBLE PRECISION NULL, \
         active BOOLEAN NULL, {NOT_FINITE} SMALLINT NULL)"
    )
}

/// Creates a table like `property`, for a database without the schema.
pub(super) fn create_property_table(dialect: Dialect) -> String {
    let string = string_type(dialect);
    format!(
        "CREATE TABLE property (workspace_id INTEGER NOT NULL, kind SMALLINT NOT NULL, owner_id BIGINT NOT NULL, \
         name {string} NOT NULL, custom BOOLEAN NOT NULL, ordinal SMALLINT NOT NULL, string_value {string} NULL, \
         string_folded {string} NULL, int_value BIGINT NULL, double_value DOUBLE PRECISION NULL, \
         bool_value BOOLEAN NULL, {NOT_FINITE} SMALLINT NULL)"
    )
}

fn string_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "TEXT",
        Dialect::Postgres => "TEXT COLLATE \"C\"",
        // The name in MariaDB; in MySQL it is utf8mb4_0900_bin.
        Dialect::MySql => "VARCHAR(600) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin",
    }
}

/// Inserts the entities with the ids 1, 2, …
pub(super) fn insert(entities: &[Entity]) -> Vec<InsertStatement> {
    let mut statements = Vec::new();
    for (entity, id) in entities.iter().zip(1_i64..) {
        statements.push(insert_columns(entity, id));
        for (property, ordinal) in entity.properties.iter().zip(0_i16..) {
            let mut columns = vec!["workspace_id", "kind", "owner_id", "name", "custom", "ordinal"];
            let mut values: Vec<Expr> = vec![
                WORKSPACE.into(),
                kind(id).into(),
                id.into(),
                property.name.as_str().into(),
                property.custom.into(),
                ordinal.into(),
            ];
            if let Some(value) = &property.value {
                columns.push(value_column(value.value_type()));
                values.push(bound(value).into());
                if let Value::Double(value) = value {
                    columns.push(NOT_FINITE);
                    values.push(stored_double(*value).1.into());
                }
            }
            if let Some(folded) = property.value.as_ref().and_then(folded) {
                columns.push("string_folded");
                values.push(folded.into());
            }
            statements.push(Query::insert().into_table("property").columns(columns).values_panic(values).to_owned());
        }
    }
    statements
}

fn insert_columns(entity: &Entity, id: i64) -> InsertStatement {
    let mut columns = vec!["id", "kind"];
    let mut values: Vec<Expr> = vec![id.into(), kind(id).into()];
    for (name, _) in COLUMNS {
        let Some(value) = entity.columns.get(name) else { continue };
        columns.push(name);
        if let Value::Double(value) = value {
            let (value, not_finite) = stored_value(Some(*value));
            values.push(value.into());
            columns.push(NOT_FINITE);
            values.push(not_finite.into());
        } else {
            values.push(bound(value).into());
        }
    }
    if let Some(folded) = entity.columns.get("name").and_then(folded) {
        columns.push("name_folded");
        values.push(folded.into());
    }
    Query::insert().into_table(TABLE).columns(columns).values_panic(values).to_owned()
}

fn kind(id: i64) -> i16 {
    if id % 2 == 0 { KINDS[0] } else { KINDS[1] }
}

fn folded(value: &Value) -> Option<String> {
    match value {
        Value::String(string) => Some(fold(string)).filter(|folded| folded != string),
        _ => None,
    }
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::String(string) => string.as_str().into(),
        Value::Int(value) => (*value).into(),
        Value::Double(value) => stored_double(*value).0.into(),
        Value::Bool(value) => (*value).into(),
    }
}

/// Builds the query for the entities of `kinds`, with the result of the evaluator.
pub(super) fn sample_query(
    expression: &Expression,
    kinds: &[i16],
    entities: &[Entity],
    dialect: Dialect,
) -> Result<SampleQuery, FilterError> {
    let scope = Scope {
        table: TABLE,
        workspace_id: WORKSPACE,
        kinds,
        properties: "property",
        string_key: None,
        not_finite: Some(NOT_FINITE),
        scanned: None,
        one_by_one: false,
        related: None,
        resolve: &sample_target,
    };
    let statement = Query::select()
        .column((TABLE, "id"))
        .from(TABLE)
        .and_where(Expr::col((TABLE, "kind")).is_in(kinds.iter().copied()))
        .and_where(compile(expression, &scope, dialect)?)
        .order_by((TABLE, "id"), sea_query::Order::Asc)
        .to_owned();
    let mut expected = Vec::new();
    for (entity, id) in entities.iter().zip(1_i64..) {
        if kinds.contains(&kind(id)) && evaluate(expression, entity, &sample_target)? {
            expected.push(id);
        }
    }
    Ok(SampleQuery { statement, expected, filter: expression.to_string() })
}

/// Runs each filter on a database with these entities and describes every wrong result.
///
/// `run` executes a query and returns the ids in the order of the rows.
pub(super) fn disagreements(
    expressions: &[Expression],
    entities: &[Entity],
    dialect: Dialect,
    run: &mut dyn FnMut(&SelectStatement) -> Result<Vec<i64>, String>,
) -> String {
    let mut report = String::new();
    for expression in expressions {
        for kinds in [&KINDS[..1], &KINDS[..]] {
            let query = match sample_query(expression, kinds, entities, dialect) {
                Ok(query) => query,
                Err(error) => {
                    let _ = writeln!(report, "{expression}\n  invalid: {error}");
                    continue;
                }
            };
            let found = run(&query.statement);
            if found.as_ref() != Ok(&query.expected) {
                let _ =
                    writeln!(report, "{}\n  expected {:?}, {dialect:?} found {found:?}", query.filter, query.expected);
            }
        }
    }
    report
}
