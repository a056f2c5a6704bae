//! Checked conditions → SQL.
//!
//! Every expression built here is true or false, never NULL, so that NOT means what the language says.

use model_registry_filter::{
    Comparator, Condition, ESCAPE, Expression, FilterError, Subject, Test, Value, ValueType, check,
};
use sea_query::{Alias, CaseStatement, Expr, ExprTrait, Func, LikeExpr, Query, SelectStatement, Value as Bound};

use super::Scope;
use crate::dialect::Dialect;
use crate::tables::value_column;

/// How much of a text the index on property texts holds, in characters; on SQLite it holds all of it.
pub const INDEXED_PREFIX: usize = 255;

/// Builds the condition for the WHERE clause of a list over `scope`.
pub fn compile(expression: &Expression, scope: &Scope<'_>, dialect: Dialect) -> Result<Expr, FilterError> {
    let condition = check(expression, scope.resolve)?;
    Ok(Compiler { scope, dialect }.condition(&condition))
}

/// What one condition of a filter selects by an index alone.
pub struct Selection {
    /// The rows of the index, for counting.
    pub found: SelectStatement,
    /// The ids of the scope's rows, in a column `id`; some may be there twice.
    pub ids: SelectStatement,
    /// Whether the condition holds for the row of a table of ids; see [`selections`].
    pub holds: Option<Expr>,
}

/// The conditions that all rows of a list over `scope` have to fulfil and that an index on values answers. `ids` is the name of
/// a table with nothing but ids, on which they can be tested too.
pub fn selections(
    expression: &Expression,
    scope: &Scope<'_>,
    ids: &'static str,
    dialect: Dialect,
) -> Result<Vec<Selection>, FilterError> {
    let condition = check(expression, scope.resolve)?;
    // The kind is no column of it, so there may be one only.
    let of_ids = Scope { table: ids, ..*scope };
    let tester = (scope.kinds.len() == 1).then_some(Compiler { scope: &of_ids, dialect });
    Ok(Compiler { scope, dialect }.selections(&condition, tester.as_ref()))
}

struct Compiler<'a> {
    scope: &'a Scope<'a>,
    dialect: Dialect,
}

