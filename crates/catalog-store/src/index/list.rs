//! Lists that the index answers: it names the rows of the page, and one statement reads them.

use model_registry_store::from_row;
use std::collections::HashMap;

use model_registry_base::run_blocking;
use model_registry_filter::{check, fold};
use model_registry_store::Result;
use sea_query::{Expr, ExprTrait, SelectStatement};

use super::page::Question;
use crate::order::Key;
use crate::read::{RecordRow, select_generation, select_records};
use crate::{CatalogKind, CatalogList, CatalogRecord, CatalogStore, about_related, vocabulary};

struct IndexedRow {
    record: RecordRow,
    generation: i64,
}

from_row!(IndexedRow { generation }, with record);

/// The rows of a page and one more, if there is one, with their keys.
pub(crate) struct IndexedPage {
    pub(crate) rows: Vec<(CatalogRecord, Key)>,
    pub(crate) has_more: bool,
}

impl CatalogStore {
    /// `None` where there is no index for what the database has now, or it cannot tell.
    pub(crate) async fn list_indexed(
        &self,
        list: &CatalogList<'_>,
        cursor: Option<&(Key, i64)>,
    ) -> Result<Option<IndexedPage>> {
        let Some(index) = self.index.current() else { return Ok(None) };
        let Some((question, page_size)) = question(list, cursor)? else { return Ok(None) };
        let (kind, generation) = (question.kind, index.generation);
        // A pass over a large catalog takes milliseconds, in which other requests would wait.
        let answer = run_blocking(move || index.answer(&question)).await;
        let Some(mut found) = answer else { return Ok(None) };
        let has_more = found.len() > page_size;
        found.truncate(page_size);
        let ids: Vec<i64> = found.iter().map(|(id, _)| *id).collect();
        if ids.is_empty() {
            let is_current = self.generation().await? == generation;
            return Ok(is_current.then(|| IndexedPage { rows: Vec::new(), has_more }));
        }
        let rows: Vec<IndexedRow> = self.database()?.fetch_all(&select(kind, ids)).await?;
        if rows.iter().any(|row| row.generation != generation) {
            return Ok(None);
        }
        let mut by_id: HashMap<i64, RecordRow> = rows.into_iter().map(|row| (row.record.id, row.record)).collect();
        let rows: Option<Vec<_>> =
            found.into_iter().map(|(id, key)| Some((CatalogRecord::from(by_id.remove(&id)?), key))).collect();
        Ok(rows.map(|rows| IndexedPage { rows, has_more }))
    }
}

/// What the list asks, and the size of its pages; `None` for lists that the database answers as well.
fn question(list: &CatalogList<'_>, cursor: Option<&(Key, i64)>) -> Result<Option<(Question, usize)>> {
    let set = list.set;
    let ([kind], None, Some(page_size)) = (set.kinds, set.parent_id, list.page_size) else { return Ok(None) };
    if matches!(cursor, Some((Key::LongText(_), _))) {
        return Ok(None);
    }
    if set.filters.is_empty() && set.search.is_none() && list.order.is_by_index() {
        return Ok(None);
    }
    let page_size = page_size as usize;
    let resolve = |name: &str| vocabulary::resolve(*kind, name);
    let conditions = set.filters.iter().map(|filter| check(filter, &resolve)).collect::<Result<_, _>>()?;
    let resolve = |name: &str| vocabulary::resolve(CatalogKind::ModelArtifact, name);
    let related = set.filters.iter().filter_map(about_related);
    let related_conditions = related.map(|filter| check(&filter, &resolve)).collect::<Result<_, _>>()?;
    let question = Question {
        kind: *kind,
        sources: set.sources.map(<[String]>::to_vec),
        search: set.search.map(fold),
        conditions,
        related_conditions,
        order: list.order.clone(),
        sort_order: list.sort_order,
        cursor: cursor.cloned(),
        most: page_size + 1,
    };
    Ok(Some((question, page_size)))
}

fn select(kind: CatalogKind, mut ids: Vec<i64>) -> SelectStatement {
    // A few lengths only, so that databases know the statements.
    if let Some(last) = ids.last().copied() {
        ids.resize(ids.len().next_power_of_two(), last);
    }
    select_records(kind)
        .expr_as(Expr::SubQuery(None, Box::new(select_generation().into())), "generation")
        .and_where(Expr::col("id").is_in(ids))
        .take()
}
