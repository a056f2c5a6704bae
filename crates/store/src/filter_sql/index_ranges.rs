//! The ranges of indexes that contain every match of a filter.
//!
//! A comparison finds values that are adjacent in an index (`accuracy > 0.9`, `commit LIKE 'abc%'`), or at least entities that
//! have the property: the owners of a name are adjacent in an index, too. The ids in these ranges, combined as the filter
//! combines its comparisons, contain those of all matches. They are a superset: the filter itself decides.

use model_registry_filter::{
    Comparator, Condition, ESCAPE, Expression, FilterError, Pattern, Subject, Test, Value, ValueType, check,
};
use sea_query::extension::mysql::{IndexHintScope, MySqlSelectStatementExt};
use sea_query::{Expr, ExprTrait, Func, LikeExpr, Query, SelectStatement};

use super::Scope;
use super::compile::INDEXED_PREFIX;
use crate::dialect::Dialect;
use crate::tables::{constant, value_column};

/// Ranges for the values of one list, at most: an index is sought for each of them.
const MAX_VALUES: usize = 16;

/// Makes MySQL read this index of `property`. Otherwise it may read the primary key, which is in the order of the owners as well,
/// but has the properties of all names.
pub(crate) fn force_index(select: &mut SelectStatement, index: &'static str, dialect: Dialect) {
    if dialect == Dialect::MySql {
        select.force_index(index, IndexHintScope::All);
    }
}

/// The index on the values of this type; of booleans MySQL has none.
pub(crate) const fn property_index(value_type: ValueType, dialect: Dialect) -> &'static str {
    match (value_type, dialect) {
        (ValueType::String, _) => "property_string",
        (ValueType::Int, _) => "property_int",
        (ValueType::Double, _) => "property_double",
        (ValueType::Bool, Dialect::MySql) => "property_name",
        (ValueType::Bool, Dialect::Sqlite | Dialect::Postgres) => "property_bool",
    }
}

/// A column of an entity table with an index, in which rows with the same value are in the order of their ids.
struct IndexedColumn {
    table: &'static str,
    name: &'static str,
    /// Whether the index begins with workspace and kind, instead of with the workspace alone.
    has_kind: bool,
}

const INDEXED_COLUMNS: [IndexedColumn; 15] = [
    IndexedColumn { table: "resource", name: "id", has_kind: true },
    IndexedColumn { table: "resource", name: "name", has_kind: true },
    IndexedColumn { table: "resource", name: "parent_id", has_kind: true },
    IndexedColumn { table: "resource", name: "state", has_kind: true },
    IndexedColumn { table: "resource", name: "create_time", has_kind: true },
    IndexedColumn { table: "resource", name: "update_time", has_kind: true },
    IndexedColumn { table: "artifact", name: "id", has_kind: true },
    IndexedColumn { table: "artifact", name: "name", has_kind: true },
    IndexedColumn { table: "artifact", name: "state", has_kind: true },
    IndexedColumn { table: "artifact", name: "value", has_kind: true },
    IndexedColumn { table: "artifact", name: "step", has_kind: true },
    IndexedColumn { table: "artifact", name: "create_time", has_kind: false },
    IndexedColumn { table: "artifact", name: "update_time", has_kind: false },
    IndexedColumn { table: "metric_point", name: "id", has_kind: false },
    IndexedColumn { table: "metric_point", name: "create_time", has_kind: false },
];

/// The ranges of a filter.
pub(crate) struct IndexRanges {
    pub(crate) superset: Superset,
    /// Each selects the ids in one range, in a column `id`, in the order of the index.
    pub(crate) ranges: Vec<SelectStatement>,
    /// For some ranges, by their positions: the ids of those entries that may match, found by reading all entries. That takes a
    /// tenth of the time of testing the entities.
    pub(crate) sifted: Vec<(usize, SelectStatement)>,
}

/// Which entities can match, given the ids in the ranges.
#[cfg_attr(test, derive(Clone))]
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Superset {
    /// Any; no index narrows them.
    Everything,
    /// Those in at least one of the ranges with these positions.
    Ranges(std::ops::Range<usize>),
    /// Those in all of the members.
    Every(Vec<Superset>),
    /// Those in at least one of the members.
    Either(Vec<Superset>),
}