impl Compiler<'_> {
    fn condition(&self, condition: &Condition) -> Expr {
        match condition {
            Condition::Any(members) => joined(members.iter().map(|member| self.condition(member)), Expr::or),
            Condition::All(members) => self.all(members),
            Condition::Not(inner) => self.condition(inner).not(),
            Condition::Holds { test: Test::Never, .. } => never(),
            Condition::Holds { subject: Subject::Column { name, folded }, test } => self.column(name, *folded, test),
            Condition::Holds { subject: Subject::Property { name, built_in_only }, test } => {
                self.property(name, *built_in_only, test)
            }
            Condition::Related(inner) => self.related(inner),
        }
    }

    /// Along a walk, equal texts are asked first: the walked one costs nothing, and others leave less than ranges do.
    fn all(&self, members: &[Condition]) -> Expr {
        let all = |members: &[&Condition]| joined(members.iter().map(|member| self.condition(member)), Expr::and);
        let (first, then): (Vec<&Condition>, Vec<&Condition>) =
            members.iter().partition(|member| self.scope.walked.is_some() && is_equal_text(member));
        if first.is_empty() || then.is_empty() {
            return all(&members.iter().collect::<Vec<_>>());
        }
        match self.dialect {
            // Puts what is joined by AND in an order of its own.
            Dialect::Postgres => CaseStatement::new().case(all(&first), all(&then)).finally(false).into(),
            Dialect::Sqlite | Dialect::MySql => all(&first).and(all(&then)),
        }
    }

    fn column(&self, name: &'static str, folded: Option<&'static str>, test: &Test) -> Expr {
        let operand = Operand::Column { table: self.scope.table, name, folded };
        let is_present = operand.value(ValueType::String).is_not_null();
        match test {
            Test::Present(_) => is_present,
            test => is_present.and(self.test(test, operand)),
        }
    }

    fn related(&self, inner: &Condition) -> Expr {
        let Some(scope) = self.scope.related else { return never() };
        let rows = Query::select()
            .expr(self.found())
            .from(scope.table)
            .and_where(Expr::col((scope.table, "parent_id")).eq(Expr::col((self.scope.table, "id"))))
            .and_where(Compiler { scope, dialect: self.dialect }.condition(inner))
            .take();
        Expr::exists(rows)
    }

    /// What a subquery selects.
    fn found(&self) -> Expr {
        match self.scope.walked {
            Some(_) => self.dialect.asked_of_each_row(),
            None => Expr::cust("1"),
        }
    }

    fn property(&self, name: &str, built_in_only: bool, test: &Test) -> Expr {
        let table = self.scope.properties;
        let property_column = |name: &'static str| Expr::col((table, name));
        let kind = match self.scope.kinds {
            [kind] => Expr::val(*kind),
            _ => Expr::col((self.scope.table, "kind")),
        };
        let owner = match self.scope.walked {
            Some(walked) => Expr::col((walked, "owner_id")),
            None => Expr::col((self.scope.table, "id")),
        };
        let mut rows = Query::select()
            .expr(self.found())
            .from(table)
            .and_where(property_column("kind").eq(kind))
            .and_where(property_column("owner_id").eq(owner))
            .and_where(property_column("name").eq(name))
            .to_owned();
        if self.scope.walked.is_some() {
            // With what is selected, it keeps the planners from making a join of it, whose order they would guess.
            rows.limit(1).offset(0);
        } else if self.dialect != Dialect::Sqlite {
            // The workspace leads the indexes on values, for plans that start from the value instead of the entity.
            // SQLite makes no such plans, but would look up ranges of values for every entity.
            rows.and_where(property_column("workspace_id").eq(self.scope.workspace_id));
        }
        if self.scope.walked.is_none() && self.dialect == Dialect::Postgres && self.scope.kinds.len() > 1 {
            // Says nothing new, but its statistics are about kinds, not about what another table says.
            rows.and_where(property_column("kind").is_in(self.scope.kinds.iter().copied()));
        }
        self.keep_passing(&mut rows, built_in_only, test);
        let exists = Expr::exists(rows);
        match self.is_walked(name, built_in_only, test) {
            Some(is_walked) => is_walked.or(exists),
            None => exists,
        }
    }

    /// Leaves only the rows of properties that pass.
    fn keep_passing(&self, rows: &mut SelectStatement, built_in_only: bool, test: &Test) {
        let table = self.scope.properties;
        if built_in_only {
            rows.and_where(Expr::col((table, "custom")).eq(false));
        }
        rows.and_where(self.test(test, Operand::Property { table }));
    }

    /// Whether the walked row is the one asked for: then nothing has to be looked up.
    fn is_walked(&self, name: &str, built_in_only: bool, test: &Test) -> Option<Expr> {
        let (walked, key) = self.scope.walked.zip(self.scope.text_key)?;
        let text = test.equal_string()?;
        if text.chars().count() >= INDEXED_PREFIX {
            return None;
        }
        let walked = |name: &'static str| Expr::col((walked, name));
        let is_walked = walked("name").eq(name).and(walked(key).eq(text));
        Some(if built_in_only { is_walked.and(walked("custom").eq(false)) } else { is_walked })
    }

    fn selections(&self, condition: &Condition, tester: Option<&Compiler<'_>>) -> Vec<Selection> {
        let holds = || tester.map(|tester| tester.condition(condition));
        match condition {
            Condition::All(members) => members.iter().flat_map(|member| self.selections(member, tester)).collect(),
            Condition::Holds { subject: Subject::Property { name, built_in_only }, test } if is_by_index(test) => {
                let table = self.scope.properties;
                let mut rows = Query::select()
                    .from(table)
                    // Leads the indexes on values.
                    .and_where(Expr::col((table, "workspace_id")).eq(self.scope.workspace_id))
                    .and_where(Expr::col((table, "kind")).is_in(self.scope.kinds.iter().copied()))
                    .and_where(Expr::col((table, "name")).eq(name.as_str()))
                    .to_owned();
                self.keep_passing(&mut rows, *built_in_only, test);
                let found = rows.clone().expr(Expr::cust("1")).take();
                let ids = rows.expr_as(Expr::col((table, "owner_id")), "id").take();
                vec![Selection { found, ids, holds: holds() }]
            }
            Condition::Related(inner) => {
                let Some(scope) = self.scope.related else { return Vec::new() };
                let of_related = Compiler { scope, dialect: self.dialect }.selections(inner, None);
                let parents = |Selection { found, ids, .. }| {
                    let parents = Query::select()
                        .expr_as(Expr::col((scope.table, "parent_id")), "id")
                        .from(scope.table)
                        .and_where(Expr::col((scope.table, "id")).in_subquery(ids))
                        .take();
                    Selection { found, ids: parents, holds: None }
                };
                let mut selections: Vec<Selection> = of_related.into_iter().map(parents).collect();
                // Only together do they say what is asked of one related row, so each of them is tested by the whole.
                for selection in &mut selections {
                    selection.holds = holds();
                }
                selections
            }
            Condition::Any(_) | Condition::Not(_) | Condition::Holds { .. } => Vec::new(),
        }
    }

    fn test(&self, test: &Test, operand: Operand) -> Expr {
        match test {
            Test::Never => never(),
            Test::Present(Some(value_type)) => operand.value(*value_type).is_not_null(),
            Test::Present(None) => joined(
                [ValueType::String, ValueType::Int, ValueType::Double, ValueType::Bool]
                    .map(|value_type| operand.value(value_type).is_not_null())
                    .into_iter(),
                Expr::or,
            ),
            Test::Compare(Comparator::Equal, value) if self.uses_prefix(operand, value) => {
                self.prefix_equal(operand, std::slice::from_ref(value))
            }
            Test::Compare(comparator, value) => {
                let stored = operand.value(value.value_type());
                match comparator {
                    Comparator::Equal => stored.eq(bound(value)),
                    Comparator::NotEqual => stored.ne(bound(value)),
                    Comparator::Greater => stored.gt(bound(value)),
                    Comparator::GreaterOrEqual => stored.gte(bound(value)),
                    Comparator::Less => stored.lt(bound(value)),
                    Comparator::LessOrEqual => stored.lte(bound(value)),
                }
            }
            Test::In { negated, values } => {
                let Some(first) = values.first() else {
                    return never();
                };
                if !negated && self.uses_prefix(operand, first) {
                    return self.prefix_equal(operand, values);
                }
                let stored = operand.value(first.value_type());
                let values = values.iter().map(bound);
                if *negated { stored.is_not_in(values) } else { stored.is_in(values) }
            }
            Test::Like { negated, ignore_case, pattern } => {
                let stored = if *ignore_case { operand.folded() } else { operand.value(ValueType::String) };
                let pattern = LikeExpr::new(pattern.as_sql()).escape(ESCAPE);
                if *negated { stored.not_like(pattern) } else { stored.like(pattern) }
            }
            Test::Any(tests) => joined(tests.iter().map(|test| self.test(test, operand)), Expr::or),
            Test::All(tests) => joined(tests.iter().map(|test| self.test(test, operand)), Expr::and),
        }
    }

    fn uses_prefix(&self, operand: Operand, value: &Value) -> bool {
        self.dialect == Dialect::Postgres
            && matches!(operand, Operand::Property { .. })
            && value.value_type() == ValueType::String
    }

    /// Equality on PostgreSQL, whose index holds the beginning of each text only.
    fn prefix_equal(&self, operand: Operand, values: &[Value]) -> Expr {
        let texts: Vec<&str> = values.iter().filter_map(as_text).collect();
        let stored = operand.value(ValueType::String);
        let indexed = match (self.scope.text_key, operand) {
            (Some(key), Operand::Property { table }) => Expr::col((table, key)),
            // 255 is part of the indexed expression: as a parameter it would not be recognised.
            _ => Func::cust(Alias::new("left")).args([stored.clone(), Expr::cust(INDEXED_PREFIX.to_string())]).into(),
        };
        let prefixes = texts.iter().map(|text| text.chars().take(INDEXED_PREFIX).collect::<String>());
        let by_prefix = among(indexed, prefixes);
        // A shorter text is its own prefix. Saying it twice would make the planner think it is twice as rare.
        if texts.iter().all(|text| text.chars().count() < INDEXED_PREFIX) {
            return by_prefix;
        }
        by_prefix.and(among(stored, texts.iter().map(|&text| text.to_owned())))
    }
}

