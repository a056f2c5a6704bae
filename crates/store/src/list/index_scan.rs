//! Filtered lists as an index scan over the owners of a string property, instead of over all entities by id.
//!
//! Every match of `stage = 'production' AND team = 'blue' AND …` has both strings, and the index on string properties holds
//! the owners of each string in the order of their ids. So the list scans the owners of one of the strings, evaluates the
//! rest of the filter one owner at a time, and stops when the page is full. The cost of a page depends on the distance
//! between matches, not on the number of rows. The statement itself finds the rarest string, without statistics: the one
//! whose next [`REACH`] owners are the farthest apart. Owners whose [`bloom_filter`] lacks another required string are
//! skipped.
//!
//! The scan never decides what matches: its rows are a superset, and the complete filter is evaluated for each. It has a budget
//! of ids, among which there are no more owners.

use model_registry_api::SortOrder;
use sea_query::{Alias, CommonTableExpression, Expr, ExprTrait, JoinType, Order, Query, SelectStatement, UnionType};

use crate::bloom_filter;
use crate::dialect::Dialect;
use crate::filter_sql::{INDEXED_PREFIX, RequiredString};
use crate::keyset::{is_after, is_until, order};
use crate::tables::WORKSPACE;

/// The alias of the scanned rows of `property`.
pub(super) const SCANNED: &str = "scanned";

/// The table of property values.
pub(super) const PROPERTY: &str = "property";

/// How many owners of a string are counted to estimate how rare it is.
const REACH: u64 = 64;

/// The indexed column of `property`: the beginning of each string, on SQLite the whole string.
pub(crate) const fn string_key(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "string_value",
        Dialect::Postgres | Dialect::MySql => "string_key",
    }
}

/// Where a scan ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum ScanEnd {
    /// At the last owner.
    Nowhere,
    /// After so many owners.
    After(u64),
    /// At this id.
    At(i64),
}

/// A scan over the owners of the rarest required string.
pub(super) struct IndexScan<'a> {
    pub(super) kind: i16,
    /// At least one.
    pub(super) required: &'a [RequiredString],
    pub(super) sort_order: SortOrder,
    /// The id after which the page starts.
    pub(super) after: Option<i64>,
    pub(super) end: ScanEnd,
    pub(super) dialect: Dialect,
}

