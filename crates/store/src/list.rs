//! Lists: filtered, ordered by (key, id), continued from a page token (keyset pagination). A page without a filter is one
//! statement; how a filtered one is read is decided in `plan.rs`.

use model_registry_api::{EntityTable, Kind, OrderBy, SortOrder};
use model_registry_base::{MemoryPool, MemoryShare};
use model_registry_filter::{self as filter, Expression, Resolve};
use sea_query::{Expr, ExprTrait, Query, SelectStatement, Value};

use crate::db::{Database, Planning};
use crate::dialect::Dialect;
use crate::error::{Result, StoreError};
use crate::explain;
use crate::filter_names::resolve_filter_name;
use crate::filter_sql::{self, IndexRanges, RequiredString, Scope};
use crate::keyset::{is_after, is_from, is_until, order};
use crate::large_document;
use crate::page_token::{self, Cursor};
use crate::read::{artifact_of, is_in_scope_of_external_ids, padded};
use crate::tables::{NOT_FINITE, WORKSPACE, constant, table};

mod index_scan;
mod order_key;
mod ordered;
mod page_rows;
mod plan;
mod probe;
mod total;
mod value_order;
mod value_rows;

pub(crate) use index_scan::string_key;
use index_scan::{IndexScan, PROPERTY, SCANNED, ScanEnd};
use order_key::Place;
use ordered::OrderedList;
pub use page_rows::PAGE_BYTES;
use page_rows::PageRows;
use plan::FilteredList;
pub use plan::PlanLimits;
pub use total::{MAX_TOTAL, Total};
use value_order::{UnknownOrder, ValueOrder};

/// The entities of a list before any filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListScope {
    Everything,
    /// Children of a resource, such as the versions of a model.
    Parent(i64),
    /// Artifacts of a version or run, attached ones included.
    ArtifactsOf(i64),
    /// The metric history of a run.
    HistoryOf(i64),
}

/// A request for one page of a list.
#[derive(Clone, Debug)]
pub struct ListRequest<'a> {
    /// Kinds of one table.
    pub kinds: &'a [Kind],
    pub scope: ListScope,
    pub name: Option<&'a str>,
    pub external_id: Option<&'a str>,
    /// Keeps only these steps of a metric history.
    pub steps: Option<&'a [i64]>,
    pub filter: Option<&'a str>,
    pub order_by: OrderBy,
    /// Orders by this field or property instead, named as in a filter.
    pub value: Option<&'a str>,
    /// Whether a `value` that is neither a field nor a property of the listed kinds is an error, instead of the order by id.
    pub is_strict: bool,
    pub sort_order: SortOrder,
    pub page_size: u32,
    pub page_token: Option<&'a str>,
    /// Precedes the items in [`Page::items`], so that the response body is built without a copy.
    pub prefix: &'static str,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// The prefix of the request and the items' JSON, joined with commas.
    pub items: String,
    /// The number of items.
    pub size: usize,
    /// Empty on the last page.
    pub next_page_token: String,
    /// The memory of large documents, until the response has taken its own.
    _memory: Option<MemoryShare>,
}

impl Database {
    /// Reads a page. It has fewer items than requested when these take [`PAGE_BYTES`] of memory. Large documents wait for
    /// memory.
    pub async fn list(&self, request: &ListRequest<'_>, limits: &PlanLimits, memory: &MemoryPool) -> Result<Page> {
        let value = request.value;
        let fingerprint = request.fingerprint();
        let filter = request.filter.map(filter::parse).transpose()?.flatten();
        let mut request = ListRequest { value: None, ..request.clone() };
        if let Some((value, order)) = value.zip(Box::pin(self.value_order(&request, value)).await?) {
            match order.column() {
                Some("id") => request.order_by = OrderBy::Id,
                Some("create_time") => request.order_by = OrderBy::CreateTime,
                Some("update_time") => request.order_by = OrderBy::LastUpdateTime,
                _ => {
                    request.value = Some(value);
                    // Boxed, as below: most lists have neither order nor filter, and their future stays small.
                    let list = self.ordered_list(&request, &order, filter.as_ref(), &fingerprint, limits, memory);
                    return Box::pin(list).await;
                }
            }
        }
        let request = &request;
        let cursor = request.page_token.map(|token| page_token::decode(token, &fingerprint)).transpose()?;
        let mut rows = match &filter {
            Some(filter) => {
                let list = FilteredList { database: self, request, filter, cursor };
                Box::pin(list.rows(limits)).await?
            }
            None => self.unfiltered_rows(request, cursor).await?,
        };
        let memory = if rows.large.is_empty() { None } else { rows.read_large(self, memory).await? };
        let next = rows.last.filter(|_| rows.has_more);
        Ok(Page {
            items: rows.items,
            size: rows.size,
            next_page_token: next.map(|last| page_token::encode(last, &fingerprint)).unwrap_or_default(),
            _memory: memory,
        })
    }

