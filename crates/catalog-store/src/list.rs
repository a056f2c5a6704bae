//! Lists of the catalog: one statement per page, filtered, searched, ordered by a key and the id.

mod statement;

pub(crate) use statement::{SORT_KEY, codes, is_of_kind};

use model_registry_api::SortOrder;
use model_registry_filter::Expression;
use model_registry_store::dialect::Dialect;
use model_registry_store::sql::{Row, WORKSPACE, fingerprint};
use model_registry_store::{Database, PAGE_BYTES, Result, Transaction, from_row};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use crate::index::IndexSlot;
use crate::kind::table;
use crate::order::KeyType;
use crate::page_token::{self, Key};
use crate::prefilter;
use crate::read::{RECORD_COLUMNS, RecordRow};
use crate::{CatalogKind, CatalogOrder, CatalogRecord, CatalogStore};

/// The rows that a list is about.
#[derive(Clone, Copy, Debug)]
pub struct CatalogSet<'a> {
    /// Kinds of one table.
    pub kinds: &'a [CatalogKind],
    pub parent_id: Option<i64>,
    /// Only of these sources.
    pub sources: Option<&'a [String]>,
    /// A string that one of the searched fields contains, in any case.
    pub search: Option<&'a str>,
    /// All of them have to hold.
    pub filters: &'a [Expression],
}

/// A request for one page of a list.
#[derive(Clone, Debug)]
pub struct CatalogList<'a> {
    pub set: CatalogSet<'a>,
    pub order: CatalogOrder,
    pub sort_order: SortOrder,
    /// `None` for all rows.
    pub page_size: Option<u32>,
    pub page_token: Option<&'a str>,
}

/// One page of a list.
#[derive(Debug)]
pub struct CatalogPage {
    pub rows: Vec<CatalogRecord>,
    /// Empty on the last page.
    pub next_page_token: String,
}

// Three row types, because the drivers decode the key by its type.
struct IntRow {
    record: RecordRow,
    sort_key: Option<i64>,
}

from_row!(IntRow { sort_key }, with record);

struct DoubleRow {
    record: RecordRow,
    sort_key: Option<f64>,
}

from_row!(DoubleRow { sort_key }, with record);

struct StringRow {
    record: RecordRow,
    sort_key: Option<String>,
}

from_row!(StringRow { sort_key }, with record);

/// The rows of a page with their keys.
pub(crate) struct RowsWithKeys {
    pub(crate) rows: Vec<(CatalogRecord, Key)>,
    /// Whether there are rows after the page.
    pub(crate) has_more: bool,
}

impl RowsWithKeys {
    /// The page: at most [`PAGE_BYTES`] of documents, and at least one.
    fn into_page(mut self, fingerprint: &str) -> CatalogPage {
        let mut bytes = 0;
        let fitting = self.rows.iter().take_while(|(row, _)| {
            bytes += row.document_size();
            bytes <= PAGE_BYTES
        });
        let fitting = fitting.count().max(1);
        if fitting < self.rows.len() {
            self.rows.truncate(fitting);
            self.has_more = true;
        }
        let next = self.rows.last().filter(|_| self.has_more);
        let next_page_token = next.map(|(last, key)| page_token::encode(key, last.id, fingerprint));
        CatalogPage {
            rows: self.rows.into_iter().map(|(row, _)| row).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        }
    }
}

/// Where statements of a list run.
pub(crate) enum Reader<'a> {
    Database(&'a Database),
    Snapshot(&'a mut Transaction),
}

impl Reader<'_> {
    pub(crate) fn dialect(&self) -> Dialect {
        match self {
            Self::Database(database) => database.dialect(),
            Self::Snapshot(snapshot) => snapshot.dialect(),
        }
    }

    pub(crate) async fn fetch_all<R: Row>(&mut self, select: &SelectStatement) -> Result<Vec<R>> {
        match self {
            Self::Database(database) => database.fetch_all(select).await,
            Self::Snapshot(snapshot) => snapshot.fetch_all(select).await,
        }
    }

    /// Runs a statement whose plan depends on the values of a filter.
    pub(crate) async fn fetch_filtered<R: Row>(&mut self, select: &SelectStatement) -> Result<Vec<R>> {
        match self {
            Self::Database(database) => database.fetch_filtered(select).await,
            Self::Snapshot(snapshot) => snapshot.fetch_all(select).await,
        }
    }

    /// One page of a list, read with the index in memory where possible.
    pub(crate) async fn list(&mut self, index: &IndexSlot, list: &CatalogList<'_>) -> Result<CatalogPage> {
        let fingerprint = list.fingerprint();
        let cursor = list.cursor(&fingerprint)?;
        let indexed = self.list_indexed(index, list, cursor.as_ref()).await?;
        index.count_list(indexed.is_some());
        let Some(page) = indexed else {
            return self.list_after(list, cursor.as_ref(), &fingerprint).await;
        };
        Ok(page.into_page(&fingerprint))
    }

    /// The page after the cursor, without the index in memory.
    async fn list_after(
        &mut self,
        list: &CatalogList<'_>,
        cursor: Option<&(Key, i64)>,
        fingerprint: &str,
    ) -> Result<CatalogPage> {
        let among = prefilter::choose(self, list).await?;
        let select = list.select(cursor, among, self.dialect())?;
        let rows: Vec<(RecordRow, Key)> = match list.order.key_type() {
            KeyType::Int => {
                let rows = self.fetch_filtered::<IntRow>(&select).await?;
                rows.into_iter().map(|row| (row.record, row.sort_key.map_or(Key::Absent, Key::Int))).collect()
            }
            KeyType::Double => {
                let rows = self.fetch_filtered::<DoubleRow>(&select).await?;
                rows.into_iter().map(|row| (row.record, row.sort_key.map_or(Key::Absent, Key::Double))).collect()
            }
            KeyType::String => {
                let rows = self.fetch_filtered::<StringRow>(&select).await?;
                rows.into_iter().map(|row| (row.record, row.sort_key.map_or(Key::Absent, Key::String))).collect()
            }
        };
        let rows: Vec<(CatalogRecord, Key)> = rows.into_iter().map(|(row, key)| (row.into(), key)).collect();
        let Some(page_size) = list.page_size.map(|size| size as usize) else {
            return Ok(CatalogPage {
                rows: rows.into_iter().map(|(row, _)| row).collect(),
                next_page_token: String::new(),
            });
        };
        let has_more = rows.len() > page_size;
        let mut page = RowsWithKeys { rows, has_more };
        page.rows.truncate(page_size);
        Ok(page.into_page(fingerprint))
    }
}

