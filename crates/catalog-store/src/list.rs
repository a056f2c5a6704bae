//! Lists of the catalog: one statement a page, filtered, searched, ordered by a key and the id.

use model_registry_api::SortOrder;
use model_registry_filter::{self as filter, Expression};
use model_registry_store::dialect::Dialect;
use model_registry_store::filter_sql::{self, Scope, Selection};
use model_registry_store::from_row;
use model_registry_store::sql::{self, Row, WORKSPACE};
use model_registry_store::{Database, Result, Transaction};
use sea_query::{Expr, ExprTrait, LikeExpr, Order, Query, SelectStatement};

use super::order::{self, Key, KeyType};
use super::read::{RECORD_COLUMNS, RecordRow};
use super::{CatalogKind, CatalogOrder, CatalogRecord, CatalogStore, narrow, vocabulary};

/// The table of models, servers and tools.
const ITEM: &str = "catalog_item";
/// The ids that a condition selects.
pub(super) const NARROWED: &str = "narrowed";

/// Which rows a list is about.
#[derive(Clone, Copy, Debug)]
pub struct CatalogSet<'a> {
    /// Kinds of one table.
    pub kinds: &'a [CatalogKind],
    pub parent_id: Option<i64>,
    /// Only of these sources.
    pub sources: Option<&'a [String]>,
    /// A text that name, description, provider, library or a task contains, whatever the case.
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
    /// `None` for everything at once.
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

struct TextRow {
    record: RecordRow,
    sort_key: Option<String>,
}

from_row!(TextRow { sort_key }, with record);

/// What a list is read from.
pub(super) enum Reader<'a> {
    Database(&'a Database),
    Snapshot(&'a mut Transaction),
}

impl Reader<'_> {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Database(database) => database.dialect(),
            Self::Snapshot(snapshot) => snapshot.dialect(),
        }
    }

    /// A statement whose plan depends on the values of a filter.
    pub(super) async fn fetch_filtered<R: Row>(&mut self, select: &SelectStatement) -> Result<Vec<R>> {
        match self {
            Self::Database(database) => database.fetch_filtered(select).await,
            Self::Snapshot(snapshot) => snapshot.fetch_all(select).await,
        }
    }

    pub(super) async fn list(&mut self, list: &CatalogList<'_>) -> Result<CatalogPage> {
        let fingerprint = list.fingerprint();
        let cursor = list.cursor(&fingerprint)?;
        self.list_from(list, cursor.as_ref(), &fingerprint).await
    }

    /// The page after the cursor, by the database alone.
    async fn list_from(
        &mut self,
        list: &CatalogList<'_>,
        cursor: Option<&(Key, i64)>,
        fingerprint: &str,
    ) -> Result<CatalogPage> {
        let narrowed = narrow::choose(self, list).await?;
        let select = list.select(cursor, narrowed, self.dialect())?;
        let mut rows: Vec<(RecordRow, Key)> = match list.order.key_type() {
            KeyType::Int => {
                let rows = self.fetch_filtered::<IntRow>(&select).await?;
                rows.into_iter().map(|row| (row.record, row.sort_key.map_or(Key::Absent, Key::Int))).collect()
            }
            KeyType::Double => {
                let rows = self.fetch_filtered::<DoubleRow>(&select).await?;
                rows.into_iter().map(|row| (row.record, row.sort_key.map_or(Key::Absent, Key::Double))).collect()
            }
            KeyType::Text => {
                let rows = self.fetch_filtered::<TextRow>(&select).await?;
                rows.into_iter().map(|row| (row.record, row.sort_key.map_or(Key::Absent, Key::Text))).collect()
            }
        };
        let mut next_page_token = String::new();
        if let Some(page_size) = list.page_size.map(|size| size as usize)
            && rows.len() > page_size
        {
            rows.truncate(page_size);
            if let Some((last, key)) = rows.last() {
                next_page_token = order::encode(key, last.id, fingerprint);
            }
        }
        Ok(CatalogPage { rows: rows.into_iter().map(|(row, _)| row.into()).collect(), next_page_token })
    }
}

