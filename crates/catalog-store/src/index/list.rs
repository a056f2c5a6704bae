//! Lists read with the index: it selects the rows of the page, and one statement reads them.

use std::collections::HashMap;
use std::sync::LazyLock;

use model_registry_base::run_while_awaited;
use model_registry_filter::{check, fold};
use model_registry_store::dialect::Dialect;
use model_registry_store::{Result, from_row};
use sea_query::{Expr, ExprTrait, Query, SelectStatement};
use tokio::sync::Semaphore;

use super::IndexSlot;
use super::page::PageQuery;
use crate::documents::{RowsWithKeys, SizedRow, add_sized_columns, small};
use crate::filter_names::{artifact_filter, artifact_kind, resolve};
use crate::kind::table;
use crate::list::Reader;
use crate::page_token::Key;
use crate::read::select_generation;
use crate::{CatalogKind, CatalogList};

/// Passes over an index at the same time: more would only take processors from each other, and from other requests.
static PASSES: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2))));

struct IndexedRow {
    record: SizedRow,
    generation: i64,
}

from_row!(IndexedRow { generation }, with record);

impl Reader<'_> {
    /// `None` without an index for the current generation, or if it does not hold the values that the list compares.
    pub(crate) async fn list_indexed(
        &mut self,
        index: &IndexSlot,
        list: &CatalogList<'_>,
        cursor: Option<&(Key, i64)>,
    ) -> Result<Option<RowsWithKeys>> {
        let Some(index) = index.current() else { return Ok(None) };
        let Some((query, page_size)) = page_query(list, cursor)? else { return Ok(None) };
        let (kind, generation) = (query.kind, index.generation);
        // A pass over a large catalog takes milliseconds, in which other requests of this thread would wait; one with a costly
        // filter takes seconds, and ends when the request does. The semaphore is never closed.
        let pass = PASSES.acquire().await;
        let found = run_while_awaited(move |work| index.page(&query, work)).await;
        drop(pass);
        let Some(mut found) = found else { return Ok(None) };
        let has_more = found.len() > page_size;
        found.truncate(page_size);
        let ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
        if ids.is_empty() {
            let current: Vec<(i64,)> = self.fetch_all(&select_generation()).await?;
            let is_current = current.first().is_some_and(|(current,)| *current == generation);
            return Ok(is_current.then(|| RowsWithKeys { rows: Vec::new(), has_more }));
        }
        let rows: Vec<IndexedRow> =
            self.fetch_all(&select_rows(kind, ids, small(list.page_size), self.dialect())).await?;
        if rows.iter().any(|row| row.generation != generation) {
            return Ok(None);
        }
        let mut by_id: HashMap<i64, SizedRow> = rows.into_iter().map(|row| (row.record.id, row.record)).collect();
        let rows: Option<Vec<_>> = found.into_iter().map(|(id, key)| Some((by_id.remove(&id)?, key))).collect();
        Ok(rows.map(|rows| RowsWithKeys { rows, has_more }))
    }
}

/// The page that the list is about, and its size; `None` for lists that the database reads as fast.
fn page_query(list: &CatalogList<'_>, cursor: Option<&(Key, i64)>) -> Result<Option<(PageQuery, usize)>> {
    let set = list.set;
    let ([kind], None, Some(page_size)) = (set.kinds, set.parent_id, list.page_size) else { return Ok(None) };
    if set.filters.is_empty() && set.search.is_none() && list.order.has_database_index() {
        return Ok(None);
    }
    let page_size = page_size as usize;
    let conditions = set.filters.iter().map(|filter| check(filter, &|name| resolve(*kind, name)));
    let conditions = conditions.collect::<Result<_, _>>()?;
    let artifact_conditions = match artifact_kind(*kind) {
        Some(artifact) => {
            let filters = set.filters.iter().filter_map(artifact_filter);
            filters.map(|filter| check(&filter, &|name| resolve(artifact, name))).collect::<Result<_, _>>()?
        }
        None => Vec::new(),
    };
    let query = PageQuery {
        kind: *kind,
        sources: set.sources.map(<[String]>::to_vec),
        search: set.search.map(fold),
        conditions,
        artifact_conditions,
        order: list.order.clone(),
        sort_order: list.sort_order,
        cursor: cursor.cloned(),
        limit: page_size + 1,
    };
    Ok(Some((query, page_size)))
}

/// The rows of these ids, with the generation of the catalog and documents up to a size.
///
/// The id is the only condition. With the workspace and the kind, PostgreSQL may take an index on these: a plan that is made between
/// the commit of a load and the end of ANALYZE assumes that they select one row, and stays cached.
pub(crate) fn select_rows(kind: CatalogKind, mut ids: Vec<i64>, small: i64, dialect: Dialect) -> SelectStatement {
    // Few different numbers of ids, so that prepared statements are reused.
    if let Some(last) = ids.last().copied() {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    let table = table(kind);
    let mut select = Query::select();
    add_sized_columns(&mut select, table, small, dialect);
    select
        .expr_as(Expr::SubQuery(None, Box::new(select_generation().into())), "generation")
        .from(table)
        .and_where(Expr::col((table, "id")).is_in(ids))
        .take()
}