    /// Reads a page in the order of values.
    async fn ordered_list(
        &self,
        request: &ListRequest<'_>,
        order: &ValueOrder,
        filter: Option<&Expression>,
        fingerprint: &str,
        limits: &PlanLimits,
        memory: &MemoryPool,
    ) -> Result<Page> {
        let after = request.page_token.map(|token| Place::of_token(token, fingerprint)).transpose()?;
        let mut page = OrderedList { database: self, request, order, filter, after }.rows(limits).await?;
        let memory = if page.rows.large.is_empty() { None } else { page.rows.read_large(self, memory).await? };
        Ok(Page {
            next_page_token: page.next().map(|place| place.token(fingerprint)).unwrap_or_default(),
            items: page.rows.items,
            size: page.rows.size,
            _memory: memory,
        })
    }

    /// What a field or property of this name means in the list; `None` if the list is by id.
    async fn value_order(&self, request: &ListRequest<'_>, value: Option<&str>) -> Result<Option<ValueOrder>> {
        let Some(value) = value else { return Ok(None) };
        let unknown = match ValueOrder::resolve(request.kinds, value) {
            Ok(order) if request.is_strict && !order.has_suffix => {
                UnknownOrder("fields and properties are written with the suffix of their type".to_owned())
            }
            Ok(order) if !order.may_be_unknown || self.has_property(request.kinds, &order.name).await? => {
                return Ok(Some(order));
            }
            Ok(_) => return Ok(None),
            Err(unknown) => unknown,
        };
        if !request.is_strict {
            return Ok(None);
        }
        let hint = format!(
            "use {}, a field such as `name.string_value`, or a custom property such as `accuracy.double_value`",
            OrderBy::NAMES.join(", ")
        );
        Err(StoreError::OrderBy { order_by: value.to_owned(), reason: format!("{}. Hint: {hint}", unknown.0) })
    }

    /// Whether an entity of the kinds has a property of this name.
    async fn has_property(&self, kinds: &[Kind], name: &str) -> Result<bool> {
        let select = Query::select()
            .column("owner_id")
            .from(PROPERTY)
            .and_where(Expr::col("workspace_id").eq(constant(WORKSPACE)))
            .and_where(Expr::col("kind").is_in(kinds.iter().map(|kind| constant(kind.code()))))
            .and_where(Expr::col("name").eq(name))
            .limit(1)
            .take();
        Ok(self.fetch_optional::<(i64,)>(&select).await?.is_some())
    }

    async fn unfiltered_rows(&self, request: &ListRequest<'_>, cursor: Option<Cursor>) -> Result<PageRows> {
        let table = request.kinds.first().map_or("", |kind| table(*kind));
        let mut rows = PageRows::new(table, request.page_size as usize, request.prefix);
        let select = request.select(cursor, None, &Reading::Walk { until: None }, self.dialect())?;
        explain::plan(|| "walk in the order of the list".to_owned());
        self.fetch_page(&select, Planning::Once, |id, key, document| {
            rows.push(Cursor { key, id }, document);
            Ok(())
        })
        .await?;
        Ok(rows)
    }
}

/// Which rows of the table a statement reads.
enum Reading<'a> {
    /// In the order of the list, up to this sort key.
    Walk { until: Option<i64> },
    /// The owners of the scanned rows of `property`.
    Scan,
    /// Those with these ids.
    Ids(&'a [i64]),
}

