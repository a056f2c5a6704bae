//! Filtered lists that are walked along a property instead of along the ids.
//!
//! Every match of `stage = 'production' AND team = 'blue' AND …` has both texts, and the index on property texts holds the
//! owners of each text in the order of their ids. So the list walks the owners of one of them, asks for everything else
//! one owner at a time, and stops when the page is full: what a page costs depends on how far apart the matches are, not on
//! how much there is. Which text has the fewest owners is found by the statement itself, without statistics: the one whose
//! next [`REACH`] owners lie farthest apart. Owners whose [`signature`] lacks one of the other texts are passed over.
//!
//! What it never does: decide what matches. The rows it walks are a superset; the filter is asked in full.

use model_registry_api::SortOrder;
use sea_query::{Alias, CommonTableExpression, Expr, ExprTrait, JoinType, Order, Query, SelectStatement, UnionType};

use crate::dialect::Dialect;
use crate::direction::{is_after, order};
use crate::filter_sql::{Equality, INDEXED_PREFIX};
use crate::signature;
use crate::tables::WORKSPACE;

/// The name of the walked rows in the statement.
pub(super) const WALKED: &str = "walked";

const PROPERTY: &str = "property";

/// How many owners of a text are looked at to see how far apart they are.
const REACH: u64 = 64;

/// The column of `property` that the index on texts holds: their beginning, on SQLite all of them.
pub(super) const fn text_key(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "string_value",
        Dialect::Postgres | Dialect::MySql => "string_key",
    }
}

/// A walk along the owners of the rarest of some texts.
pub(super) struct Walk<'a> {
    pub(super) kind: i16,
    /// At least one.
    pub(super) equalities: &'a [Equality],
    pub(super) sort_order: SortOrder,
    /// The id after which the page begins.
    pub(super) after: Option<i64>,
    pub(super) dialect: Dialect,
}