impl CatalogStore {
    /// One page of a list, with the index in memory where that is possible.
    pub async fn list(&self, list: &CatalogList<'_>) -> Result<CatalogPage> {
        let fingerprint = list.fingerprint();
        let cursor = list.cursor(&fingerprint)?;
        let Some(page) = self.list_indexed(list, cursor.as_ref()).await? else {
            return Reader::Database(self.database()?).list_from(list, cursor.as_ref(), &fingerprint).await;
        };
        let next = page.rows.last().filter(|_| page.has_more);
        let next_page_token = next.map(|(last, key)| order::encode(key, last.id, &fingerprint)).unwrap_or_default();
        Ok(CatalogPage { rows: page.rows.into_iter().map(|(row, _)| row).collect(), next_page_token })
    }

    /// The ids of all items of a set, in the order of their names.
    pub async fn list_ids(&self, set: &CatalogSet<'_>) -> Result<Vec<i64>> {
        let database = self.database()?;
        let select = Query::select()
            .column((ITEM, "id"))
            .from(ITEM)
            .cond_where(set.condition(ITEM, database.dialect())?)
            .order_by((ITEM, "sort_name"), Order::Asc)
            .order_by((ITEM, "id"), Order::Asc)
            .take();
        Ok(database.fetch_all::<(i64,)>(&select).await?.into_iter().map(|(id,)| id).collect())
    }

    /// The artifacts of one kind below the items of a set, if they are what the set's filters ask of artifacts.
    pub async fn list_artifacts_of(&self, set: &CatalogSet<'_>, kind: CatalogKind) -> Result<Vec<CatalogRecord>> {
        let database = self.database()?;
        let dialect = database.dialect();
        let items = Query::select().column((ITEM, "id")).from(ITEM).cond_where(set.condition(ITEM, dialect)?).take();
        let table = kind.table();
        let mut select = Query::select();
        select
            .columns(RECORD_COLUMNS.map(|column| (table, column)))
            .from(table)
            .and_where(Expr::col((table, "workspace_id")).eq(WORKSPACE))
            .and_where(Expr::col((table, "kind")).eq(kind.code()))
            .and_where(Expr::col((table, "parent_id")).in_subquery(items))
            .order_by((table, "id"), Order::Asc);
        if let Some(condition) = set.related_condition(dialect)? {
            select.and_where(condition);
        }
        Ok(database.fetch_all::<RecordRow>(&select).await?.into_iter().map(CatalogRecord::from).collect())
    }
}

