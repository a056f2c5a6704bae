//! Lists: one statement per page, filtered, ordered by (key, id), continued from a page token (keyset pagination).

use model_registry_api::{EntityTable, Kind, OrderBy, SortOrder};
use model_registry_base::{MemoryPool, MemoryShare};
use model_registry_filter::{self as filter, Expression};
use sea_query::{Expr, ExprTrait, Query, SelectStatement};

use crate::db::{Database, Planning};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::filter_names::resolve_filter_name;
use crate::filter_sql::{self, Scope};
use crate::keyset::{is_after, is_from, order};
use crate::large_document;
use crate::page_token::{self, Cursor};
use crate::read::{artifact_of, kind_is};
use crate::tables::{NOT_FINITE, WORKSPACE, constant, table};

mod index_scan;
mod page_rows;

use index_scan::{IndexScan, SCANNED, string_key};
pub use page_rows::PAGE_BYTES;
use page_rows::PageRows;

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
    pub async fn list(&self, request: &ListRequest<'_>, memory: &MemoryPool) -> Result<Page> {
        let fingerprint = request.fingerprint();
        let cursor = request.page_token.map(|token| page_token::decode(token, &fingerprint)).transpose()?;
        let filter = request.filter.map(filter::parse).transpose()?.flatten();
        let (select, planning) = request.select(cursor, filter.as_ref(), self.dialect())?;
        let table = request.kinds.first().map_or("", |kind| table(*kind));
        let mut rows = PageRows::new(table, request.page_size as usize, request.prefix);
        self.fetch_page(&select, planning, |id, key, document| {
            rows.push(Cursor { key, id }, document);
            Ok(())
        })
        .await?;
        let memory = if rows.large.is_empty() { None } else { rows.read_large(self, memory).await? };
        let next = rows.last.filter(|_| rows.has_more);
        Ok(Page {
            items: rows.items,
            size: rows.size,
            next_page_token: next.map(|last| page_token::encode(last, &fingerprint)).unwrap_or_default(),
            _memory: memory,
        })
    }
}

impl ListRequest<'_> {
    fn fingerprint(&self) -> String {
        page_token::fingerprint(&[
            &format!("{:?} {:?} {:?} {:?} {:?}", self.kinds, self.scope, self.order_by, self.sort_order, self.steps),
            self.name.unwrap_or_default(),
            self.external_id.unwrap_or_default(),
            self.filter.unwrap_or_default(),
        ])
    }

    fn select(
        &self,
        cursor: Option<Cursor>,
        filter: Option<&Expression>,
        dialect: Dialect,
    ) -> Result<(SelectStatement, Planning)> {
        let Some(first) = self.kinds.first() else { return Ok((Query::select(), Planning::Once)) };
        let table = table(*first);
        let required = match filter {
            Some(filter) if self.allows_index_scan() => {
                filter_sql::required_strings(filter, &|name| resolve_filter_name(self.kinds, name))?
            }
            _ => Vec::new(),
        };
        if required.is_empty() {
            let mut select = Query::select();
            select.from(table);
            self.add_rows(&mut select, *first, filter, None, dialect)?;
            self.add_order(&mut select, table, cursor);
            return Ok((select, if filter.is_some() { Planning::ForValues } else { Planning::Once }));
        }
        let scan = IndexScan {
            kind: first.code(),
            required: &required,
            sort_order: self.sort_order,
            after: cursor.map(|cursor| cursor.id),
            dialect,
        };
        let mut select = scan.start(table);
        self.add_rows(&mut select, *first, filter, Some(SCANNED), dialect)?;
        Ok((scan.once_per_owner(select), Planning::Once))
    }

    /// Whether the list is ordered by id, has one kind, and is restricted by nothing but the filter.
    fn allows_index_scan(&self) -> bool {
        self.kinds.len() == 1
            && self.scope == ListScope::Everything
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
        scanned: Option<&'static str>,
        dialect: Dialect,
    ) -> Result<()> {
        let table = table(first);
        let column = |name: &'static str| Expr::col((table, name));
        select
            .column((table, "id"))
            .expr_as(column(self.key()), "sort_key")
            .expr_as(large_document::small_document(table), "document")
            .and_where(column("workspace_id").eq(constant(WORKSPACE)))
            .limit(u64::from(self.page_size) + 1);
        if first.spec().table != EntityTable::MetricPoint {
            select.and_where(kind_is(table, self.kinds));
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
        }
        if let Some(steps) = self.steps {
            select.and_where(column("step").is_in(steps.iter().copied()));
        }
        if let Some(filter) = filter {
            let codes: Vec<i16> = self.kinds.iter().map(|kind| kind.code()).collect();
            let scope = Scope {
                table,
                workspace_id: WORKSPACE,
                kinds: &codes,
                properties: "property",
                string_key: Some(string_key(dialect)),
                not_finite: Some(NOT_FINITE),
                scanned,
                related: None,
                resolve: &|name| resolve_filter_name(self.kinds, name),
            };
            select.cond_where(filter_sql::compile(filter, &scope, dialect)?);
        }
        Ok(())
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

#[cfg(test)]
mod tests;