impl Superset {
    /// The ids in ascending order, given those of each range, also ascending; `None` if ranges whose ids are not known leave
    /// too many.
    pub(crate) fn ids(&self, found: &[Option<Vec<i64>>]) -> Option<Vec<i64>> {
        match self {
            Self::Everything => None,
            Self::Ranges(positions) => {
                let mut all = Vec::new();
                for ids in found.get(positions.clone())? {
                    all = united(all, ids.as_ref()?);
                }
                Some(all)
            }
            Self::Every(members) => {
                members.iter().filter_map(|member| member.ids(found)).reduce(|one, other| shared(&one, &other))
            }
            Self::Either(members) => members
                .iter()
                .map(|member| member.ids(found))
                .reduce(|one, other| Some(united(one?, &other?)))
                .unwrap_or_else(|| Some(Vec::new())),
        }
    }

    /// Whether the ids of some ranges can narrow the list.
    pub(crate) fn is_narrow(&self) -> bool {
        match self {
            Self::Everything => false,
            Self::Ranges(_) => true,
            Self::Every(members) => members.iter().any(Self::is_narrow),
            Self::Either(members) => members.iter().all(Self::is_narrow),
        }
    }
}

/// The ids in one of them; all are ascending without duplicates.
fn united(mut one: Vec<i64>, other: &[i64]) -> Vec<i64> {
    if one.is_empty() {
        return other.to_vec();
    }
    one.extend_from_slice(other);
    one.sort_unstable();
    one.dedup();
    one
}

/// The ids in both.
fn shared(one: &[i64], other: &[i64]) -> Vec<i64> {
    let (few, many) = if one.len() < other.len() { (one, other) } else { (other, one) };
    few.iter().copied().filter(|id| many.binary_search(id).is_ok()).collect()
}

/// Returns the ranges of a filter. With `except_required`, those of its required strings are left out: an index scan follows
/// one of them.
pub(crate) fn index_ranges(
    expression: &Expression,
    scope: &Scope<'_>,
    except_required: bool,
    dialect: Dialect,
) -> Result<IndexRanges, FilterError> {
    let condition = check(expression, scope.resolve)?;
    let mut builder = Builder { scope, dialect, ranges: Vec::new(), sifted: Vec::new() };
    let superset = builder.superset(&condition, except_required);
    Ok(IndexRanges { superset, ranges: builder.ranges, sifted: builder.sifted })
}

struct Builder<'a> {
    scope: &'a Scope<'a>,
    dialect: Dialect,
    ranges: Vec<SelectStatement>,
    sifted: Vec<(usize, SelectStatement)>,
}

/// Adjacent values of one column.
struct Bounds {
    value_type: ValueType,
    conditions: Vec<Bound>,
    /// Whether there is one value, so that the index is in the order of ids.
    is_one_value: bool,
}

#[derive(Clone)]
enum Bound {
    Compare(Comparator, Value),
    /// Without the value itself.
    Unequal(Comparator, Value),
    In(Vec<Value>),
}