impl ListRequest<'_> {
    fn fingerprint(&self) -> String {
        let mut list =
            format!("{:?} {:?} {:?} {:?} {:?}", self.kinds, self.scope, self.order_by, self.sort_order, self.steps);
        // Without a value, tokens are those of earlier versions.
        list.extend(self.value.into_iter().flat_map(|value| [" ", value]));
        page_token::fingerprint(&[
            &list,
            self.name.unwrap_or_default(),
            self.external_id.unwrap_or_default(),
            self.filter.unwrap_or_default(),
        ])
    }

    /// The statement for the rows of the page.
    fn select(
        &self,
        cursor: Option<Cursor>,
        filter: Option<&Expression>,
        reading: &Reading<'_>,
        dialect: Dialect,
    ) -> Result<SelectStatement> {
        let mut select = Query::select();
        let Some(first) = self.kinds.first() else { return Ok(select) };
        select.from(table(*first));
        self.add_rows(&mut select, *first, filter, reading, dialect)?;
        self.add_order(&mut select, table(*first), cursor);
        Ok(select)
    }

    /// The strings that every match of the filter has, if an index scan can read the list.
    fn required_strings(&self, filter: &Expression) -> Result<Vec<RequiredString>> {
        if !self.allows_index_scan() {
            return Ok(Vec::new());
        }
        Ok(filter_sql::required_strings(filter, &|name| resolve_filter_name(self.kinds, name))?)
    }

    /// The index scan over the owners of the rarest of these strings, of which there is one at least.
    fn index_scan<'r>(
        &self,
        cursor: Option<Cursor>,
        required: &'r [RequiredString],
        end: ScanEnd,
        dialect: Dialect,
    ) -> IndexScan<'r> {
        let kind = self.kinds.first().map_or(0, |kind| kind.code());
        IndexScan { kind, required, sort_order: self.sort_order, after: cursor.map(|cursor| cursor.id), end, dialect }
    }

    /// The statement for the rows of an index scan.
    fn scanned(&self, scan: &IndexScan<'_>, filter: &Expression) -> Result<SelectStatement> {
        let Some(first) = self.kinds.first() else { return Ok(Query::select()) };
        let mut select = scan.start(table(*first));
        self.add_rows(&mut select, *first, Some(filter), &Reading::Scan, scan.dialect)?;
        Ok(scan.once_per_owner(select))
    }

    /// The ranges of indexes that contain all matches of the filter.
    fn index_ranges(&self, filter: &Expression, except_required: bool, dialect: Dialect) -> Result<IndexRanges> {
        let codes = self.codes();
        let resolve = |name: &str| resolve_filter_name(self.kinds, name);
        let table = self.kinds.first().map_or("", |kind| table(*kind));
        let scope = filter_scope(table, &codes, &Reading::Walk { until: None }, &resolve, dialect);
        Ok(filter_sql::index_ranges(filter, &scope, except_required, dialect)?)
    }

    /// Selects the sort key of the row after so many rows of the list.
    fn boundary(&self, cursor: Option<Cursor>, rows: u64, dialect: Dialect) -> SelectStatement {
        let mut select = Query::select();
        let Some(first) = self.kinds.first() else { return select };
        let table = table(*first);
        select.column((table, self.key())).from(table);
        self.add_scope(&mut select, *first, &Reading::Walk { until: None }, dialect);
        self.add_order(&mut select, table, cursor);
        select.limit(1).offset(rows).take()
    }

    /// Selects the id and the sort key of the rows with these ids.
    fn keys(&self, ids: &[i64]) -> SelectStatement {
        let mut select = Query::select();
        let Some(first) = self.kinds.first() else { return select };
        let table = table(*first);
        select.column((table, "id")).column((table, self.key())).from(table);
        select.and_where(Expr::col((table, "id")).is_in(padded(ids)));
        select
    }

    fn codes(&self) -> Vec<i16> {
        self.kinds.iter().map(|kind| kind.code()).collect()
    }

    /// Whether the list is ordered by id, has one kind, and is restricted by nothing but the filter.
    fn allows_index_scan(&self) -> bool {
        self.kinds.len() == 1 && self.is_everything_by_id()
    }

    /// Whether the list is ordered by id, and restricted by nothing but its kinds and the filter.
    fn is_everything_by_id(&self) -> bool {
        self.scope == ListScope::Everything
            && self.order_by == OrderBy::Id
            && self.name.is_none()
            && self.external_id.is_none()
    }

    /// Adds the columns and the conditions.
    fn add_rows(
        &self,
        select: &mut SelectStatement,
        first: Kind,
        filter: Option<&Expression>,
        reading: &Reading<'_>,
        dialect: Dialect,
    ) -> Result<()> {
        let table = table(first);
        let column = |name: &'static str| Expr::col((table, name));
        select
            .column((table, "id"))
            .expr_as(column(self.key()), "sort_key")
            .expr_as(large_document::small_document(table), "document")
            .limit(u64::from(self.page_size) + 1);
        self.add_scope(select, first, reading, dialect);
        match reading {
            Reading::Walk { until: Some(last) } => {
                select.and_where(is_until(self.sort_order, column(self.key()), *last));
            }
            Reading::Ids(ids) => {
                select.and_where(column("id").is_in(padded(ids)));
            }
            Reading::Walk { until: None } | Reading::Scan => {}
        }
        if let Some(filter) = filter {
            let codes = self.codes();
            let resolve = |name: &str| resolve_filter_name(self.kinds, name);
            let scope = filter_scope(table, &codes, reading, &resolve, dialect);
            select.cond_where(filter_sql::compile(filter, &scope, dialect)?);
        }
        Ok(())
    }

    /// Adds the conditions of the list without its filter.
    fn add_scope(&self, select: &mut SelectStatement, first: Kind, reading: &Reading<'_>, dialect: Dialect) {
        let table = table(first);
        let column = |name: &'static str| Expr::col((table, name));
        let mut conditions: Vec<(_, Vec<Value>)> = vec![("workspace_id", vec![WORKSPACE.into()])];
        if first.spec().table != EntityTable::MetricPoint {
            conditions.push(("kind", self.codes().into_iter().map(Into::into).collect()));
        }
        for (name, values) in conditions {
            // As an expression, a column is in no index. SQLite would prefer an index that begins with these columns to the ids,
            // and for several kinds sort all of their rows.
            let stored = if matches!(reading, Reading::Ids(_)) || dialect == Dialect::Sqlite && self.is_walk_by_id() {
                column(name).add(constant(0))
            } else {
                column(name)
            };
            select.and_where(match <[Value; 1]>::try_from(values) {
                Ok([only]) => stored.eq(constant(only)),
                Err(values) => stored.is_in(values.into_iter().map(constant)),
            });
        }
        match self.scope {
            ListScope::Everything => {}
            ListScope::Parent(id) => {
                select.and_where(column("parent_id").eq(id));
            }
            ListScope::ArtifactsOf(id) => {
                select.cond_where(artifact_of(id));
            }
            ListScope::HistoryOf(id) => {
                select.and_where(column("experiment_run_id").eq(id));
            }
        }
        if let Some(name) = self.name {
            select.and_where(column("name").eq(name));
        }
        if let Some(external_id) = self.external_id {
            select.and_where(column("external_id").eq(external_id));
            if first.spec().table == EntityTable::Resource {
                select.and_where(is_in_scope_of_external_ids(table, self.kinds));
            }
        }
        if let Some(steps) = self.steps {
            select.and_where(column("step").is_in(steps.iter().copied()));
        }
    }

    /// Whether nearly all rows of the table are in the list, which is in the order of its primary key.
    fn is_walk_by_id(&self) -> bool {
        self.kinds.len() > 1 && self.is_everything_by_id()
    }

    /// The column of the sort key.
    fn key(&self) -> &'static str {
        match self.order_by {
            OrderBy::Id => "id",
            OrderBy::CreateTime => "create_time",
            OrderBy::LastUpdateTime => "update_time",
        }
    }

    /// Adds the order, and the condition for rows after the cursor.
    fn add_order(&self, select: &mut SelectStatement, table: &'static str, cursor: Option<Cursor>) {
        let key = self.key();
        let column = |name: &'static str| Expr::col((table, name));
        let after = |name: &'static str, value: i64| is_after(self.sort_order, column(name), value);
        if let Some(cursor) = cursor {
            if key == "id" {
                select.and_where(after("id", cursor.id));
            } else {
                // Not a row comparison, for which MySQL does not use the index.
                select.and_where(is_from(self.sort_order, column(key), cursor.key));
                select.and_where(after(key, cursor.key).or(after("id", cursor.id)));
            }
        }
        let order = order(self.sort_order);
        if key != "id" {
            select.order_by((table, key), order.clone());
        }
        select.order_by((table, "id"), order);
    }
}

/// The scope of the filter in a statement.
fn filter_scope<'a>(
    table: &'static str,
    codes: &'a [i16],
    reading: &Reading<'_>,
    resolve: Resolve<'a>,
    dialect: Dialect,
) -> Scope<'a> {
    Scope {
        table,
        workspace_id: WORKSPACE,
        kinds: codes,
        properties: "property",
        string_key: Some(string_key(dialect)),
        not_finite: Some(NOT_FINITE),
        scanned: matches!(reading, Reading::Scan).then_some(SCANNED),
        one_by_one: true,
        related: None,
        resolve,
    }
}

#[cfg(test)]
mod access_paths;
#[cfg(test)]
mod skewed_tests;
#[cfg(test)]
mod tests;
