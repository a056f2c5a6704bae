//! Lists: one statement a page, filtered, ordered by (key, id), continued from a token.

use model_registry_api::{Family, Kind, OrderBy, SortOrder};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};

use crate::db::Database;
use crate::document;
use crate::error::Result;
use crate::filter::{self, Expression, Scope};
use crate::read::{artifact_of, kind_is};
use crate::record::check_document;
use crate::tables::{WORKSPACE, table};
use crate::token::{self, Cursor};
use crate::vocabulary;

/// Which entities a list is about, before any filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Within {
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
    pub within: Within,
    pub name: Option<&'a str>,
    pub external_id: Option<&'a str>,
    /// Steps of a metric history.
    pub steps: Option<&'a [i64]>,
    pub filter: Option<&'a str>,
    pub order_by: OrderBy,
    pub sort_order: SortOrder,
    pub page_size: u32,
    pub page_token: Option<&'a str>,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// The items' JSON, joined with commas.
    pub items: String,
    pub size: usize,
    /// Empty on the last page.
    pub next_page_token: String,
}

#[derive(sqlx::FromRow)]
struct ListRow {
    id: i64,
    /// The value of the column that the list is ordered by.
    sort_key: i64,
    document: String,
}

impl Database {
    pub async fn list(&self, request: &ListRequest<'_>) -> Result<Page> {
        let fingerprint = request.fingerprint();
        let cursor = request.page_token.map(|token| token::decode(token, &fingerprint)).transpose()?;
        let filter = request.filter.map(filter::parse).transpose()?.flatten();
        let select = request.select(cursor, filter.as_ref(), self.dialect())?;
        let mut rows: Vec<ListRow> = match filter {
            Some(_) => self.fetch_filtered(&select).await?,
            None => self.fetch_all(&select).await?,
        };
        let page_size = request.page_size as usize;
        let more = rows.len() > page_size;
        rows.truncate(page_size);
        let next_page_token = match rows.last() {
            Some(last) if more => token::encode(Cursor { key: last.sort_key, id: last.id }, &fingerprint),
            _ => String::new(),
        };
        let table = request.kinds.first().map_or("", |kind| table(*kind));
        let mut items = String::with_capacity(rows.iter().map(|row| row.document.len() + 32).sum());
        for row in &rows {
            check_document(table, row.id, &row.document)?;
            if !items.is_empty() {
                items.push(',');
            }
            document::append_wire(&mut items, row.id, &row.document);
        }
        Ok(Page { items, size: rows.len(), next_page_token })
    }
}

impl ListRequest<'_> {
    fn fingerprint(&self) -> String {
        token::fingerprint(&[
            &format!("{:?} {:?} {:?} {:?} {:?}", self.kinds, self.within, self.order_by, self.sort_order, self.steps),
            self.name.unwrap_or_default(),
            self.external_id.unwrap_or_default(),
            self.filter.unwrap_or_default(),
        ])
    }

    fn select(
        &self,
        cursor: Option<Cursor>,
        filter: Option<&Expression>,
        dialect: crate::dialect::Dialect,
    ) -> Result<SelectStatement> {
        let Some(first) = self.kinds.first() else { return Ok(Query::select()) };
        let family = first.spec().family;
        let table = table(*first);
        let key = match self.order_by {
            OrderBy::Id => "id",
            OrderBy::CreateTime => "create_time",
            OrderBy::LastUpdateTime => "update_time",
        };
        let column = |name: &'static str| Expr::col((table, name));
        let mut select = Query::select();
        select
            .column((table, "id"))
            .expr_as(column(key), "sort_key")
            .column((table, "document"))
            .from(table)
            .and_where(column("workspace_id").eq(WORKSPACE))
            .limit(u64::from(self.page_size) + 1);
        if family != Family::MetricPoint {
            select.and_where(kind_is(self.kinds));
        }
        match self.within {
            Within::Everything => {}
            Within::Parent(id) => {
                select.and_where(column("parent_id").eq(id));
            }
            Within::ArtifactsOf(id) => {
                select.cond_where(artifact_of(id));
            }
            Within::HistoryOf(id) => {
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
                related: None,
                resolve: &|name| vocabulary::resolve(self.kinds, name),
            };
            select.cond_where(filter::compile(filter, &scope, dialect)?);
        }
        let (order, after): (Order, fn(Expr, Expr) -> Expr) = match self.sort_order {
            SortOrder::Ascending => (Order::Asc, |a, b| a.gt(b)),
            SortOrder::Descending => (Order::Desc, |a, b| a.lt(b)),
        };
        if let Some(cursor) = cursor {
            if key == "id" {
                select.and_where(after(column("id"), cursor.id.into()));
            } else {
                // Spelled out instead of as a row comparison, which MySQL does not serve from an index.
                let bound = match self.sort_order {
                    SortOrder::Ascending => column(key).gte(cursor.key),
                    SortOrder::Descending => column(key).lte(cursor.key),
                };
                select.and_where(bound);
                select.and_where(after(column(key), cursor.key.into()).or(after(column("id"), cursor.id.into())));
            }
        }
        if key != "id" {
            select.order_by((table, key), order.clone());
        }
        select.order_by((table, "id"), order);
        Ok(select)
    }
}
