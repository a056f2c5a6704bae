//! Typed conditions → SQL.
//!
//! Every expression built here is true or false, never NULL, so that NOT has the meaning that the language defines.

use model_registry_filter::{
    Comparator, Condition, ESCAPE, Expression, FilterError, Subject, Test, Value, ValueType, check,
};
use sea_query::{Alias, CaseStatement, Expr, ExprTrait, Func, LikeExpr, Query, SelectStatement, Value as Bound};

use super::Scope;
use crate::dialect::Dialect;
use crate::tables::{NAN, constant, value_column};

/// Characters of a string that the index on string properties holds; on SQLite it holds the whole string.
pub const INDEXED_PREFIX: usize = 255;

/// Builds the condition for the WHERE clause of a list over `scope`.
pub fn compile(expression: &Expression, scope: &Scope<'_>, dialect: Dialect) -> Result<Expr, FilterError> {
    let condition = check(expression, scope.resolve)?;
    Ok(Compiler { scope, dialect }.condition(&condition))
}

/// The rows that one condition of a filter selects by an index alone.
pub struct Selection {
    /// The index entries, for counting.
    pub found: SelectStatement,
    /// The ids of the scope's rows, in a column `id`, possibly with duplicates.
    pub ids: SelectStatement,
    /// Tests the condition on a row of a table of ids; see [`selections`].
    pub holds: Option<Expr>,
}

