//! Statements that select the values by which a list is ordered, in the order of their indexes.
//!
//! For each kind and type there is a **stream**: the entities of the kind in the order of their values of this type. One statement
//! reads the next values of all streams, each up to a limit, and they are merged in memory ([`super::ordered`]).

use model_registry_api::{EntityTable, Kind, SortOrder};
use model_registry_filter::ValueType;
use sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement, UnionType};

use super::ListRequest;
use super::Reading;
use super::index_scan::{PROPERTY, string_key};
use super::order_key::{KEY_CHARACTERS, Key, Place, compare_numbers};
use super::probe::number;
use super::value_order::{KindValues, Source, ValueOrder};
use crate::dialect::Dialect;
use crate::filter_sql::{after_prefix, force_index, property_index};
use crate::from_row;
use crate::keyset::{is_after, is_from, order};
use crate::read::padded;
use crate::tables::{NAN, NOT_FINITE, WORKSPACE, constant, table, value_column};

/// A value of an entity.
pub(super) struct ValueRow {
    /// The position of the stream.
    pub(super) stream: i64,
    id: i64,
    integer: Option<i64>,
    number: Option<f64>,
    string: Option<String>,
}

/// The last row of a stream.
pub(super) struct LastRow {
    pub(super) stream: i64,
    pub(super) string: Option<String>,
}

impl ValueRow {
    pub(super) fn as_last(&self) -> LastRow {
        LastRow { stream: self.stream, string: self.string.clone() }
    }
}

from_row!(ValueRow { stream, id, integer, number, string });

/// The entities of one kind with a value of one type, in its order.
#[derive(Clone, Copy)]
pub(super) struct Stream<'a> {
    kind: Kind,
    source: &'a Source,
    /// Of booleans there are two streams.
    boolean: Option<bool>,
}

/// Where a stream continues after a place in the list.
#[derive(Debug, PartialEq)]
enum Start {
    /// At its first value.
    First,
    /// It is finished.
    Nowhere,
    /// At further ids with this value, then at later values.
    Within(Bound),
    /// At this value.
    At(Bound),
    /// At later values.
    Beyond(Bound),
    /// Of one value: at further ids.
    Ids,
}

#[derive(Debug, PartialEq)]
enum Bound {
    Int(i64),
    Double(f64),
    String(String),
}

impl Bound {
    fn expression(&self) -> Expr {
        match self {
            Self::Int(value) => Expr::val(*value),
            Self::Double(value) => Expr::val(*value),
            Self::String(value) => Expr::val(value.as_str()),
        }
    }
}

/// What a stream is restricted to.
enum Restriction<'a> {
    /// The next values after a place.
    After(Option<&'a Place>, u64),
    Ids(&'a [i64]),
}

/// The columns that can hold no NULL.
fn is_never_null(table: &str, column: &str) -> bool {
    matches!(column, "id" | "name" | "create_time" | "update_time") || (table, column) == ("resource", "parent_id")
}

/// Whether an index has the entities of a kind in the order of the column, which is not the id or a time.
fn is_indexed(table: &str, column: &str) -> bool {
    matches!(
        (table, column),
        ("resource", "name" | "parent_id" | "state") | ("artifact", "name" | "state" | "value" | "step")
    )
}

/// Selects the values for one list.
pub(super) struct Values<'a> {
    pub(super) request: &'a ListRequest<'a>,
    pub(super) order: &'a ValueOrder,
    pub(super) dialect: Dialect,
}

