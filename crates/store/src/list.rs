//! Lists: one statement a page, filtered, ordered by (key, id), continued from a token.

use model_registry_api::{EntityTable, Kind, OrderBy, SortOrder};
use model_registry_filter::{self as filter, Expression};
use sea_query::{Expr, ExprTrait, Query, SelectStatement};

use crate::db::{Database, Planning};
use crate::dialect::Dialect;
use crate::direction::{is_after, is_from, order};
use crate::document;
use crate::error::Result;
use crate::filter_sql::{self, Scope};
use crate::read::{artifact_of, kind_is};
use crate::record::check_ends;
use crate::tables::{WORKSPACE, constant, table};
use crate::token::{self, Cursor};
use crate::vocabulary::resolve_filter_name;

mod walk;

use walk::{WALKED, Walk, text_key};

/// Bytes of a document on the wire beyond what is stored.
const ROOM_FOR_ID: usize = 32;

/// A page whose items are as long as the first one gets its memory at once, up to so many bytes.
const ROOM_AHEAD: usize = 256 * 1024;

/// Which entities a list is about, before any filter.
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
    pub within: ListScope,
    pub name: Option<&'a str>,
    pub external_id: Option<&'a str>,
    /// Steps of a metric history.
    pub steps: Option<&'a [i64]>,
    pub filter: Option<&'a str>,
    pub order_by: OrderBy,
    pub sort_order: SortOrder,
    pub page_size: u32,
    pub page_token: Option<&'a str>,
    /// What the items are written behind: an answer of a hundred kilobytes is not to be moved to make room for it.
    pub opening: &'static str,
}

/// One page of a list.
#[derive(Debug)]
pub struct Page {
    /// The opening, and the items' JSON joined with commas.
    pub items: String,
    pub size: usize,
    /// Empty on the last page.
    pub next_page_token: String,
}

impl Database {
    pub async fn list(&self, request: &ListRequest<'_>) -> Result<Page> {
        let fingerprint = request.fingerprint();
        let cursor = request.page_token.map(|token| token::decode(token, &fingerprint)).transpose()?;
        let filter = request.filter.map(filter::parse).transpose()?.flatten();
        let (select, planning) = request.select(cursor, filter.as_ref(), self.dialect())?;
        let table = request.kinds.first().map_or("", |kind| table(*kind));
        let page_size = request.page_size as usize;
        let mut page = Page { items: request.opening.to_owned(), size: 0, next_page_token: String::new() };
        let (mut rows, mut last) = (0, None);
        self.fetch_page(&select, planning, |id, key, document| {
            if rows == page_size {
                page.next_page_token = last.map(|last| token::encode(last, &fingerprint)).unwrap_or_default();
                return Ok(());
            }
            if rows == 0 {
                page.items.reserve(page_size.saturating_mul(document.len() + ROOM_FOR_ID).min(ROOM_AHEAD));
            }
            rows += 1;
            last = Some(Cursor { key, id });
            if let Err(error) = check_ends(table, id, document) {
                // One row is not to make all others unreachable.
                tracing::error!(error = &error as &dyn std::error::Error, "left out of a list");
                return Ok(());
            }
            if page.size > 0 {
                page.items.push(',');
            }
            document::append_wire(&mut page.items, id, document);
            page.size += 1;
            Ok(())
        })
        .await?;
        Ok(page)
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
        dialect: Dialect,
    ) -> Result<(SelectStatement, Planning)> {
        let Some(first) = self.kinds.first() else { return Ok((Query::select(), Planning::Once)) };
        let table = table(*first);
        let equalities = match filter {
            Some(filter) if self.may_walk() => {
                filter_sql::walkable(filter, &|name| resolve_filter_name(self.kinds, name))?
            }
            _ => Vec::new(),
        };
        if equalities.is_empty() {
            let mut select = Query::select();
            select.from(table);
            self.choose(&mut select, *first, filter, None, dialect)?;
            self.order(&mut select, table, cursor);
            return Ok((select, if filter.is_some() { Planning::ForValues } else { Planning::Once }));
        }
        let walk = Walk {
            kind: first.code(),
            equalities: &equalities,
            sort_order: self.sort_order,
            after: cursor.map(|cursor| cursor.id),
            dialect,
        };
        let mut select = walk.start(table);
        self.choose(&mut select, *first, filter, Some(WALKED), dialect)?;
        Ok((walk.once_per_owner(select), Planning::Once))
    }

    /// Whether the order of the ids is asked for, of one kind, and nothing but the filter narrows the list.
    fn may_walk(&self) -> bool {
        self.kinds.len() == 1
            && self.within == ListScope::Everything
            && self.order_by == OrderBy::Id
            && self.name.is_none()
            && self.external_id.is_none()
    }

    /// Adds what is read of each row, and which rows are listed.
    fn choose(
        &self,
        select: &mut SelectStatement,
        first: Kind,
        filter: Option<&Expression>,
        walked: Option<&'static str>,
        dialect: Dialect,
    ) -> Result<()> {
        let table = table(first);
        let column = |name: &'static str| Expr::col((table, name));
        select
            .column((table, "id"))
            .expr_as(column(self.key()), "sort_key")
            .column((table, "document"))
            .and_where(column("workspace_id").eq(constant(WORKSPACE)))
            .limit(u64::from(self.page_size) + 1);
        if first.spec().table != EntityTable::MetricPoint {
            select.and_where(kind_is(table, self.kinds));
        }
        match self.within {
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
                text_key: Some(text_key(dialect)),
                walked,
                related: None,
                resolve: &|name| resolve_filter_name(self.kinds, name),
            };
            select.cond_where(filter_sql::compile(filter, &scope, dialect)?);
        }
        Ok(())
    }

    fn key(&self) -> &'static str {
        match self.order_by {
            OrderBy::Id => "id",
            OrderBy::CreateTime => "create_time",
            OrderBy::LastUpdateTime => "update_time",
        }
    }

    /// Orders the rows, and begins behind the cursor.
    fn order(&self, select: &mut SelectStatement, table: &'static str, cursor: Option<Cursor>) {
        let key = self.key();
        let column = |name: &'static str| Expr::col((table, name));
        let after = |name: &'static str, value: i64| is_after(self.sort_order, column(name), value);
        if let Some(cursor) = cursor {
            if key == "id" {
                select.and_where(after("id", cursor.id));
            } else {
                // Spelled out instead of as a row comparison, which MySQL does not serve from an index.
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
mod tests {
    use sea_query::{PostgresQueryBuilder, Value};

    use super::*;

    #[test]
    fn where_a_page_begins_is_all_that_its_plan_does_not_know() {
        let request = ListRequest {
            kinds: &[Kind::ModelVersion],
            within: ListScope::Everything,
            name: None,
            external_id: None,
            steps: None,
            filter: None,
            order_by: OrderBy::Id,
            sort_order: SortOrder::Ascending,
            page_size: 100,
            page_token: None,
            opening: "",
        };
        let bound = |cursor| {
            let (select, _) = request.select(cursor, None, Dialect::Postgres).unwrap();
            let (_, values) = select.build(PostgresQueryBuilder);
            // The limit is written out when the statement is sent.
            values.0.into_iter().filter(|value| !matches!(value, Value::BigUnsigned(_))).collect::<Vec<_>>()
        };
        assert_eq!(bound(None), []);
        assert_eq!(bound(Some(Cursor { key: 7, id: 7 })), [Value::BigInt(Some(7))]);
    }
}