/// Returns the conditions that every match must satisfy and that an index on property values can select. `ids` is the name of
/// a table with a column `id` only, on which they can be tested as well.
pub fn selections(
    expression: &Expression,
    scope: &Scope<'_>,
    ids: &'static str,
    dialect: Dialect,
) -> Result<Vec<Selection>, FilterError> {
    let condition = check(expression, scope.resolve)?;
    // It has no column for the kind, so only a single kind can be tested.
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

    /// In an index scan, string equalities are evaluated first: that of the scanned row costs nothing, and others are usually
    /// more selective than ranges.
    fn all(&self, members: &[Condition]) -> Expr {
        let all = |members: &[&Condition]| joined(members.iter().map(|member| self.condition(member)), Expr::and);
        let (first, then): (Vec<&Condition>, Vec<&Condition>) =
            members.iter().partition(|member| self.scope.scanned.is_some() && is_string_equality(member));
        if first.is_empty() || then.is_empty() {
            return all(&members.iter().collect::<Vec<_>>());
        }
        match self.dialect {
            // It reorders the members of an AND, but not the branches of a CASE.
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

    /// The column of an EXISTS subquery.
    fn found(&self) -> Expr {
        if self.is_one_by_one() { self.dialect.per_row_subquery_column() } else { Expr::cust("1") }
    }

    fn is_one_by_one(&self) -> bool {
        self.scope.one_by_one || self.scope.scanned.is_some()
    }

    fn property(&self, name: &str, built_in_only: bool, test: &Test) -> Expr {
        let table = self.scope.properties;
        let property_column = |name: &'static str| Expr::col((table, name));
        let kind = match self.scope.kinds {
            [kind] => Expr::val(*kind),
            _ => Expr::col((self.scope.table, "kind")),
        };
        let owner = match self.scope.scanned {
            Some(scanned) => Expr::col((scanned, "owner_id")),
            None => Expr::col((self.scope.table, "id")),
        };
        let mut rows = Query::select()
            .expr(self.found())
            .from(table)
            .and_where(property_column("kind").eq(kind))
            .and_where(property_column("owner_id").eq(owner))
            .and_where(property_column("name").eq(name))
            .to_owned();
        if self.is_one_by_one() {
            // Together with the selected column, this keeps planners from turning the subquery into a join in an order that they
            // have to guess.
            rows.limit(1).offset(0);
        } else if self.dialect != Dialect::Sqlite {
            // The workspace is the first column of the indexes on values, for plans that start with the value instead of the
            // entity. SQLite does not make such plans: it would look up ranges of values for every entity.
            rows.and_where(property_column("workspace_id").eq(self.scope.workspace_id));
        }
        if !self.is_one_by_one() && self.dialect == Dialect::Postgres && self.scope.kinds.len() > 1 {
            // Redundant, but it gives the planner the statistics of these kinds; it has none across tables.
            rows.and_where(property_column("kind").is_in(self.scope.kinds.iter().copied()));
        }
        self.keep_passing(&mut rows, built_in_only, test);
        let exists = Expr::exists(rows);
        match self.is_scanned(name, built_in_only, test) {
            Some(is_scanned) => is_scanned.or(exists),
            None => exists,
        }
    }

    /// Restricts rows of properties to those that pass the test.
    fn keep_passing(&self, rows: &mut SelectStatement, built_in_only: bool, test: &Test) {
        let table = self.scope.properties;
        if built_in_only {
            rows.and_where(Expr::col((table, "custom")).eq(false));
        }
        rows.and_where(self.test(test, Operand::Property { table }));
    }

    /// Whether the scanned row itself satisfies the equality, so that no subquery is needed.
    fn is_scanned(&self, name: &str, built_in_only: bool, test: &Test) -> Option<Expr> {
        let (scanned, key) = self.scope.scanned.zip(self.scope.string_key)?;
        let string = test.equal_string()?;
        if string.chars().count() >= INDEXED_PREFIX {
            return None;
        }
        let scanned = |name: &'static str| Expr::col((scanned, name));
        let is_scanned = scanned("name").eq(name).and(scanned(key).eq(string));
        Some(if built_in_only { is_scanned.and(scanned("custom").eq(false)) } else { is_scanned })
    }

    fn selections(&self, condition: &Condition, tester: Option<&Compiler<'_>>) -> Vec<Selection> {
        let holds = || tester.map(|tester| tester.condition(condition));
        match condition {
            Condition::All(members) => members.iter().flat_map(|member| self.selections(member, tester)).collect(),
            Condition::Holds { subject: Subject::Property { name, built_in_only }, test } if is_by_index(test) => {
                let table = self.scope.properties;
                let mut rows = Query::select()
                    .from(table)
                    // The first column of the indexes on values.
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
                // One related row must satisfy them all, so each is tested with the whole condition.
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
            Test::Nan => self.is_marked(operand, NAN),
            Test::Compare(comparator, Value::Double(value)) => self.double(operand, *comparator, *value),
            Test::In { negated, values } if values.iter().any(is_extreme) => {
                let comparator = if *negated { Comparator::NotEqual } else { Comparator::Equal };
                let connect = |one: Expr, other: Expr| if *negated { one.and(other) } else { one.or(other) };
                let doubles = values
                    .iter()
                    .filter_map(|value| if let Value::Double(value) = value { Some(*value) } else { None });
                joined(doubles.map(|value| self.double(operand, comparator, value)), connect)
            }
            Test::Present(Some(ValueType::Double)) if self.scope.not_finite.is_some() && operand.is_property() => {
                operand.value(ValueType::Double).is_not_null().or(self.is_marked(operand, NAN))
            }
            Test::Present(Some(value_type)) => operand.value(*value_type).is_not_null(),
            Test::Present(None) => joined(
                [ValueType::String, ValueType::Int, ValueType::Double, ValueType::Bool]
                    .map(|value_type| self.test(&Test::Present(Some(value_type)), operand))
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
                let is_double = first.value_type() == ValueType::Double;
                let values = values.iter().map(bound);
                let found = if *negated { stored.is_not_in(values) } else { stored.is_in(values) };
                if is_double { self.unless_nan(operand, found) } else { found }
            }
            Test::Like { negated, ignore_case, pattern } => {
                let stored = if *ignore_case { operand.folded() } else { operand.value(ValueType::String) };
                let pattern = LikeExpr::new(pattern.as_sql()).escape(ESCAPE);
                if *negated { stored.not_like(pattern) } else { stored.like(pattern) }
            }
            Test::Any(tests) => {
                // Without the column, no value is NaN.
                let tests = tests.iter().filter(|test| self.scope.not_finite.is_some() || !matches!(test, Test::Nan));
                joined(tests.map(|test| self.test(test, operand)), Expr::or)
            }
            Test::All(tests) => joined(tests.iter().map(|test| self.test(test, operand)), Expr::and),
        }
    }

    /// Compares a stored double, which is encoded as `stored_double` describes.
    fn double(&self, operand: Operand, comparator: Comparator, value: f64) -> Expr {
        let stored = || operand.value(ValueType::Double);
        if !is_extreme(&Value::Double(value)) {
            let found = match comparator {
                Comparator::Equal => stored().eq(value),
                Comparator::NotEqual => stored().ne(value),
                Comparator::Greater => stored().gt(value),
                Comparator::GreaterOrEqual => stored().gte(value),
                Comparator::Less => stored().lt(value),
                Comparator::LessOrEqual => stored().lte(value),
            };
            return self.unless_nan(operand, found);
        }
        // The largest number is also how an infinity of its sign is stored.
        let sign = if value > 0.0 { 1 } else { -1 };
        let largest = f64::MAX.copysign(value);
        let is_infinity = || self.is_marked(operand, sign);
        let is_beyond = match comparator {
            Comparator::Greater | Comparator::GreaterOrEqual => sign > 0,
            Comparator::Less | Comparator::LessOrEqual => sign < 0,
            Comparator::Equal | Comparator::NotEqual => false,
        };
        let is_strict = matches!(comparator, Comparator::Greater | Comparator::Less);
        let any = || self.unless_nan(operand, stored().is_not_null());
        let found = match (comparator, value.is_infinite()) {
            (Comparator::Equal, true) => is_infinity(),
            (Comparator::NotEqual, true) => stored().is_not_null().and(is_infinity().not()),
            (Comparator::Equal, false) => stored().eq(largest).and(is_infinity().not()),
            (Comparator::NotEqual, false) => stored().ne(largest).or(is_infinity()),
            // Beyond an infinity there is nothing, beyond the largest number the infinity.
            (_, true) if is_beyond && is_strict => never(),
            (_, true) if is_beyond => is_infinity(),
            (_, false) if is_beyond && is_strict => is_infinity(),
            (_, false) if is_beyond => stored().eq(largest),
            (_, true) if is_strict => stored().is_not_null().and(is_infinity().not()),
            (_, true) => return any(),
            (_, false) if is_strict => stored().ne(largest),
            (_, false) => stored().is_not_null().and(is_infinity().not()),
        };
        self.unless_nan(operand, found)
    }

    /// Whether the stored double is the one that this value of the column stands for. Never NULL.
    fn is_marked(&self, operand: Operand, mark: i16) -> Expr {
        let Some(column) = self.scope.not_finite else { return never() };
        let mark_column = || Expr::col((operand.table(), column));
        mark_column().is_not_null().and(mark_column().eq(constant(mark)))
    }

    /// In a column of the outer table NaN has the value 0; elsewhere it has none.
    fn unless_nan(&self, operand: Operand, found: Expr) -> Expr {
        if operand.is_property() || self.scope.not_finite.is_none() {
            return found;
        }
        self.is_marked(operand, NAN).not().and(found)
    }

    fn uses_prefix(&self, operand: Operand, value: &Value) -> bool {
        self.dialect == Dialect::Postgres
            && matches!(operand, Operand::Property { .. })
            && value.value_type() == ValueType::String
    }

    /// Equality on PostgreSQL, whose index holds only the beginning of each string.
    fn prefix_equal(&self, operand: Operand, values: &[Value]) -> Expr {
        let strings: Vec<&str> = values.iter().filter_map(as_string).collect();
        let stored = operand.value(ValueType::String);
        let indexed = match (self.scope.string_key, operand) {
            (Some(key), Operand::Property { table }) => Expr::col((table, key)),
            // 255 is part of the indexed expression, which PostgreSQL does not recognise with a parameter.
            _ => Func::cust(Alias::new("left")).args([stored.clone(), Expr::cust(INDEXED_PREFIX.to_string())]).into(),
        };
        let prefixes = strings.iter().map(|string| string.chars().take(INDEXED_PREFIX).collect::<String>());
        let by_prefix = among(indexed, prefixes);
        // A shorter string is its own prefix. A second condition would make the planner underestimate the rows.
        if strings.iter().all(|string| string.chars().count() < INDEXED_PREFIX) {
            return by_prefix;
        }
        by_prefix.and(among(stored, strings.iter().map(|&string| string.to_owned())))
    }
}

fn is_string_equality(condition: &Condition) -> bool {
    matches!(condition, Condition::Holds { subject: Subject::Property { .. }, test } if test.equal_string().is_some())
}

/// Whether the rows that pass are adjacent in an index.
fn is_by_index(test: &Test) -> bool {
    match test {
        Test::Compare(comparator, value) => {
            // Booleans are not indexed.
            *comparator != Comparator::NotEqual && value.value_type() != ValueType::Bool
        }
        Test::In { negated, values } => !negated && values.iter().all(|value| value.value_type() != ValueType::Bool),
        Test::Any(tests) => tests.iter().all(is_by_index),
        Test::Never | Test::Nan | Test::Present(_) | Test::Like { .. } | Test::All(_) => false,
    }
}

/// The column of the tested value.
#[derive(Clone, Copy)]
enum Operand {
    Column { table: &'static str, name: &'static str, folded: Option<&'static str> },
    Property { table: &'static str },
}

impl Operand {
    /// The value of this type. A column of the outer table has only one type.
    fn value(self, value_type: ValueType) -> Expr {
        match self {
            Self::Column { table, name, .. } => Expr::col((table, name)),
            Self::Property { table } => Expr::col((table, value_column(value_type))),
        }
    }

    fn table(self) -> &'static str {
        match self {
            Self::Column { table, .. } | Self::Property { table } => table,
        }
    }

    fn is_property(self) -> bool {
        matches!(self, Self::Property { .. })
    }

    fn folded(self) -> Expr {
        let string = self.value(ValueType::String);
        match self {
            Self::Column { table, folded: Some(folded), .. } => {
                Func::coalesce([Expr::col((table, folded)), string]).into()
            }
            Self::Column { folded: None, .. } => Func::lower(string).into(),
            Self::Property { table } => Func::coalesce([Expr::col((table, "string_folded")), string]).into(),
        }
    }
}

/// Whether the double is infinite, or one of those as which infinities are stored.
fn is_extreme(value: &Value) -> bool {
    matches!(value, Value::Double(value) if value.abs() >= f64::MAX)
}

fn among(stored: Expr, strings: impl ExactSizeIterator<Item = String>) -> Expr {
    let mut strings = strings;
    match (strings.len(), strings.next()) {
        (1, Some(only)) => stored.eq(only),
        (_, first) => stored.is_in(first.into_iter().chain(strings)),
    }
}

fn as_string(value: &Value) -> Option<&str> {
    match value {
        Value::String(string) => Some(string),
        _ => None,
    }
}

fn bound(value: &Value) -> Bound {
    match value {
        Value::String(string) => string.clone().into(),
        Value::Int(value) => (*value).into(),
        Value::Double(value) => (*value).into(),
        Value::Bool(value) => (*value).into(),
    }
}

/// Valid in all dialects, unlike a bare FALSE as a condition.
fn never() -> Expr {
    Expr::cust("1 = 0")
}

fn joined(members: impl Iterator<Item = Expr>, connect: impl Fn(Expr, Expr) -> Expr) -> Expr {
    members.reduce(connect).unwrap_or_else(never)
}

#[cfg(test)]
mod tests;