fn is_equal_text(condition: &Condition) -> bool {
    matches!(condition, Condition::Holds { subject: Subject::Property { .. }, test } if test.equal_string().is_some())
}

/// Whether the rows that pass stand together in an index.
fn is_by_index(test: &Test) -> bool {
    match test {
        Test::Compare(comparator, value) => {
            // There is none on truth values.
            *comparator != Comparator::NotEqual && value.value_type() != ValueType::Bool
        }
        Test::In { negated, values } => !negated && values.iter().all(|value| value.value_type() != ValueType::Bool),
        Test::Any(tests) => tests.iter().all(is_by_index),
        Test::Never | Test::Present(_) | Test::Like { .. } | Test::All(_) => false,
    }
}

/// Where the tested value stands.
#[derive(Clone, Copy)]
enum Operand {
    Column { table: &'static str, name: &'static str, folded: Option<&'static str> },
    Property { table: &'static str },
}

impl Operand {
    /// The value if it is of this type; a column has only one.
    fn value(self, value_type: ValueType) -> Expr {
        match self {
            Self::Column { table, name, .. } => Expr::col((table, name)),
            Self::Property { table } => Expr::col((table, value_column(value_type))),
        }
    }

    fn folded(self) -> Expr {
        let text = self.value(ValueType::String);
        match self {
            Self::Column { table, folded: Some(folded), .. } => {
                Func::coalesce([Expr::col((table, folded)), text]).into()
            }
            Self::Column { folded: None, .. } => Func::lower(text).into(),
            Self::Property { table } => Func::coalesce([Expr::col((table, "string_folded")), text]).into(),
        }
    }
}

fn among(stored: Expr, texts: impl ExactSizeIterator<Item = String>) -> Expr {
    let mut texts = texts;
    match (texts.len(), texts.next()) {
        (1, Some(only)) => stored.eq(only),
        (_, first) => stored.is_in(first.into_iter().chain(texts)),
    }
}

fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::String(text) => text.clone().into(),
        Value::Int(value) => (*value).into(),
        Value::Double(value) => (*value).into(),
        Value::Bool(value) => (*value).into(),
    }
}

/// Understood by all three, unlike a bare FALSE as a condition.
fn never() -> Expr {
    Expr::cust("1 = 0")
}

fn joined(members: impl Iterator<Item = Expr>, connect: impl Fn(Expr, Expr) -> Expr) -> Expr {
    members.reduce(connect).unwrap_or_else(never)
}

#[cfg(test)]
mod tests;