impl<'a> Values<'a> {
    pub(super) fn streams(&self) -> Vec<Stream<'a>> {
        let of_kind = |values: &'a KindValues| {
            values.sources.iter().flat_map(move |source| {
                let is_boolean = matches!(source, Source::Property { value: ValueType::Bool, .. });
                let booleans: &[Option<bool>] = if is_boolean { &[Some(false), Some(true)] } else { &[None] };
                booleans.iter().map(move |boolean| Stream { kind: values.kind, source, boolean: *boolean })
            })
        };
        self.order.kinds.iter().flat_map(of_kind).collect()
    }

    /// Whether the database has to sort all entities of the list, because no index has its order.
    pub(super) fn column_without_index(&self) -> Option<&'static str> {
        self.order.kinds.iter().flat_map(|values| values.sources.iter().map(|source| (values.kind, source))).find_map(
            |(kind, source)| match source {
                Source::Column { name, .. } if !is_indexed(table(kind), name) => Some(*name),
                _ => None,
            },
        )
    }

    /// Selects the next values of each stream after the place, at most so many; `None` if there are none.
    pub(super) fn after(&self, place: Option<&Place>, most: u64) -> Option<SelectStatement> {
        self.united(|stream| {
            if stream.start(place, self.request.sort_order) == Start::Nowhere {
                return Vec::new();
            }
            self.rows(stream, &Restriction::After(place, most))
        })
    }

    /// Selects the values of these entities.
    pub(super) fn of_ids(&self, ids: &[i64]) -> Option<SelectStatement> {
        self.united(|stream| self.rows(stream, &Restriction::Ids(ids)))
    }

    fn united(&self, select: impl Fn(&Stream<'a>) -> Vec<SelectStatement>) -> Option<SelectStatement> {
        let mut all: Option<SelectStatement> = None;
        for (stream, position) in self.streams().iter().zip(0_i64..) {
            for rows in select(stream) {
                let part = self.numbered(stream, position, rows);
                match &mut all {
                    Some(all) => {
                        all.union(UnionType::All, part);
                    }
                    None => all = Some(part),
                }
            }
        }
        all
    }

    /// Gives the rows of all streams the same columns.
    fn numbered(&self, stream: &Stream<'_>, position: i64, rows: SelectStatement) -> SelectStatement {
        let value_type = stream.value_type();
        let column = |of: &[ValueType], sql_type: &'static str| -> Expr {
            if of.contains(&value_type) {
                return Expr::col("value");
            }
            match self.dialect {
                Dialect::Postgres => Expr::cust("NULL").cast_as(Alias::new(sql_type)),
                Dialect::Sqlite | Dialect::MySql => Expr::cust("NULL"),
            }
        };
        Query::select()
            .expr_as(number(position, self.dialect), "stream")
            .column("id")
            .expr_as(column(&[ValueType::Int], "bigint"), "integer")
            .expr_as(column(&[ValueType::Double], "double precision"), "number")
            .expr_as(column(&[ValueType::String], "text"), "string")
            .from_subquery(rows, "of_stream")
            .take()
    }

    /// The rows of a stream: the id and the value.
    fn rows(&self, stream: &Stream<'_>, restriction: &Restriction<'_>) -> Vec<SelectStatement> {
        let (id, key) = (stream.id(), stream.key(self.dialect));
        let (place, most) = match restriction {
            Restriction::Ids(ids) => return vec![self.rows_of_ids(stream, ids)],
            Restriction::After(place, most) => (*place, *most),
        };
        let mut rows = Query::select();
        rows.expr_as(id.clone(), "id").expr_as(stream.selected(self.dialect), "value");
        self.add_source(stream, &mut rows);
        if let Source::Property { value, .. } = stream.source {
            force_index(&mut rows, property_index(*value, self.dialect), self.dialect);
        }
        if let Source::Property { several: true, .. } = stream.source {
            rows.and_where(self.is_first_of_owner(stream));
        }
        let direction = self.request.sort_order;
        let is_later_id = || place.map(|place| is_after(direction, id.clone(), place.id));
        if stream.is_of_one_value() {
            if stream.start(place, direction) == Start::Ids {
                rows.cond_where(sea_query::Cond::all().add_option(is_later_id()));
            }
            return vec![rows.order_by_expr(id, order(direction)).limit(most).take()];
        }
        let ordered = |mut rows: SelectStatement| {
            rows.order_by_expr(key.clone(), order(direction))
                .order_by_expr(id.clone(), order(direction))
                .limit(most)
                .take()
        };
        match stream.start(place, direction) {
            Start::First | Start::Ids => vec![ordered(rows)],
            Start::Nowhere => Vec::new(),
            Start::At(bound) => {
                vec![ordered(rows.and_where(is_from(direction, key.clone(), bound.expression())).take())]
            }
            Start::Beyond(bound) => {
                vec![ordered(rows.and_where(is_after(direction, key.clone(), bound.expression())).take())]
            }
            Start::Within(Bound::String(prefix)) if self.is_shortened(stream, &prefix) => {
                let place = place.map_or(0, |place| place.id);
                let within = self.with_prefix(stream, &prefix, Some(place), most);
                within.into_iter().chain(self.beyond_prefix(rows, &prefix).map(ordered)).collect()
            }
            Start::Within(bound) => {
                // Not a row comparison, for which MySQL does not use the index.
                rows.and_where(is_from(direction, key.clone(), bound.expression()));
                let later = is_after(direction, key.clone(), bound.expression());
                rows.and_where(is_later_id().map_or(later.clone(), |later_id| later.or(later_id)));
                vec![ordered(rows)]
            }
        }
    }

    /// The rows of these entities. They are read by the primary keys: as expressions, other columns are in no index.
    fn rows_of_ids(&self, stream: &Stream<'_>, ids: &[i64]) -> SelectStatement {
        let id = stream.id();
        let mut rows = Query::select();
        rows.expr_as(id.clone(), "id").expr_as(stream.selected(self.dialect), "value").and_where(id.is_in(padded(ids)));
        match stream.source {
            Source::Property { name, built_in_only, value, .. } => {
                let column = |name: &'static str| Expr::col((PROPERTY, name));
                rows.from(PROPERTY)
                    .and_where(column("kind").eq(constant(stream.kind.code())))
                    .and_where(column("name").eq(name.as_str()));
                if *built_in_only {
                    rows.and_where(column("custom").eq(false));
                }
                let stored = column(value_column(*value));
                rows.and_where(match stream.boolean {
                    Some(boolean) => stored.eq(constant(boolean)),
                    None => stored.is_not_null(),
                });
            }
            Source::Column { .. } | Source::Constant(_) => {
                let table = table(stream.kind);
                rows.from(table);
                if stream.kind.spec().table != EntityTable::MetricPoint {
                    rows.and_where(Expr::col((table, "kind")).add(constant(0)).eq(constant(stream.kind.code())));
                }
                if let Source::Column { value: ValueType::Double, .. } = stream.source {
                    let mark = || Expr::col((table, NOT_FINITE));
                    rows.and_where(mark().is_null().or(mark().ne(constant(NAN))));
                }
            }
        }
        rows
    }

    /// Whether strings with this key may differ after it, in an index that holds whole strings: such an index has them in the
    /// order of the whole strings, and the list in the order of their ids.
    fn is_shortened(&self, stream: &Stream<'_>, key: &str) -> bool {
        self.dialect == Dialect::Sqlite
            && matches!(stream.source, Source::Property { value: ValueType::String, .. })
            && key.chars().count() >= KEY_CHARACTERS
    }

    /// For the last of so many rows of a stream: the statement for all with the same key in the order of the list, if the index
    /// does not have them in this order.
    pub(super) fn whole_group(&self, row: &LastRow, most: u64) -> Option<SelectStatement> {
        let stream = *self.streams().get(usize::try_from(row.stream).ok()?)?;
        let key = row.string.as_deref().filter(|key| self.is_shortened(&stream, key))?;
        let rows = self.with_prefix(&stream, key, None, most).pop()?;
        Some(self.numbered(&stream, row.stream, rows))
    }

    /// The owners of strings that begin with all characters of a key, in the order of their ids.
    fn with_prefix(&self, stream: &Stream<'_>, prefix: &str, after: Option<i64>, most: u64) -> Vec<SelectStatement> {
        let (id, key) = (stream.id(), stream.key(self.dialect));
        let direction = self.request.sort_order;
        let mut rows = Query::select();
        rows.expr_as(id.clone(), "id").expr_as(stream.selected(self.dialect), "value");
        self.add_source(stream, &mut rows);
        if let Source::Property { several: true, .. } = stream.source {
            rows.and_where(self.is_first_of_owner(stream));
        }
        rows.and_where(key.clone().gte(prefix));
        if let Some(end) = after_prefix(prefix) {
            rows.and_where(key.lt(end));
        }
        if let Some(after) = after {
            rows.and_where(is_after(direction, id.clone(), after));
        }
        vec![rows.order_by_expr(id, order(direction)).limit(most).take()]
    }

    /// Restricts the rows to those after all strings with this prefix.
    fn beyond_prefix(&self, mut rows: SelectStatement, prefix: &str) -> Option<SelectStatement> {
        let key = Expr::col((PROPERTY, string_key(self.dialect)));
        match self.request.sort_order {
            SortOrder::Ascending => Some(rows.and_where(key.gte(after_prefix(prefix)?)).take()),
            SortOrder::Descending => Some(rows.and_where(key.lt(prefix)).take()),
        }
    }

    /// Adds the table of the stream and the conditions for its rows.
    fn add_source(&self, stream: &Stream<'_>, rows: &mut SelectStatement) {
        let kind = stream.kind;
        match stream.source {
            Source::Property { name, built_in_only, value, .. } => {
                rows.from(PROPERTY)
                    .and_where(Expr::col((PROPERTY, "workspace_id")).eq(constant(WORKSPACE)))
                    .and_where(Expr::col((PROPERTY, "kind")).eq(constant(kind.code())))
                    .and_where(Expr::col((PROPERTY, "name")).eq(name.as_str()));
                if *built_in_only {
                    rows.and_where(Expr::col((PROPERTY, "custom")).eq(false));
                }
                match stream.boolean {
                    Some(boolean) => {
                        rows.and_where(Expr::col((PROPERTY, value_column(*value))).eq(constant(boolean)));
                    }
                    // The condition of the partial index.
                    None => {
                        rows.and_where(stream.key(self.dialect).is_not_null());
                    }
                }
            }
            Source::Column { name, value } => {
                let table = table(kind);
                rows.from(table);
                if is_indexed(table, name) {
                    add_kind(rows, kind);
                } else {
                    // All of them are sorted, so only those of the list are read.
                    let of_kind = ListRequest { kinds: &[kind], ..self.request.clone() };
                    of_kind.add_scope(rows, kind, &Reading::Walk { until: None }, self.dialect);
                }
                if !is_never_null(table, name) {
                    rows.and_where(Expr::col((table, *name)).is_not_null());
                }
                if *value == ValueType::Double {
                    let mark = || Expr::col((table, NOT_FINITE));
                    rows.and_where(mark().is_null().or(mark().ne(constant(NAN))));
                }
            }
            Source::Constant(_) => {
                rows.from(table(kind));
                add_kind(rows, kind);
            }
        }
    }

    /// Of several values of an entity, the first in the order of the list counts.
    fn is_first_of_owner(&self, stream: &Stream<'_>) -> Expr {
        let Source::Property { built_in_only, value, .. } = stream.source else { return Expr::cust("1 = 1") };
        let column = match value {
            ValueType::String => string_key(self.dialect),
            other => value_column(*other),
        };
        let earlier = |name: &'static str| Expr::col(("earlier", name));
        let this = |name: &'static str| Expr::col((PROPERTY, name));
        let is_before = match self.request.sort_order {
            SortOrder::Ascending => earlier(column).lt(this(column)),
            SortOrder::Descending => earlier(column).gt(this(column)),
        };
        let is_first_of_equal = earlier(column).eq(this(column)).and(
            earlier("custom")
                .lt(this("custom"))
                .or(earlier("custom").eq(this("custom")).and(earlier("ordinal").lt(this("ordinal")))),
        );
        let mut rows = Query::select();
        rows.expr(self.dialect.per_row_subquery_column())
            .from_as(PROPERTY, "earlier")
            .and_where(earlier("kind").eq(constant(stream.kind.code())))
            .and_where(earlier("owner_id").eq(this("owner_id")))
            .and_where(earlier("name").eq(this("name")))
            .and_where(is_before.or(is_first_of_equal))
            .limit(1)
            .offset(0);
        if *built_in_only {
            rows.and_where(earlier("custom").eq(false));
        }
        Expr::exists(rows).not()
    }

    /// Whether an entity of the list has no value; `None` if all have one.
    pub(super) fn is_absent(&self) -> Option<Expr> {
        let is_one_kind = self.order.kinds.len() == 1;
        self.order
            .kinds
            .iter()
            .filter_map(|values| {
                let absent = self.is_absent_of(values)?;
                let is_kind = || Expr::col((table(values.kind), "kind")).eq(constant(values.kind.code()));
                Some(if is_one_kind { absent } else { is_kind().and(absent) })
            })
            .reduce(Expr::or)
    }

    fn is_absent_of(&self, values: &KindValues) -> Option<Expr> {
        let table = table(values.kind);
        match values.sources.first() {
            None => Some(Expr::cust("1 = 1")),
            Some(Source::Constant(_)) => None,
            Some(Source::Column { name, .. }) if is_never_null(table, name) => None,
            Some(Source::Column { name, value }) => {
                let is_null = Expr::col((table, *name)).is_null();
                if *value != ValueType::Double {
                    return Some(is_null);
                }
                let mark = || Expr::col((table, NOT_FINITE));
                Some(is_null.or(mark().is_not_null().and(mark().eq(constant(NAN)))))
            }
            Some(Source::Property { name, built_in_only, .. }) => {
                let column = |name: &'static str| Expr::col((PROPERTY, name));
                let has_value = values
                    .sources
                    .iter()
                    .filter_map(|source| match source {
                        Source::Property { value, .. } => Some(column(value_column(*value)).is_not_null()),
                        _ => None,
                    })
                    .reduce(Expr::or)?;
                let mut rows = Query::select();
                rows.expr(self.dialect.per_row_subquery_column())
                    .from(PROPERTY)
                    .and_where(column("kind").eq(constant(values.kind.code())))
                    .and_where(column("owner_id").eq(Expr::col((table, "id"))))
                    .and_where(column("name").eq(name.as_str()))
                    .and_where(has_value)
                    .limit(1)
                    .offset(0);
                if *built_in_only {
                    rows.and_where(column("custom").eq(false));
                }
                Some(Expr::exists(rows).not())
            }
        }
    }
}