impl Walk<'_> {
    /// Starts the statement: the walked rows joined with `table`, in the order of their owners.
    pub(super) fn start(&self, table: &'static str) -> SelectStatement {
        let key = text_key(self.dialect);
        let walked = |name: &'static str| Expr::col((WALKED, name));
        let mut select = Query::select();
        select.from_as(PROPERTY, WALKED);
        // The planners of SQLite and MySQL follow the order of such joins.
        let join = match self.dialect {
            Dialect::Sqlite => JoinType::CrossJoin,
            Dialect::Postgres => JoinType::InnerJoin,
            Dialect::MySql => JoinType::StraightJoin,
        };
        let on = Expr::col((table, "id")).eq(walked("owner_id"));
        if join == JoinType::CrossJoin {
            select.cross_join(table).and_where(on);
        } else {
            select.join(join, table, on);
        }
        select.and_where(walked("workspace_id").eq(WORKSPACE)).and_where(walked("kind").eq(self.kind));
        match self.equalities {
            [only] => {
                select
                    .and_where(walked("name").eq(only.property.as_str()))
                    .and_where(walked(key).eq(self.indexed(only)));
            }
            several => {
                select.with_cte(self.rarest(several));
                let rarest = |column: &'static str| {
                    Expr::SubQuery(None, Box::new(Query::select().column(column).from("rarest").take().into()))
                };
                select.and_where(walked("name").eq(rarest("name"))).and_where(walked(key).eq(rarest("text")));
                let asked = several
                    .iter()
                    .fold(0, |asked, equality| asked | signature::of_text(&equality.property, &equality.text));
                select.and_where(walked("signature").bit_and(asked).eq(asked));
            }
        }
        if let Some(after) = self.after {
            select.and_where(is_after(self.sort_order, walked("owner_id"), after));
        }
        select.order_by((WALKED, "owner_id"), order(self.sort_order));
        select
    }

    /// Leaves one row of an owner who has the text several times, as an element of a list or as two properties of one name.
    pub(super) fn once_per_owner(&self, mut select: SelectStatement) -> SelectStatement {
        match self.dialect {
            Dialect::Postgres => self.at_once(select.distinct_on([(WALKED, "owner_id")]).take()),
            Dialect::Sqlite | Dialect::MySql => select.and_where(self.is_first_of_owner()).take(),
        }
    }

    /// Sorts the page again, so that PostgreSQL sends it when it is complete. Matches lie apart: sent one by one, as they
    /// are found, each handful would wake this process, and both would spend their time on taking turns.
    fn at_once(&self, page: SelectStatement) -> SelectStatement {
        Query::select()
            .columns(["id", "sort_key", "document"])
            .from_subquery(page, "page")
            // Anything but the column itself, of which the planner knows that it is sorted.
            .order_by_expr(Expr::col("sort_key").add(0), order(self.sort_order))
            .take()
    }

    fn is_first_of_owner(&self) -> Expr {
        let key = text_key(self.dialect);
        let earlier = |name: &'static str| Expr::col(("earlier", name));
        let walked = |name: &'static str| Expr::col((WALKED, name));
        let mut rows = Query::select();
        rows.expr(self.dialect.asked_of_each_row())
            .from_as(PROPERTY, "earlier")
            .and_where(earlier("kind").eq(self.kind))
            .and_where(earlier("owner_id").eq(walked("owner_id")))
            .and_where(earlier("name").eq(walked("name")))
            .and_where(earlier(key).eq(walked(key)))
            .and_where(
                earlier("custom")
                    .lt(walked("custom"))
                    .or(earlier("custom").eq(walked("custom")).and(earlier("ordinal").lt(walked("ordinal")))),
            )
            .limit(1)
            .offset(0);
        Expr::exists(rows).not()
    }

    /// `rarest(name, text)`: one row.
    fn rarest(&self, equalities: &[Equality]) -> CommonTableExpression {
        let mut candidates = equalities.iter().map(|equality| self.candidate(equality));
        let mut all = candidates.next().unwrap_or_default();
        for candidate in candidates {
            all.union(UnionType::All, candidate);
        }
        let rarest = Query::select()
            .columns(["name", "text"])
            .from_subquery(all, "candidate")
            .order_by("reach", flipped(&order(self.sort_order)))
            // MariaDB computes this once for the name and once for the text: ties must not be left to chance.
            .order_by("name", Order::Asc)
            .order_by("text", Order::Asc)
            .limit(1)
            .take();
        CommonTableExpression::new().table_name("rarest").columns(["name", "text"]).query(rarest).to_owned()
    }

    /// A text with the owner that its next owners reach to.
    fn candidate(&self, equality: &Equality) -> SelectStatement {
        let mut reach = Query::select();
        reach
            .column("owner_id")
            .from(PROPERTY)
            .and_where(Expr::col("workspace_id").eq(WORKSPACE))
            .and_where(Expr::col("kind").eq(self.kind))
            .and_where(Expr::col("name").eq(equality.property.as_str()))
            .and_where(Expr::col(text_key(self.dialect)).eq(self.indexed(equality)))
            .order_by("owner_id", order(self.sort_order))
            .limit(1)
            .offset(REACH - 1);
        if let Some(after) = self.after {
            reach.and_where(is_after(self.sort_order, Expr::col("owner_id"), after));
        }
        // Fewer owners than that reach beyond every id.
        let beyond = match self.sort_order {
            SortOrder::Ascending => i64::MAX,
            SortOrder::Descending => i64::MIN,
        };
        let reach = Expr::SubQuery(None, Box::new(reach.into()));
        Query::select()
            .expr_as(self.text(&equality.property), "name")
            .expr_as(self.text(&self.indexed(equality)), "text")
            .expr_as(sea_query::Func::coalesce([reach, beyond.into()]), "reach")
            .take()
    }

    /// What the index holds of a text.
    fn indexed(&self, equality: &Equality) -> String {
        match self.dialect {
            Dialect::Sqlite => equality.text.clone(),
            Dialect::Postgres | Dialect::MySql => equality.text.chars().take(INDEXED_PREFIX).collect(),
        }
    }

    /// A text as a column of its own: PostgreSQL does not guess the type of a parameter that stands alone.
    fn text(&self, text: &str) -> Expr {
        match self.dialect {
            Dialect::Postgres => Expr::val(text).cast_as(Alias::new("text")),
            Dialect::Sqlite | Dialect::MySql => Expr::val(text),
        }
    }
}

fn flipped(order: &Order) -> Order {
    match order {
        Order::Asc => Order::Desc,
        _ => Order::Asc,
    }
}