impl CatalogList<'_> {
    fn fingerprint(&self) -> String {
        let set = self.set;
        let filters: Vec<String> = set.filters.iter().map(ToString::to_string).collect();
        let mut parts = vec![
            format!("{:?} {:?} {:?} {:?}", set.kinds, set.parent_id, self.order, self.sort_order),
            set.sources.map_or_else(String::new, |sources| format!("{sources:?}")),
            set.search.unwrap_or_default().to_owned(),
        ];
        parts.extend(filters);
        sql::fingerprint(&parts.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn cursor(&self, fingerprint: &str) -> Result<Option<(Key, i64)>> {
        let decode = |token| order::decode(token, Some(fingerprint), self.order.key_type());
        self.page_token.map(decode).transpose()
    }

    /// `narrowed` has the ids, each once and in a column of that name, that the rows are looked for among.
    fn select(
        &self,
        cursor: Option<&(Key, i64)>,
        narrowed: Option<SelectStatement>,
        dialect: Dialect,
    ) -> Result<SelectStatement> {
        let Some(table) = self.set.kinds.first().map(|kind| kind.table()) else { return Ok(Query::select()) };
        let related = match &self.order {
            CatalogOrder::ArtifactProperty { .. } => self.set.related_condition(dialect)?,
            _ => None,
        };
        let sort_key = self.order.key(table, self.sort_order, related);
        let mut rows = Query::select();
        rows.columns(RECORD_COLUMNS.map(|column| (table, column)))
            .expr_as(sort_key.clone(), "sort_key")
            .cond_where(self.set.condition(table, dialect)?);
        if let Some(narrowed) = narrowed {
            // A cross join, which keeps SQLite from beginning with the other table.
            rows.from_subquery(narrowed, NARROWED)
                .cross_join(table)
                .and_where(Expr::col((table, "id")).eq(Expr::col((NARROWED, "id"))));
        } else {
            rows.from(table);
        }
        let mut select = Query::select();
        select.columns(RECORD_COLUMNS).column("sort_key").from_subquery(rows, "page");
        if let Some((key, id)) = cursor {
            let key_of_id = Query::select()
                .expr(sort_key)
                .from(table)
                .and_where(Expr::col((table, "workspace_id")).eq(WORKSPACE))
                .and_where(Expr::col((table, "id")).eq(*id))
                .take();
            select.cond_where(order::after(&self.order, self.sort_order, key, *id, key_of_id));
        }
        let direction = sql::order(self.sort_order);
        if self.order.may_be_absent() {
            select.order_by_expr(Expr::col("sort_key").is_null(), Order::Asc);
        }
        select.order_by("sort_key", direction.clone());
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
    fn condition(&self, table: &'static str, dialect: Dialect) -> Result<sea_query::Cond> {
        let column = |name: &'static str| Expr::col((table, name));
        let mut all = sea_query::Cond::all().add(column("workspace_id").eq(WORKSPACE));
        let codes: Vec<i16> = self.kinds.iter().map(|kind| kind.code()).collect();
        all = all.add(match codes.as_slice() {
            [code] => column("kind").eq(*code),
            codes => column("kind").is_in(codes.iter().copied()),
        });
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

    /// What each of the filters' conditions selects by an index alone.
    pub(super) fn selections(&self, table: &'static str, dialect: Dialect) -> Result<Vec<Selection>> {
        let mut all = Vec::new();
        for filter in self.filters {
            all.extend(self.with_scope(table, |scope| filter_sql::selections(filter, scope, NARROWED, dialect))?);
        }
        Ok(all)
    }

    /// Calls with what names in filters mean for rows of this set.
    fn with_scope<T>(&self, table: &'static str, call: impl FnOnce(&Scope<'_>) -> T) -> T {
        let kind = self.kinds.first().copied().unwrap_or(CatalogKind::Model);
        let codes: Vec<i16> = self.kinds.iter().map(|kind| kind.code()).collect();
        let artifact_codes = CatalogKind::ARTIFACTS.map(CatalogKind::code);
        let artifacts = artifact_scope(&artifact_codes);
        call(&Scope {
            table,
            workspace_id: WORKSPACE,
            kinds: &codes,
            properties: "catalog_property",
            string_key: None,
            scanned: None,
            related: (kind == CatalogKind::Model).then_some(&artifacts),
            resolve: &|name| vocabulary::resolve(kind, name),
        })
    }

    /// What the filters ask of the artifacts.
    fn related_condition(&self, dialect: Dialect) -> Result<Option<Expr>> {
        let codes = CatalogKind::ARTIFACTS.map(CatalogKind::code);
        let mut all: Option<Expr> = None;
        for filter in self.filters.iter().filter_map(vocabulary::about_related) {
            let condition = filter_sql::compile(&filter, &artifact_scope(&codes), dialect)?;
            all = Some(match all {
                Some(all) => all.and(condition),
                None => condition,
            });
        }
        Ok(all)
    }
}

fn artifact_scope(codes: &[i16]) -> Scope<'_> {
    Scope {
        table: "catalog_artifact",
        workspace_id: WORKSPACE,
        kinds: codes,
        properties: "catalog_property",
        string_key: None,
        scanned: None,
        related: None,
        resolve: &|name| vocabulary::resolve(CatalogKind::ModelArtifact, name),
    }
}

/// A pattern for texts that contain this one, folded.
fn contains(text: &str) -> LikeExpr {
    let mut pattern = String::from("%");
    for character in filter::fold(text).chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('!')
}