impl Builder<'_> {
    fn superset(&mut self, condition: &Condition, except_required: bool) -> Superset {
        match condition {
            Condition::All(members) => {
                Superset::Every(members.iter().map(|member| self.superset(member, except_required)).collect())
            }
            Condition::Any(members) => {
                let members: Vec<_> = members.iter().map(|member| self.superset(member, false)).collect();
                Superset::Either(members)
            }
            // Entities without the property match, which no index has.
            Condition::Not(_) | Condition::Related(_) => Superset::Everything,
            Condition::Holds { subject: Subject::Property { name, .. }, test } => {
                if except_required && test.equal_string().is_some() {
                    return Superset::Everything;
                }
                let first = self.ranges.len();
                self.property(name, test);
                Superset::Ranges(first..self.ranges.len())
            }
            Condition::Holds { subject: Subject::Column { name, .. }, test } => {
                let indexed =
                    INDEXED_COLUMNS.iter().find(|column| column.table == self.scope.table && column.name == *name);
                let (Some(column), Some(bounds)) = (indexed, bounds(test, self.has_booleans())) else {
                    return Superset::Everything;
                };
                let first = self.ranges.len();
                self.column(column, &bounds);
                Superset::Ranges(first..self.ranges.len())
            }
        }
    }

    /// Whether booleans have an index: a partial one, which MySQL lacks.
    fn has_booleans(&self) -> bool {
        self.dialect != Dialect::MySql
    }

    /// Adds the ranges of values, or the range of the name if the values are not adjacent. There is one for each kind, because
    /// the index has the order only within a kind.
    fn property(&mut self, name: &str, test: &Test) {
        let table = self.scope.properties;
        let column = |name: &'static str| Expr::col((table, name));
        let bounds = bounds(test, self.has_booleans());
        for kind in self.scope.kinds {
            let of_name = Query::select()
                .expr_as(column("owner_id"), "id")
                .from(table)
                .and_where(column("workspace_id").eq(constant(self.scope.workspace_id)))
                .and_where(column("kind").eq(constant(*kind)))
                .and_where(column("name").eq(name))
                .take();
            if let Test::Like { negated: false, ignore_case, pattern } = test {
                let sifted = self.sifted(of_name.clone(), pattern, *ignore_case, bounds.as_deref());
                self.sifted.push((self.ranges.len(), sifted));
            }
            let Some(bounds) = &bounds else {
                let mut range = of_name;
                force_index(&mut range, "property_name", self.dialect);
                self.ranges.push(range.order_by((table, "owner_id"), sea_query::Order::Asc).take());
                continue;
            };
            for bounds in bounds {
                let key = match bounds.value_type {
                    ValueType::String => self.scope.string_key.unwrap_or("string_value"),
                    other => value_column(other),
                };
                let mut range = of_name.clone();
                force_index(&mut range, property_index(bounds.value_type, self.dialect), self.dialect);
                if bounds.value_type == ValueType::Bool {
                    // The condition of the partial index.
                    range.and_where(column(key).is_not_null());
                }
                for bound in &bounds.conditions {
                    range.and_where(bound.condition(column(key), self.dialect != Dialect::Sqlite));
                }
                // The order of the index makes reading its beginning the best plan by far.
                let order = if bounds.is_one_value { "owner_id" } else { key };
                self.ranges.push(range.order_by((table, order), sea_query::Order::Asc).take());
            }
        }
    }

    /// The owners of the name whose indexed string may match the pattern.
    fn sifted(
        &self,
        mut of_name: SelectStatement,
        pattern: &Pattern,
        ignore_case: bool,
        bounds: Option<&[Bounds]>,
    ) -> SelectStatement {
        let table = self.scope.properties;
        force_index(&mut of_name, "property_string", self.dialect);
        let key = self.scope.string_key.unwrap_or("string_value");
        let string = || Expr::col((table, key));
        let like = LikeExpr::new(pattern.as_sql()).escape(ESCAPE);
        let mut may_match = if ignore_case {
            // Databases agree with the folding of ASCII only. Others may match.
            let length = |function: &'static str| Expr::from(Func::cust(function).arg(string()));
            let characters = if self.dialect == Dialect::Sqlite { "length" } else { "char_length" };
            Expr::from(Func::lower(string())).like(like).or(length("octet_length").ne(length(characters)))
        } else {
            string().like(like)
        };
        if self.dialect != Dialect::Sqlite {
            // The index has the beginning of a long string.
            let length = Expr::from(Func::cust("char_length").arg(string()));
            may_match = may_match.or(length.gte(constant(i64::try_from(INDEXED_PREFIX).unwrap_or(i64::MAX))));
        }
        for bound in bounds.into_iter().flatten().flat_map(|bounds| &bounds.conditions) {
            of_name.and_where(bound.condition(string(), self.dialect != Dialect::Sqlite));
        }
        // The index on strings has no other entries.
        of_name.and_where(string().is_not_null()).and_where(may_match);
        of_name.order_by((table, key), sea_query::Order::Asc).take()
    }

    fn column(&mut self, indexed: &IndexedColumn, bounds: &[Bounds]) {
        let column = |name: &'static str| Expr::col((indexed.table, name));
        let kinds: Vec<Option<i16>> =
            if indexed.has_kind { self.scope.kinds.iter().copied().map(Some).collect() } else { vec![None] };
        for kind in kinds {
            for bounds in bounds {
                let mut range = Query::select()
                    .expr_as(column("id"), "id")
                    .from(indexed.table)
                    .and_where(column("workspace_id").eq(constant(self.scope.workspace_id)))
                    .take();
                if let Some(kind) = kind {
                    range.and_where(column("kind").eq(constant(kind)));
                }
                for bound in &bounds.conditions {
                    range.and_where(bound.condition(column(indexed.name), false));
                }
                let order = if bounds.is_one_value { "id" } else { indexed.name };
                self.ranges.push(range.order_by((indexed.table, order), sea_query::Order::Asc).take());
            }
        }
    }
}