impl IndexScan<'_> {
    /// Starts the statement: the scanned rows joined with `table`, in the order of their owners.
    pub(super) fn start(&self, table: &'static str) -> SelectStatement {
        let key = string_key(self.dialect);
        let scanned = |name: &'static str| Expr::col((SCANNED, name));
        let mut select = Query::select();
        select.from_as(PROPERTY, SCANNED);
        // These forms make SQLite and MySQL join in the given order.
        let join = match self.dialect {
            Dialect::Sqlite => JoinType::CrossJoin,
            Dialect::Postgres => JoinType::InnerJoin,
            Dialect::MySql => JoinType::StraightJoin,
        };
        let on = Expr::col((table, "id")).eq(scanned("owner_id"));
        if join == JoinType::CrossJoin {
            select.cross_join(table).and_where(on);
        } else {
            select.join(join, table, on);
        }
        select.and_where(scanned("workspace_id").eq(WORKSPACE)).and_where(scanned("kind").eq(self.kind));
        let (name, value) = self.string();
        select.and_where(scanned("name").eq(name)).and_where(scanned(key).eq(value));
        match self.required {
            [_] => {}
            several => {
                select.with_cte(self.rarest(several));
                let bits = several
                    .iter()
                    .fold(0, |bits, required| bits | bloom_filter::of_string(&required.property, &required.value));
                select.and_where(scanned("signature").bit_and(bits).eq(bits));
            }
        }
        if let Some(after) = self.after {
            select.and_where(is_after(self.sort_order, scanned("owner_id"), after));
        }
        match self.end {
            ScanEnd::Nowhere => {}
            ScanEnd::At(until) => {
                select.and_where(is_until(self.sort_order, scanned("owner_id"), until));
            }
            ScanEnd::After(owners) => {
                let last = Expr::SubQuery(None, Box::new(self.owner_after(owners).into()));
                let last = sea_query::Func::coalesce([last, self.beyond().into()]);
                select.and_where(is_until(self.sort_order, scanned("owner_id"), last));
            }
        }
        select.order_by((SCANNED, "owner_id"), order(self.sort_order));
        select
    }

    /// The name and the value of the scanned string.
    fn string(&self) -> (Expr, Expr) {
        if let [only] = self.required {
            return (Expr::val(only.property.as_str()), Expr::val(self.indexed(only)));
        }
        let rarest = |column: &'static str| {
            Expr::SubQuery(None, Box::new(Query::select().column(column).from("rarest").take().into()))
        };
        (rarest("name"), rarest("value"))
    }

    /// Selects the owner after so many of the scanned string, from the start of the page; within a statement that has the
    /// rarest string.
    fn owner_after(&self, owners: u64) -> SelectStatement {
        let (name, value) = self.string();
        let mut select = Query::select();
        select
            .column("owner_id")
            .from(PROPERTY)
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").eq(self.kind))
            .and_where(Expr::col("name").eq(name))
            .and_where(Expr::col(string_key(self.dialect)).eq(value));
        if let Some(after) = self.after {
            select.and_where(is_after(self.sort_order, Expr::col("owner_id"), after));
        }
        select.order_by("owner_id", order(self.sort_order)).limit(1).offset(owners).take()
    }

    /// The same as a statement of its own.
    pub(super) fn end_after(&self, owners: u64) -> SelectStatement {
        let mut select = self.owner_after(owners);
        if self.required.len() > 1 {
            select.with_cte(self.rarest(self.required));
        }
        select
    }

    /// The id beyond all others in the order of the list.
    const fn beyond(&self) -> i64 {
        match self.sort_order {
            SortOrder::Ascending => i64::MAX,
            SortOrder::Descending => i64::MIN,
        }
    }

    /// Keeps one row per owner: an owner may have the string several times, in a list or in two properties of one name.
    pub(super) fn once_per_owner(&self, mut select: SelectStatement) -> SelectStatement {
        match self.dialect {
            Dialect::Postgres => self.sent_at_once(select.distinct_on([(SCANNED, "owner_id")]).take()),
            Dialect::Sqlite | Dialect::MySql => select.and_where(self.is_first_of_owner()).take(),
        }
    }

    /// Sorts the page once more, so that PostgreSQL sends it when it is complete. It would otherwise send rows as it finds
    /// them, a few at a time, and every few rows would cost a context switch on both sides.
    fn sent_at_once(&self, page: SelectStatement) -> SelectStatement {
        Query::select()
            .columns(["id", "sort_key", "document"])
            .from_subquery(page, "page")
            // An expression, because the planner knows that the column itself is already sorted.
            .order_by_expr(Expr::col("sort_key").add(0), order(self.sort_order))
            .take()
    }

    fn is_first_of_owner(&self) -> Expr {
        let key = string_key(self.dialect);
        let earlier = |name: &'static str| Expr::col(("earlier", name));
        let scanned = |name: &'static str| Expr::col((SCANNED, name));
        let mut rows = Query::select();
        rows.expr(self.dialect.per_row_subquery_column())
            .from_as(PROPERTY, "earlier")
            .and_where(earlier("kind").eq(self.kind))
            .and_where(earlier("owner_id").eq(scanned("owner_id")))
            .and_where(earlier("name").eq(scanned("name")))
            .and_where(earlier(key).eq(scanned(key)))
            .and_where(
                earlier("custom")
                    .lt(scanned("custom"))
                    .or(earlier("custom").eq(scanned("custom")).and(earlier("ordinal").lt(scanned("ordinal")))),
            )
            .limit(1)
            .offset(0);
        Expr::exists(rows).not()
    }

    /// The table expression `rarest(name, value)` with one row.
    fn rarest(&self, required: &[RequiredString]) -> CommonTableExpression {
        let mut candidates = required.iter().map(|required| self.candidate(required));
        let mut all = candidates.next().unwrap_or_default();
        for candidate in candidates {
            all.union(UnionType::All, candidate);
        }
        let rarest = Query::select()
            .columns(["name", "value"])
            .from_subquery(all, "candidate")
            .order_by("reach", reversed(&order(self.sort_order)))
            // MariaDB evaluates this twice, for the name and for the value: the order of ties must be defined.
            .order_by("name", Order::Asc)
            .order_by("value", Order::Asc)
            .limit(1)
            .take();
        CommonTableExpression::new().table_name("rarest").columns(["name", "value"]).query(rarest).to_owned()
    }

    /// A required string with the id of its [`REACH`]th owner from the start of the page.
    fn candidate(&self, required: &RequiredString) -> SelectStatement {
        let mut reach = Query::select();
        reach
            .column("owner_id")
            .from(PROPERTY)
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").eq(self.kind))
            .and_where(Expr::col("name").eq(required.property.as_str()))
            .and_where(Expr::col(string_key(self.dialect)).eq(self.indexed(required)))
            .order_by("owner_id", order(self.sort_order))
            .limit(1)
            .offset(REACH - 1);
        if let Some(after) = self.after {
            reach.and_where(is_after(self.sort_order, Expr::col("owner_id"), after));
        }
        let reach = Expr::SubQuery(None, Box::new(reach.into()));
        Query::select()
            .expr_as(self.string_literal(&required.property), "name")
            .expr_as(self.string_literal(&self.indexed(required)), "value")
            // With fewer owners, it reaches beyond every id.
            .expr_as(sea_query::Func::coalesce([reach, self.beyond().into()]), "reach")
            .take()
    }

    /// The part of the string that the index holds.
    fn indexed(&self, required: &RequiredString) -> String {
        match self.dialect {
            Dialect::Sqlite => required.value.clone(),
            Dialect::Postgres | Dialect::MySql => required.value.chars().take(INDEXED_PREFIX).collect(),
        }
    }

    /// A string as a column. PostgreSQL cannot infer the type of a parameter that is selected.
    fn string_literal(&self, string: &str) -> Expr {
        match self.dialect {
            Dialect::Postgres => Expr::val(string).cast_as(Alias::new("text")),
            Dialect::Sqlite | Dialect::MySql => Expr::val(string),
        }
    }
}

fn reversed(order: &Order) -> Order {
    match order {
        Order::Asc => Order::Desc,
        _ => Order::Asc,
    }
}
