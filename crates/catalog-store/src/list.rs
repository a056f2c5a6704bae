//! Lists of the catalog: one statement per page without large documents, filtered, searched, ordered by a key and the id.

mod statement;

pub(crate) use statement::{SORT_KEY, codes, is_of_kind};

use std::collections::HashMap;

use model_registry_api::SortOrder;
use model_registry_base::MemoryShare;
use model_registry_filter::Expression;
use model_registry_store::dialect::Dialect;
use model_registry_store::sql::{Row, WORKSPACE, fingerprint, sum_of_sizes};
use model_registry_store::{Database, Result, Transaction, from_row};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use crate::documents::{ReadMemory, RowsWithKeys, SizedRow, add_sized_columns, lacking};
use crate::index::IndexSlot;
use crate::kind::table;
use crate::order::KeyType;
use crate::page_token::{self, Key};
use crate::prefilter;
use crate::snapshot::CatalogSnapshot;
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
    /// The memory of the documents, until the response has taken its own.
    pub(crate) _memory: Option<MemoryShare>,
}

// Three row types, because the drivers decode the key by its type.
struct IntRow {
    record: SizedRow,
    sort_key: Option<i64>,
}

from_row!(IntRow { sort_key }, with record);

struct DoubleRow {
    record: SizedRow,
    sort_key: Option<f64>,
}

from_row!(DoubleRow { sort_key }, with record);

struct StringRow {
    record: SizedRow,
    sort_key: Option<String>,
}

from_row!(StringRow { sort_key }, with record);

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

    /// The rows of a page, read with the index in memory where possible. Large documents are left out.
    pub(crate) async fn list(
        &mut self,
        index: &IndexSlot,
        list: &CatalogList<'_>,
        fingerprint: &str,
    ) -> Result<RowsWithKeys> {
        let cursor = list.cursor(fingerprint)?;
        let indexed = self.list_indexed(index, list, cursor.as_ref()).await?;
        index.count_list(indexed.is_some());
        let rows = match indexed {
            Some(rows) => rows,
            None => self.list_after(list, cursor.as_ref()).await?,
        };
        Ok(if list.page_size.is_some() { rows.cut() } else { rows })
    }

    /// The rows after the cursor, without the index in memory.
    async fn list_after(&mut self, list: &CatalogList<'_>, cursor: Option<&(Key, i64)>) -> Result<RowsWithKeys> {
        let among = prefilter::choose(self, list).await?;
        let select = list.select(cursor, among, self.dialect())?;
        let mut rows: Vec<(SizedRow, Key)> = match list.order.key_type() {
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
        let page_size = list.page_size.map_or(usize::MAX, |size| size as usize);
        let has_more = rows.len() > page_size;
        rows.truncate(page_size);
        Ok(RowsWithKeys { rows, has_more })
    }
}

impl CatalogStore {
    /// One page of a list, read with the index in memory where possible. It has fewer items than requested when these take too
    /// many bytes.
    pub async fn list(&self, list: &CatalogList<'_>) -> Result<CatalogPage> {
        let mut memory = ReadMemory::of_page(self.inner().memory(), list.page_size).await;
        let fingerprint = list.fingerprint();
        let rows = Reader::Database(self.database()?).list(&self.index, list, &fingerprint).await?;
        let lacking = lacking(rows.sized());
        if lacking == 0 {
            return Ok(rows.into_page(HashMap::new(), &fingerprint, memory.into_share()));
        }
        drop(rows);
        memory.wait_for(lacking).await;
        // Again, in a snapshot: a load between the two statements would mix two generations of the catalog.
        let mut snapshot = CatalogSnapshot::begin(self, memory).await?;
        let page = snapshot.list(list).await?;
        Ok(CatalogPage { _memory: snapshot.into_share(), ..page })
    }

    /// The ids of all items of a set, in the order of their names.
    pub async fn list_ids(&self, set: &CatalogSet<'_>) -> Result<Vec<i64>> {
        let database = self.database()?;
        let rows: Vec<(i64,)> = database.fetch_all(&set.select_ids_by_name(database.dialect())?).await?;
        Ok(rows.into_iter().map(|(id,)| id).collect())
    }

    /// The artifacts of one kind of the items of a set, if they satisfy the part of the set's filters that is about artifacts.
    /// They are read with all their documents, after waiting for their memory.
    pub async fn list_artifacts_of(&self, set: &CatalogSet<'_>, kind: CatalogKind) -> Result<CatalogPage> {
        let database = self.database()?;
        let dialect = database.dialect();
        let size: Option<(i64,)> = database.fetch_optional(&set.select_size_of_artifacts(kind, dialect)?).await?;
        let mut memory = ReadMemory::none(self.inner().memory());
        memory.wait_for(size.map_or(0, |(size,)| usize::try_from(size).unwrap_or(0))).await;
        let rows: Vec<SizedRow> = database.fetch_all(&set.select_artifacts(kind, dialect)?).await?;
        let rows = rows.into_iter().filter_map(|row| row.complete(&mut HashMap::new())).collect();
        Ok(CatalogPage { rows, next_page_token: String::new(), _memory: memory.into_share() })
    }
}

impl CatalogList<'_> {
    /// Digest of everything that decides which rows the list has and in which order.
    pub(crate) fn fingerprint(&self) -> String {
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
        let Some(mut select) = self.artifacts_without_columns(kind, dialect)? else { return Ok(Query::select()) };
        add_sized_columns(&mut select, table(kind), i64::MAX, dialect);
        Ok(select.order_by((table(kind), "id"), Order::Asc).take())
    }

    /// The sum of the sizes of their documents.
    pub(crate) fn select_size_of_artifacts(&self, kind: CatalogKind, dialect: Dialect) -> Result<SelectStatement> {
        let Some(mut select) = self.artifacts_without_columns(kind, dialect)? else { return Ok(Query::select()) };
        Ok(select.expr_as(sum_of_sizes(table(kind), "document", dialect), "size").take())
    }

    /// A statement about the artifacts of the items that selects no column yet.
    fn artifacts_without_columns(&self, kind: CatalogKind, dialect: Dialect) -> Result<Option<SelectStatement>> {
        let Some(items) = self.table() else { return Ok(None) };
        let items = self.select_ids(items, dialect)?;
        let table = table(kind);
        let mut select = Query::select();
        select
            .from(table)
            .and_where(Expr::col((table, "workspace_id")).eq(WORKSPACE))
            .and_where(Expr::col((table, "kind")).eq(kind.code()))
            .and_where(Expr::col((table, "parent_id")).in_subquery(items));
        if let Some(condition) = self.artifact_condition(dialect)? {
            select.and_where(condition);
        }
        Ok(Some(select))
    }

    /// The table of its kinds.
    pub(crate) fn table(&self) -> Option<&'static str> {
        self.kinds.first().map(|kind| table(*kind))
    }
}