impl CatalogStore {
    /// One page of a list, read with the index in memory where possible.
    pub async fn list(&self, list: &CatalogList<'_>) -> Result<CatalogPage> {
        Reader::Database(self.database()?).list(&self.index, list).await
    }

    /// The ids of all items of a set, in the order of their names.
    pub async fn list_ids(&self, set: &CatalogSet<'_>) -> Result<Vec<i64>> {
        let database = self.database()?;
        let rows: Vec<(i64,)> = database.fetch_all(&set.select_ids_by_name(database.dialect())?).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The artifacts of one kind of the items of a set, if they satisfy the part of the set's filters that is about artifacts.
    pub async fn list_artifacts_of(&self, set: &CatalogSet<'_>, kind: CatalogKind) -> Result<Vec<CatalogRecord>> {
        let database = self.database()?;
        let rows: Vec<RecordRow> = database.fetch_all(&set.select_artifacts(kind, database.dialect())?).await?;
        Ok(rows.into_iter().map(CatalogRecord::from).collect())
    }
}

impl CatalogList<'_> {
    /// Digest of everything that decides which rows the list has and in which order.
    fn fingerprint(&self) -> String {
        let set = self.set;
        let filters: Vec<String> = set.filters.iter().map(ToString::to_string).collect();
        let mut parts = vec![
            format!("{:?} {:?} {:?} {:?}", set.kinds, set.parent_id, self.order, self.sort_order),
            set.sources.map_or_else(String::new, |sources| format!("{sources:?}")),
            set.search.unwrap_or_default().to_owned(),
        ];
        parts.extend(filters);
        fingerprint(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Key and id of the last row of the previous page.
    fn cursor(&self, fingerprint: &str) -> Result<Option<(Key, i64)>> {
        let decode = |token| page_token::decode(token, Some(fingerprint), self.order.key_type());
        Ok(self.page_token.map(decode).transpose()?)
    }
}

impl CatalogSet<'_> {
    pub(crate) fn select_ids_by_name(&self, dialect: Dialect) -> Result<SelectStatement> {
        let Some(table) = self.table() else { return Ok(Query::select()) };
        let mut select = self.select_ids(table, dialect)?;
        select.order_by((table, "sort_name"), Order::Asc).order_by((table, "id"), Order::Asc);
        Ok(select)
    }

    fn select_ids(&self, table: &'static str, dialect: Dialect) -> Result<SelectStatement> {
        Ok(Query::select().column((table, "id")).from(table).cond_where(self.condition(table, dialect)?).take())
    }

    pub(crate) fn select_artifacts(&self, kind: CatalogKind, dialect: Dialect) -> Result<SelectStatement> {
        let Some(items) = self.table() else { return Ok(Query::select()) };
        let items = self.select_ids(items, dialect)?;
        let table = table(kind);
        let mut select = Query::select();
        select
            .columns(RECORD_COLUMNS.map(|column| (table, column)))
            .from(table)
            .and_where(Expr::col((table, "workspace_id")).eq(WORKSPACE))
            .and_where(Expr::col((table, "kind")).eq(kind.code()))
            .and_where(Expr::col((table, "parent_id")).in_subquery(items))
            .order_by((table, "id"), Order::Asc);
        if let Some(condition) = self.artifact_condition(dialect)? {
            select.and_where(condition);
        }
        Ok(select)
    }

    /// The table of its kinds.
    pub(crate) fn table(&self) -> Option<&'static str> {
        self.kinds.first().map(|kind| table(*kind))
    }
}