impl Stream<'_> {
    fn value_type(&self) -> ValueType {
        match self.source {
            Source::Column { value, .. } | Source::Property { value, .. } => *value,
            Source::Constant(_) => ValueType::String,
        }
    }

    /// Whether the stream is in the order of ids.
    fn is_of_one_value(&self) -> bool {
        self.boolean.is_some() || matches!(self.source, Source::Constant(_))
    }

    fn id(&self) -> Expr {
        match self.source {
            Source::Property { .. } => Expr::col((PROPERTY, "owner_id")),
            Source::Column { .. } | Source::Constant(_) => Expr::col((table(self.kind), "id")),
        }
    }

    /// The column of the index.
    fn key(&self, dialect: Dialect) -> Expr {
        match self.source {
            Source::Property { value: ValueType::String, .. } => Expr::col((PROPERTY, string_key(dialect))),
            Source::Property { value, .. } => Expr::col((PROPERTY, value_column(*value))),
            Source::Column { name, .. } => Expr::col((table(self.kind), *name)),
            Source::Constant(value) => Expr::val(*value),
        }
    }

    /// The value as it is selected: of a whole string its beginning.
    fn selected(&self, dialect: Dialect) -> Expr {
        if self.is_of_one_value() {
            // The stream itself says which.
            return Expr::cust("NULL");
        }
        let key = self.key(dialect);
        match (dialect, self.source) {
            (Dialect::Sqlite, Source::Property { value: ValueType::String, .. }) => {
                let [first, count] = ["1".to_owned(), KEY_CHARACTERS.to_string()].map(Expr::cust);
                Func::cust("substr").args([key, first, count]).into()
            }
            _ => key,
        }
    }

    /// The place of a row.
    pub(super) fn place(&self, row: ValueRow) -> Place {
        let key = match (self.boolean, self.source) {
            (Some(boolean), _) => Key::Bool(boolean),
            (None, Source::Constant(value)) => Key::String((*value).to_owned()),
            (None, _) => match (row.integer, row.number, row.string) {
                (Some(value), ..) => Key::Int(value),
                (_, Some(value), _) => Key::Double(value),
                (.., Some(value)) => Key::String(value),
                (None, None, None) => Key::Absent,
            },
        };
        Place { key, id: row.id }
    }

    /// Where the stream continues after a place.
    fn start(&self, place: Option<&Place>, direction: SortOrder) -> Start {
        let Some(Place { key, .. }) = place else { return Start::First };
        let is_ascending = direction == SortOrder::Ascending;
        let rank = match (self.boolean, self.value_type()) {
            (Some(_), _) | (_, ValueType::Bool) => 2,
            (_, ValueType::String) => 1,
            (_, ValueType::Int | ValueType::Double) => 0,
        };
        // Entities without a value are after all streams in both directions.
        if *key == Key::Absent {
            return Start::Nowhere;
        }
        let one_value = |ordering: std::cmp::Ordering| {
            let ordering = if is_ascending { ordering } else { ordering.reverse() };
            match ordering {
                std::cmp::Ordering::Less => Start::Nowhere,
                std::cmp::Ordering::Equal => Start::Ids,
                std::cmp::Ordering::Greater => Start::First,
            }
        };
        match (key, self.value_type(), self.source) {
            (key, ..) if key.rank() != rank => {
                if (rank > key.rank()) == is_ascending {
                    Start::First
                } else {
                    Start::Nowhere
                }
            }
            (Key::Bool(at), ..) => self.boolean.map_or(Start::Nowhere, |boolean| one_value(boolean.cmp(at))),
            (Key::String(at), _, Source::Constant(value)) => one_value((*value).cmp(at.as_str())),
            (Key::String(at), ..) => Start::Within(Bound::String(at.clone())),
            (Key::Int(at), ValueType::Int, _) => Start::Within(Bound::Int(*at)),
            (Key::Double(at), ValueType::Double, _) => Start::Within(Bound::Double(*at)),
            (Key::Int(at), ..) => double_start(*at, is_ascending),
            (Key::Double(at), ..) => integer_start(*at, is_ascending),
            (Key::Absent, ..) => Start::Nowhere,
        }
    }
}

