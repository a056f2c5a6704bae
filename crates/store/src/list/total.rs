//! The number of entities in a list: exact up to [`MAX_TOTAL`], and counted with a bounded effort.
//!
//! A list without a filter counts entries of an index, in one statement. For a filter, one statement reads the ids in the ranges
//! of indexes that contain its matches, as the pages do, and one counts: among the ids if they are few, and otherwise
//! along the list, up to a limit of entities. What is not counted to the end is a lower bound.

use model_registry_api::{Kind, OrderBy, SortOrder};
use model_registry_filter::{self as filter, Expression};
use sea_query::{Expr, Query, SelectStatement};

use super::plan::MAX_RANGES;
use super::probe::{BOUNDARY, ProbeRow, ids_of, probe};
use super::{ListRequest, PlanLimits, Reading, filter_scope};
use crate::db::Database;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_names::resolve_filter_name;
use crate::filter_sql;
use crate::keyset::is_until;
use crate::store::Store;
use crate::tables::table;

/// Entities are counted up to this number.
pub const MAX_TOTAL: u64 = 10_000;

/// How many entities a list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    pub count: u64,
    /// Whether there are no more; otherwise `count` is a lower bound.
    pub is_exact: bool,
}

/// What is counted.
enum Counted<'a> {
    /// The list from its start, up to this id.
    List { until: Option<i64> },
    /// Those of these ids that are in the list.
    Ids(&'a [i64]),
}

impl Store {
    /// Counts the entities of a list on all of its pages.
    pub async fn total(&self, request: &ListRequest<'_>) -> Result<Total> {
        self.database()?.total(request, &self.plan_limits()).await
    }
}

impl Database {
    /// See [`Store::total`].
    pub(crate) async fn total(&self, request: &ListRequest<'_>, limits: &PlanLimits) -> Result<Total> {
        // In no order but that of the ids, which every index has.
        let request = ListRequest {
            order_by: OrderBy::Id,
            value: None,
            sort_order: SortOrder::Ascending,
            page_token: None,
            ..request.clone()
        };
        let Some(filter) = request.filter.map(filter::parse).transpose()?.flatten() else {
            return self.count(&request, None, &Counted::List { until: None }).await;
        };
        let found = request.index_ranges(&filter, false, self.dialect())?;
        let is_narrow = found.superset.is_narrow() && found.ranges.len() <= MAX_RANGES;
        let ranges = if is_narrow { found.ranges.as_slice() } else { &[] };
        let boundary = request.boundary(None, limits.many, self.dialect());
        let statement = probe(ranges.iter().enumerate(), Some(boundary), limits.many, self.dialect());
        let mut ids = vec![None; ranges.len()];
        let mut until = None;
        for row in self.fetch_filtered::<ProbeRow>(&statement).await? {
            if row.number == BOUNDARY {
                until = row.found;
            } else if let Some(of_range) = usize::try_from(row.number).ok().and_then(|position| ids.get_mut(position)) {
                *of_range = ids_of(&row);
            }
        }
        let candidates = if is_narrow { found.superset.ids(&ids) } else { None };
        match candidates {
            Some(ids) if ids.is_empty() => Ok(Total { count: 0, is_exact: true }),
            Some(ids) => self.count(&request, Some(&filter), &Counted::Ids(&ids)).await,
            None => {
                let total = self.count(&request, Some(&filter), &Counted::List { until }).await?;
                Ok(Total { is_exact: total.is_exact && until.is_none(), ..total })
            }
        }
    }

    async fn count(
        &self,
        request: &ListRequest<'_>,
        filter: Option<&Expression>,
        counted: &Counted<'_>,
    ) -> Result<Total> {
        let Some(first) = request.kinds.first() else { return Ok(Total { count: 0, is_exact: true }) };
        let rows = request.counted_rows(*first, filter, counted, self.dialect())?;
        let mut select = Query::select();
        select.expr_as(Expr::cust("COUNT(*)"), "total").from_subquery(rows, "counted");
        let found: Option<(i64,)> = match filter {
            None => self.fetch_optional(&select).await?,
            Some(_) => self.fetch_filtered(&select).await?.pop(),
        };
        let count = found.map_or(0, |(count,)| count.cast_unsigned());
        Ok(Total { count: Ord::min(count, MAX_TOTAL), is_exact: count <= MAX_TOTAL })
    }
}

impl ListRequest<'_> {
    /// A row for each entity, one more than are counted at most.
    fn counted_rows(
        &self,
        first: Kind,
        filter: Option<&Expression>,
        counted: &Counted<'_>,
        dialect: Dialect,
    ) -> Result<SelectStatement> {
        let table = table(first);
        let id = || Expr::col((table, "id"));
        let reading = match counted {
            Counted::List { until } => Reading::Walk { until: *until },
            Counted::Ids(ids) => Reading::Ids(ids),
        };
        let mut rows = Query::select();
        rows.expr_as(id(), "id").from(table).limit(MAX_TOTAL + 1);
        self.add_scope(&mut rows, first, &reading, dialect);
        match counted {
            Counted::List { until } => {
                if let Some(last) = until {
                    rows.and_where(is_until(SortOrder::Ascending, id(), *last));
                }
                // Without it, the database could choose to read the whole table.
                self.add_order(&mut rows, table, None);
            }
            Counted::Ids(ids) => {
                rows.and_where(is_one_of(table, ids, dialect));
            }
        }
        if let Some(filter) = filter {
            let codes = self.codes();
            let resolve = |name: &str| resolve_filter_name(self.kinds, name);
            let scope = filter_scope(table, &codes, &reading, &resolve, dialect);
            rows.cond_where(filter_sql::compile(filter, &scope, dialect)?);
        }
        Ok(rows)
    }
}

/// Whether the id of a row is one of these, which are one parameter: there may be more than a statement can have.
fn is_one_of(table: &'static str, ids: &[i64], dialect: Dialect) -> Expr {
    let list = ids.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    match dialect {
        Dialect::Sqlite => Expr::cust_with_values(
            format!("\"{table}\".\"id\" IN (SELECT value FROM json_each(?))"),
            [format!("[{list}]")],
        ),
        Dialect::Postgres => {
            Expr::cust_with_values(format!("\"{table}\".\"id\" = ANY (string_to_array($1, ',')::bigint[])"), [list])
        }
        Dialect::MySql => Expr::cust_with_values(
            format!(
                "`{table}`.`id` IN (SELECT listed.id FROM JSON_TABLE(?, '$[*]' COLUMNS (id BIGINT PATH '$')) AS listed)"
            ),
            [format!("[{list}]")],
        ),
    }
}