/// The ranges of the values that pass; `None` if no index has them.
fn bounds(test: &Test, has_booleans: bool) -> Option<Vec<Bounds>> {
    match test {
        Test::Never => Some(Vec::new()),
        Test::Compare(_, Value::Bool(_)) if !has_booleans => None,
        Test::Compare(Comparator::NotEqual, value) => unequal(value),
        Test::Compare(comparator, value) => Some(vec![compared(*comparator, value)?]),
        Test::In { values, .. } if !has_booleans && values.iter().any(|value| matches!(value, Value::Bool(_))) => None,
        Test::In { negated: false, values } => {
            if values.len() <= MAX_VALUES {
                return values.iter().map(|value| compared(Comparator::Equal, value)).collect();
            }
            let value_type = values.first()?.value_type();
            let values = values.iter().cloned().map(finite).collect();
            Some(vec![Bounds { value_type, conditions: vec![Bound::In(values)], is_one_value: false }])
        }
        Test::Like { negated: false, ignore_case: false, pattern } => {
            let prefix: String = pattern.prefix().chars().take(INDEXED_PREFIX).collect();
            if prefix.is_empty() {
                return None;
            }
            let after = after_prefix(&prefix);
            let mut conditions = vec![Bound::Compare(Comparator::GreaterOrEqual, Value::String(prefix))];
            conditions.extend(after.map(|after| Bound::Compare(Comparator::Less, Value::String(after))));
            Some(vec![Bounds { value_type: ValueType::String, conditions, is_one_value: false }])
        }
        Test::Any(tests) => {
            let mut all = Vec::new();
            for test in tests {
                all.extend(bounds(test, has_booleans)?);
            }
            Some(all)
        }
        Test::All(tests) => {
            // A value must pass all of them: both ends of a range, or any one that has a range.
            let mut all = tests.iter().filter_map(|test| bounds(test, has_booleans));
            let mut first = all.next()?;
            for further in all {
                if let ([one], [other]) = (first.as_mut_slice(), further.as_slice())
                    && one.value_type == other.value_type
                {
                    let further = further.into_iter().flat_map(|bounds| bounds.conditions);
                    one.conditions.extend(further);
                }
            }
            Some(first)
        }
        Test::In { negated: true, .. } | Test::Like { .. } | Test::Present(_) | Test::Nan => None,
    }
}

/// The values on both sides of one.
fn unequal(value: &Value) -> Option<Vec<Bounds>> {
    match value {
        Value::Bool(value) => Some(vec![compared(Comparator::Equal, &Value::Bool(!value))?]),
        // A longer string may have an equal beginning.
        Value::String(string) if string.chars().count() >= INDEXED_PREFIX => None,
        Value::String(_) | Value::Int(_) => {
            let side = |comparator| Bounds {
                value_type: value.value_type(),
                conditions: vec![Bound::Unequal(comparator, value.clone())],
                is_one_value: false,
            };
            Some([Comparator::Less, Comparator::Greater].map(side).into())
        }
        // NaN is unequal to every number, and in no range.
        Value::Double(_) => None,
    }
}

fn compared(comparator: Comparator, value: &Value) -> Option<Bounds> {
    if comparator == Comparator::NotEqual {
        return None;
    }
    Some(Bounds {
        value_type: value.value_type(),
        conditions: vec![Bound::Compare(comparator, finite(value.clone()))],
        is_one_value: comparator == Comparator::Equal,
    })
}

/// An infinity is stored as the largest number of its sign, and ranges include their ends.
fn finite(value: Value) -> Value {
    match value {
        Value::Double(value) => Value::Double(value.clamp(f64::MIN, f64::MAX)),
        other => other,
    }
}

impl Bound {
    /// The condition on the column. It includes the end of the range, at which a shortened string or an infinity may be.
    fn condition(&self, column: Expr, is_prefix: bool) -> Expr {
        let bound = |value: &Value| -> Expr {
            match value {
                Value::String(string) if is_prefix => {
                    Expr::val(string.chars().take(INDEXED_PREFIX).collect::<String>())
                }
                Value::String(string) => Expr::val(string.as_str()),
                Value::Int(value) => Expr::val(*value),
                Value::Double(value) => Expr::val(*value),
                Value::Bool(value) => Expr::val(*value),
            }
        };
        match self {
            Self::In(values) => column.is_in(values.iter().map(bound)),
            Self::Unequal(Comparator::Less, value) => column.lt(bound(value)),
            Self::Unequal(_, value) => column.gt(bound(value)),
            Self::Compare(comparator, value) => match comparator {
                Comparator::Greater | Comparator::GreaterOrEqual => column.gte(bound(value)),
                Comparator::Less | Comparator::LessOrEqual => column.lte(bound(value)),
                Comparator::Equal | Comparator::NotEqual => column.eq(bound(value)),
            },
        }
    }
}

/// The first string after all those that begin with the prefix, in the order of characters; `None` if there is none.
pub(crate) fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        // There are no characters for some numbers.
        if let Some(next) = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests;