/// Where a stream of doubles continues after an integer.
#[expect(clippy::cast_precision_loss, reason = "what is lost is compared")]
fn double_start(at: i64, is_ascending: bool) -> Start {
    let rounded = at as f64;
    let bound = Bound::Double(rounded);
    match compare_numbers(at, rounded) {
        std::cmp::Ordering::Equal => Start::Within(bound),
        ordering if ordering.is_lt() == is_ascending => Start::At(bound),
        _ => Start::Beyond(bound),
    }
}

/// Where a stream of integers continues after a double.
fn integer_start(at: f64, is_ascending: bool) -> Start {
    if compare_numbers(i64::MAX, at).is_lt() {
        return if is_ascending { Start::Nowhere } else { Start::First };
    }
    if compare_numbers(i64::MIN, at).is_gt() {
        return if is_ascending { Start::First } else { Start::Nowhere };
    }
    #[expect(clippy::cast_possible_truncation, reason = "in the range of 64 bits")]
    let whole = at.floor() as i64;
    let bound = Bound::Int(whole);
    match (compare_numbers(whole, at).is_eq(), is_ascending) {
        (true, _) => Start::Within(bound),
        (false, true) => Start::Beyond(bound),
        (false, false) => Start::At(bound),
    }
}

/// Adds the conditions for the rows of a kind.
fn add_kind(rows: &mut SelectStatement, kind: Kind) {
    let table = table(kind);
    rows.and_where(Expr::col((table, "workspace_id")).eq(constant(WORKSPACE)));
    if kind.spec().table != EntityTable::MetricPoint {
        rows.and_where(Expr::col((table, "kind")).eq(constant(kind.code())));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_numbers_continue_exactly_after_numbers_of_the_other_type() {
        assert_eq!(double_start(3, true), Start::Within(Bound::Double(3.0)));
        // 2^53 + 1 is rounded down to 2^53, 2^53 + 3 up to 2^53 + 4.
        let even = 9_007_199_254_740_992_i64;
        assert_eq!(double_start(even + 1, true), Start::Beyond(Bound::Double(9_007_199_254_740_992.0)));
        assert_eq!(double_start(even + 1, false), Start::At(Bound::Double(9_007_199_254_740_992.0)));
        assert_eq!(double_start(even + 3, true), Start::At(Bound::Double(9_007_199_254_740_996.0)));
        assert_eq!(double_start(even + 3, false), Start::Beyond(Bound::Double(9_007_199_254_740_996.0)));
        assert_eq!(integer_start(2.0, false), Start::Within(Bound::Int(2)));
        assert_eq!(integer_start(2.5, true), Start::Beyond(Bound::Int(2)));
        assert_eq!(integer_start(2.5, false), Start::At(Bound::Int(2)));
        assert_eq!(integer_start(-2.5, true), Start::Beyond(Bound::Int(-3)));
        assert_eq!(integer_start(f64::MAX, true), Start::Nowhere);
        assert_eq!(integer_start(f64::MIN, true), Start::First);
    }
}
