//! The statement of a page and the conditions of a set, for each dialect.

use model_registry_filter::fold;
use model_registry_store::Result;
use model_registry_store::dialect::Dialect;
use model_registry_store::filter_sql::{self, Scope, Selection};
use model_registry_store::sql::{self, WORKSPACE};
use sea_query::{Cond, Expr, ExprTrait, LikeExpr, Order, Query, SelectStatement};

use super::{CatalogList, CatalogSet};
use crate::documents::{SIZED_COLUMNS, add_sized_columns, small};
use crate::filter_names::{artifact_filter, artifact_kind, resolve};
use crate::order::after;
use crate::page_token::Key;
use crate::prefilter::CANDIDATES;
use crate::{CatalogKind, CatalogOrder};

/// The name of the order's key.
pub(crate) const SORT_KEY: &str = "sort_key";

impl CatalogList<'_> {
    /// `among` selects the ids that the rows are looked up among, each once, in a column `id`.
    pub(crate) fn select(
        &self,
        cursor: Option<&(Key, i64)>,
        among: Option<SelectStatement>,
        dialect: Dialect,
    ) -> Result<SelectStatement> {
        let Some(table) = self.set.table() else { return Ok(Query::select()) };
        let counted = match &self.order {
            CatalogOrder::ArtifactProperty { .. } => self.set.artifact_condition(dialect)?,
            _ => None,
        };
        let sort_key = self.order.key(table, self.sort_order, counted);
        let mut rows = Query::select();
        add_sized_columns(&mut rows, table, small(self.page_size), dialect);
        rows.expr_as(sort_key, SORT_KEY).cond_where(self.set.condition(table, dialect)?);
        if let Some(among) = among {
            // A cross join, which keeps SQLite from beginning with the other table.
            rows.from_subquery(among, CANDIDATES)
                .cross_join(table)
                .and_where(Expr::col((table, "id")).eq(Expr::col((CANDIDATES, "id"))));
        } else {
            rows.from(table);
        }
        let mut select = Query::select();
        select.columns(SIZED_COLUMNS).column(SORT_KEY).from_subquery(rows, "page");
        if let Some((key, id)) = cursor {
            select.cond_where(after(&self.order, self.sort_order, key, *id));
        }
        let direction = sql::order(self.sort_order);
        if self.order.may_be_absent() {
            select.order_by_expr(Expr::col(SORT_KEY).is_null(), Order::Asc);
        }
        select.order_by(SORT_KEY, direction.clone());
        let id_order = if self.order.ids_follow_direction() { direction } else { Order::Asc };
        if self.order != CatalogOrder::Id {
            select.order_by("id", id_order);
        }
        if let Some(page_size) = self.page_size {
            select.limit(u64::from(page_size) + 1);
        }
        Ok(select)
    }
}

impl CatalogSet<'_> {
    pub(super) fn condition(&self, table: &'static str, dialect: Dialect) -> Result<Cond> {
        let column = |name: &'static str| Expr::col((table, name));
        let mut all =
            Cond::all().add(column("workspace_id").eq(WORKSPACE)).add(is_of_kind(column("kind"), &codes(self.kinds)));
        if let Some(parent_id) = self.parent_id {
            all = all.add(column("parent_id").eq(parent_id));
        }
        if let Some(sources) = self.sources {
            all = all.add(column("source_id").is_in(sources.iter().map(String::as_str)));
        }
        if let Some(search) = self.search {
            all = all.add(column("search_text").like(contains(search)));
        }
        for filter in self.filters {
            all = all.add(self.with_scope(table, |scope| filter_sql::compile(filter, scope, dialect))?);
        }
        Ok(all)
    }

    /// For each condition of the filters that an index of the database can serve alone: the rows it selects.
    pub(crate) fn selections(&self, table: &'static str, dialect: Dialect) -> Result<Vec<Selection>> {
        let mut all = Vec::new();
        for filter in self.filters {
            all.extend(self.with_scope(table, |scope| filter_sql::selections(filter, scope, CANDIDATES, dialect))?);
        }
        Ok(all)
    }

    /// Calls with the meaning of names in filters on this set.
    fn with_scope<T>(&self, table: &'static str, call: impl FnOnce(&Scope<'_>) -> T) -> T {
        let kind = self.kinds.first().copied().unwrap_or(CatalogKind::Model);
        let codes = codes(self.kinds);
        let artifact_codes = self::codes(kind.spec().children);
        let call = |artifacts: Option<&Scope<'_>>| {
            call(&Scope {
                table,
                workspace_id: WORKSPACE,
                kinds: &codes,
                properties: "catalog_property",
                string_key: None,
                not_finite: None,
                scanned: None,
                one_by_one: false,
                related: artifacts,
                resolve: &|name| resolve(kind, name),
            })
        };
        match artifact_kind(kind) {
            Some(artifact) => with_artifact_scope(artifact, &artifact_codes, |artifacts| call(Some(artifacts))),
            None => call(None),
        }
    }

    /// The part of the filters that is about artifacts.
    pub(super) fn artifact_condition(&self, dialect: Dialect) -> Result<Option<Expr>> {
        let kind = self.kinds.first().copied().unwrap_or(CatalogKind::Model);
        let Some(artifact) = artifact_kind(kind) else { return Ok(None) };
        let codes = codes(kind.spec().children);
        let mut all: Option<Expr> = None;
        for filter in self.filters.iter().filter_map(artifact_filter) {
            let compile = |scope: &Scope<'_>| filter_sql::compile(&filter, scope, dialect);
            let condition = with_artifact_scope(artifact, &codes, compile)?;
            all = Some(match all {
                Some(all) => all.and(condition),
                None => condition,
            });
        }
        Ok(all)
    }
}

fn with_artifact_scope<T>(kind: CatalogKind, codes: &[i16], call: impl FnOnce(&Scope<'_>) -> T) -> T {
    call(&Scope {
        table: crate::kind::table(kind),
        workspace_id: WORKSPACE,
        kinds: codes,
        properties: "catalog_property",
        string_key: None,
        not_finite: None,
        scanned: None,
        one_by_one: false,
        related: None,
        resolve: &|name| resolve(kind, name),
    })
}

pub(crate) fn codes(kinds: &[CatalogKind]) -> Vec<i16> {
    kinds.iter().map(|kind| kind.code()).collect()
}

/// Whether a column has one of these codes of kinds.
pub(crate) fn is_of_kind(column: Expr, codes: &[i16]) -> Expr {
    match codes {
        [code] => column.eq(*code),
        codes => column.is_in(codes.iter().copied()),
    }
}

/// A pattern for folded strings that contain this one.
fn contains(string: &str) -> LikeExpr {
    let mut pattern = String::from("%");
    for character in fold(string).chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('!')
}
