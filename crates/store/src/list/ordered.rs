//! Lists in the order of a field or property (`orderBy=accuracy`).
//!
//! The places of entities in the list are read first, from the index that has their order, and then the entities at these
//! places, which are tested with the filter. So a page costs what its entities cost, and those that the filter leaves out.
//!
//! 1. **Sorted**: where the indexes of the filter, or the parent of the list, leave few entities, their values are read and
//!    sorted.
//! 2. **Walk** over the values in the order of their indexes ([`super::value_rows`]), then over the entities without a value in the
//!    order of their ids, until the page is full. If the indexes of the filter leave some ten thousand entities, only these are
//!    read. The walk has a budget: after it the page is shorter than requested, and may be empty.

use std::cmp::{max, min};
use std::collections::HashMap;

use model_registry_api::{EntityTable, OrderBy, SortOrder};
use model_registry_filter::{Expression, FilterError};
use sea_query::{Expr, ExprTrait, Query, SelectStatement};

use super::order_key::{Key, Place};
use super::page_rows::PageRows;
use super::plan::{FilteredList, IDS_AT_ONCE, MAX_LARGE_RANGES, MAX_RANGES, MAX_SORTED};
use super::probe::read_ranges;
use super::value_order::ValueOrder;
use super::value_rows::{LastRow, ValueRow, Values};
use super::{ListRequest, ListScope, PlanLimits, Reading};
use crate::db::{Database, Planning};
use crate::dialect::Dialect;
use crate::error::{Result, StoreError};
use crate::explain;
use crate::filter_sql::{IndexRanges, Superset};
use crate::page_token::Cursor;
use crate::read::is_in_scope_of_external_ids;
use crate::tables::{WORKSPACE, constant, table};

/// Entities in one statement of a list without a filter.
const UNFILTERED_AT_ONCE: usize = 4_096;

/// A list in the order of values.
pub(super) struct OrderedList<'a> {
    pub(super) database: &'a Database,
    pub(super) request: &'a ListRequest<'a>,
    pub(super) order: &'a ValueOrder,
    pub(super) filter: Option<&'a Expression>,
    /// The last place of the previous page.
    pub(super) after: Option<Place>,
}

/// The rows of a page, with their places.
pub(super) struct OrderedRows {
    pub(super) rows: PageRows,
    keys: HashMap<i64, Key>,
    /// The last place that was examined, if the budget ended before the list.
    end: Option<Place>,
}

/// What the filter and the scope of the list leave.
struct Narrowed {
    superset: Superset,
    ranges: Vec<SelectStatement>,
    sifted: Vec<(usize, SelectStatement)>,
    found: Vec<Option<Vec<i64>>>,
}

/// Places in the order of the list.
struct Places {
    places: Vec<Place>,
    /// After which place there are more; `None` at the end of the list.
    end: Option<Place>,
}

impl OrderedRows {
    fn new(request: &ListRequest<'_>) -> Self {
        let table = request.kinds.first().map_or("", |kind| table(*kind));
        let rows = PageRows::new(table, request.page_size as usize, request.prefix);
        Self { rows, keys: HashMap::new(), end: None }
    }

    /// The place after which the next page begins, if there is one.
    pub(super) fn next(&self) -> Option<Place> {
        if self.rows.has_more {
            let last = self.rows.last?.id;
            return Some(Place { key: self.keys.get(&last)?.clone(), id: last });
        }
        self.end.clone()
    }
}

impl OrderedList<'_> {
    /// Reads the rows of the page.
    pub(super) async fn rows(&self, limits: &PlanLimits) -> Result<OrderedRows> {
        let mut narrowed = self.narrowed()?;
        if narrowed.is_some_narrow() {
            read_ranges(self.database, &narrowed.ranges, None, limits.few, &mut narrowed.found).await?;
            if let Some(ids) = narrowed.few_ids() {
                return self.sorted(&ids).await;
            }
        }
        let unindexed = self.values().column_without_index();
        let mut page = OrderedRows::new(self.request);
        let mut place = self.after.clone();
        let mut read = 0;
        if unindexed.is_none() {
            let window = if self.is_unrestricted() { 0 } else { max(limits.window, self.page_size() * 4) };
            let most = max(window, self.page_size() + 1);
            if self.walk(&mut page, &mut place, None, most, &mut read, most).await? {
                return Ok(page);
            }
        }
        let mut candidates = None;
        if narrowed.is_some_narrow() {
            narrowed.read_many(self.database, limits.many).await?;
            candidates = narrowed.superset.ids(&narrowed.found);
            if let Some(ids) = candidates.as_ref().filter(|ids| ids.len() <= MAX_SORTED) {
                return self.sorted(ids).await;
            }
        }
        if let Some(column) = unindexed {
            self.check_sortable(column, limits.budget).await?;
        }
        let most = max(limits.many, self.page_size() + 1);
        let is_complete =
            self.walk(&mut page, &mut place, candidates.as_deref(), most, &mut read, limits.budget).await?;
        if !is_complete {
            if let Some(filter) = self.filter
                && page.rows.is_empty()
            {
                let list = FilteredList { database: self.database, request: self.request, filter, cursor: None };
                let broad = list.broad_comparison(&narrowed.ranges, &narrowed.found)?;
                return Err(FilterError::too_broad(broad, limits.budget).into());
            }
            page.end = place;
        }
        Ok(page)
    }

    fn values(&self) -> Values<'_> {
        Values { request: self.request, order: self.order, dialect: self.database.dialect() }
    }

    fn page_size(&self) -> u64 {
        self.request.page_size.into()
    }

    /// Whether all entities of the kinds are in the list.
    fn is_unrestricted(&self) -> bool {
        self.filter.is_none()
            && self.request.scope == ListScope::Everything
            && self.request.name.is_none()
            && self.request.external_id.is_none()
            && self.request.steps.is_none()
    }

    /// The ranges of indexes that contain the entities of the list.
    fn narrowed(&self) -> Result<Narrowed> {
        let dialect = self.database.dialect();
        let filter = self.filter.map(|filter| self.request.index_ranges(filter, false, dialect)).transpose()?;
        let IndexRanges { superset, mut ranges, sifted } =
            filter.unwrap_or(IndexRanges { superset: Superset::Everything, ranges: Vec::new(), sifted: Vec::new() });
        let mut members = vec![superset];
        for of_scope in self.request.scope_ranges() {
            let first = ranges.len();
            ranges.extend(of_scope);
            members.push(Superset::Ranges(first..ranges.len()));
        }
        let found = vec![None; ranges.len()];
        Ok(Narrowed { superset: Superset::Every(members), ranges, sifted, found })
    }

    /// Reads the page from the values of these entities.
    async fn sorted(&self, ids: &[i64]) -> Result<OrderedRows> {
        tracing::debug!(plan = "sorted", ids = ids.len(), "ordered list");
        explain::plan(|| format!("sorted: the values of {} entities, which the ranges leave", ids.len()));
        let mut page = OrderedRows::new(self.request);
        let mut places = self.places_of(ids).await?;
        if let Some(after) = &self.after {
            places.retain(|place| place.compare(after, self.request.sort_order).is_gt());
        }
        for places in places.chunks(self.entities_at_once()) {
            self.test(&mut page, places).await?;
            if page.rows.has_more {
                break;
            }
        }
        Ok(page)
    }

    /// The places of these entities, in the order of the list.
    async fn places_of(&self, ids: &[i64]) -> Result<Vec<Place>> {
        let direction = self.request.sort_order;
        let mut found: HashMap<i64, Place> = HashMap::new();
        for ids in ids.chunks(self.ids_at_once()) {
            let Some(statement) = self.values().of_ids(ids) else { break };
            for place in self.read_places(&statement).await?.0 {
                let first = found.entry(place.id).or_insert_with(|| place.clone());
                if place.compare(first, direction).is_lt() {
                    *first = place;
                }
            }
        }
        let absent = |id: i64| Place { key: Key::Absent, id };
        let mut places: Vec<Place> = ids.iter().map(|id| found.remove(id).unwrap_or_else(|| absent(*id))).collect();
        places.sort_unstable_by(|one, other| one.compare(other, direction));
        places.dedup();
        Ok(places)
    }

    fn ids_at_once(&self) -> usize {
        if self.database.dialect() == Dialect::MySql { IDS_AT_ONCE } else { UNFILTERED_AT_ONCE }
    }

    fn entities_at_once(&self) -> usize {
        if self.filter.is_none() { self.ids_at_once() } else { IDS_AT_ONCE }
    }

    /// Reads entities at the places from `place` on into the page, up to a limit of places; returns whether the page is complete.
    async fn walk(
        &self,
        page: &mut OrderedRows,
        place: &mut Option<Place>,
        candidates: Option<&[i64]>,
        most: u64,
        read: &mut u64,
        limit: u64,
    ) -> Result<bool> {
        tracing::debug!(plan = "walk", most, limit, candidates = candidates.map(<[_]>::len), "ordered list");
        explain::plan(|| match candidates {
            Some(candidates) => format!("walk in the order of the values, over {} candidates", candidates.len()),
            None => format!("walk in the order of the values, at most {limit} entries"),
        });
        let mut at_once = max(1, if candidates.is_some() { most } else { min(most, self.page_size() + 1) });
        while *read < limit {
            let next = self.next_places(place.as_ref(), at_once).await?;
            *read += at_once;
            at_once = max(1, min(at_once * 4, most));
            let mut places = next.places;
            if let Some(candidates) = candidates {
                places.retain(|place| candidates.binary_search(&place.id).is_ok());
            }
            for places in places.chunks(self.entities_at_once()) {
                self.test(page, places).await?;
                if page.rows.has_more {
                    return Ok(true);
                }
            }
            if next.end.is_none() {
                return Ok(true);
            }
            *place = next.end;
        }
        Ok(false)
    }

    /// The next places of entities of the kinds, at least so many or all.
    async fn next_places(&self, after: Option<&Place>, most: u64) -> Result<Places> {
        match after {
            Some(Place { key: Key::Absent, id }) => self.next_without_value(*id, most).await,
            _ => self.next_values(after, most).await,
        }
    }

    async fn next_values(&self, after: Option<&Place>, most: u64) -> Result<Places> {
        let values = self.values();
        let (mut places, mut is_complete) = (Vec::new(), true);
        if let Some(statement) = values.after(after, most) {
            let (found, truncated) = self.read_next(&values, &statement, after, most).await?;
            (places, is_complete) = (found, !truncated);
        }
        places.sort_unstable_by(|one, other| one.compare(other, self.request.sort_order));
        if is_complete {
            let first = match self.request.sort_order {
                SortOrder::Ascending => i64::MIN,
                SortOrder::Descending => i64::MAX,
            };
            let end = values.is_absent().map(|_| Place { key: Key::Absent, id: first });
            return Ok(Places { places, end });
        }
        // Each stream has so many, so that the first of all are known.
        places.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let end = places.last().cloned();
        Ok(Places { places, end })
    }

    /// The next places of all streams, and whether one of them has more.
    async fn read_next(
        &self,
        values: &Values<'_>,
        statement: &SelectStatement,
        after: Option<&Place>,
        most: u64,
    ) -> Result<(Vec<Place>, bool)> {
        let (mut places, ends) = self.read_places(statement).await?;
        let mut has_more = false;
        for (last, count) in ends {
            if count < most {
                continue;
            }
            has_more = true;
            let group = values.whole_group(&last, most);
            let Some((group, key)) = group.zip(last.string.map(Key::String)) else { continue };
            // The entities with the key of the place are read in the order of their ids.
            if after.is_none_or(|place| place.key != key) {
                // The index has those with this key in another order, and some of them may be missing.
                places.retain(|place| place.key != key);
                places.extend(self.read_places(&group).await?.0);
            }
        }
        Ok((places, has_more))
    }

    /// The rows of a statement as places; of each stream the last row, and the number of rows.
    async fn read_places(&self, statement: &SelectStatement) -> Result<(Vec<Place>, Vec<(LastRow, u64)>)> {
        let values = self.values();
        let streams = values.streams();
        let mut places = Vec::new();
        let mut ends: HashMap<i64, (LastRow, u64)> = HashMap::new();
        for row in self.database.fetch_filtered::<ValueRow>(statement).await? {
            let Some(stream) = usize::try_from(row.stream).ok().and_then(|position| streams.get(position)) else {
                continue;
            };
            let count = ends.get(&row.stream).map_or(0, |(_, count)| *count) + 1;
            ends.insert(row.stream, (row.as_last(), count));
            places.push(stream.place(row));
        }
        Ok((places, ends.into_values().collect()))
    }

    /// The next entities without a value, among so many in the order of their ids.
    async fn next_without_value(&self, after: i64, most: u64) -> Result<Places> {
        let Some(is_absent) = self.values().is_absent() else {
            return Ok(Places { places: Vec::new(), end: None });
        };
        let by_id = ListRequest { order_by: OrderBy::Id, value: None, page_token: None, ..self.request.clone() };
        let dialect = self.database.dialect();
        let cursor = Some(Cursor { key: after, id: after });
        let boundary = by_id.boundary(cursor, most, dialect);
        let boundary = read_ranges(self.database, &[], Some(boundary), 0, &mut []).await?;
        let mut select = Query::select();
        if let Some(first) = by_id.kinds.first() {
            let table = table(*first);
            select.expr_as(Expr::col((table, "id")), "id").expr_as(Expr::col((table, "id")), "sort_key").from(table);
            by_id.add_scope(&mut select, *first, &Reading::Walk { until: None }, dialect);
            by_id.add_order(&mut select, table, cursor);
            if let Some(until) = boundary {
                select.and_where(crate::keyset::is_until(by_id.sort_order, Expr::col((table, "id")), until));
            }
            select.and_where(is_absent);
        }
        let found = self.database.fetch_filtered::<(i64, i64)>(&select).await?;
        let place = |id| Place { key: Key::Absent, id };
        Ok(Places { places: found.into_iter().map(|(id, _)| place(id)).collect(), end: boundary.map(place) })
    }

    /// Adds the entities at these places that are in the list to the page.
    async fn test(&self, page: &mut OrderedRows, places: &[Place]) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let ids: Vec<i64> = places.iter().map(|place| place.id).collect();
        let page_size = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        let by_id = ListRequest { order_by: OrderBy::Id, value: None, page_size, ..self.request.clone() };
        let statement = by_id.select(None, self.filter, &Reading::Ids(&ids), self.database.dialect())?;
        let planning = if self.filter.is_some() { Planning::ForValues } else { Planning::Once };
        let mut documents: HashMap<i64, Option<String>> = HashMap::new();
        let mut bytes = 0;
        self.database
            .fetch_page(&statement, planning, |id, _, document| {
                // Without a document it is read later, like a large one: the memory of a page is limited.
                let document = document.filter(|document| bytes + document.len() <= super::PAGE_BYTES);
                bytes += document.map_or(0, str::len);
                documents.insert(id, document.map(str::to_owned));
                Ok(())
            })
            .await?;
        for place in places {
            // An entity whose value has changed meanwhile may be at two places.
            if page.keys.contains_key(&place.id) {
                continue;
            }
            let Some(document) = documents.remove(&place.id) else { continue };
            page.rows.push(Cursor { key: place.id, id: place.id }, document.as_deref());
            if page.rows.has_more {
                break;
            }
            page.keys.insert(place.id, place.key.clone());
        }
        Ok(())
    }

    /// Fails if the database would sort more entities than the budget.
    async fn check_sortable(&self, column: &'static str, budget: u64) -> Result<()> {
        let by_id = ListRequest { order_by: OrderBy::Id, value: None, ..self.request.clone() };
        let boundary = by_id.boundary(None, budget, self.database.dialect());
        if read_ranges(self.database, &[], Some(boundary), 0, &mut []).await?.is_none() {
            return Ok(());
        }
        tracing::debug!(column, budget, "ordered list: too many entities to sort");
        Err(StoreError::OrderBy {
            order_by: self.request.value.unwrap_or_default().to_owned(),
            reason: format!(
                "no index has this order, and the list has more than {budget} entities. Hint: add a filter that few \
                 entities match, or list the entities of one parent"
            ),
        })
    }
}

impl Narrowed {
    /// Whether the ids in some ranges can narrow the list.
    fn is_some_narrow(&self) -> bool {
        self.superset.is_narrow() && self.ranges.len() <= MAX_RANGES
    }

    fn few_ids(&self) -> Option<Vec<i64>> {
        self.superset.ids(&self.found).filter(|ids| ids.len() <= MAX_SORTED)
    }

    /// Reads more ids of each range.
    async fn read_many(&mut self, database: &Database, most: u64) -> Result<()> {
        if self.found.iter().filter(|ids| ids.is_none()).count() > MAX_LARGE_RANGES {
            return Ok(());
        }
        let mut large = self.ranges.clone();
        for (position, sifted) in &self.sifted {
            if let Some(range) = large.get_mut(*position) {
                *range = sifted.clone();
            }
        }
        read_ranges(database, &large, None, most, &mut self.found).await?;
        Ok(())
    }
}

impl ListRequest<'_> {
    /// The ranges of indexes that contain the entities of the list without its filter: for each restriction, those of which an
    /// entity is in one.
    fn scope_ranges(&self) -> Vec<Vec<SelectStatement>> {
        let Some(first) = self.kinds.first() else { return Vec::new() };
        let table = table(*first);
        let column = |name: &'static str| Expr::col((table, name));
        let of_kinds = || {
            let mut range = Query::select();
            range.expr_as(column("id"), "id").from(table).and_where(column("workspace_id").eq(constant(WORKSPACE)));
            if first.spec().table != EntityTable::MetricPoint {
                range.and_where(column("kind").is_in(self.codes().into_iter().map(constant)));
            }
            range
        };
        let mut all = Vec::new();
        match self.scope {
            ListScope::Everything => {}
            ListScope::Parent(id) => all.push(vec![of_kinds().and_where(column("parent_id").eq(id)).take()]),
            ListScope::ArtifactsOf(id) => {
                let attached = Query::select()
                    .expr_as(Expr::col("artifact_id"), "id")
                    .from("artifact_link")
                    .and_where(Expr::col("resource_id").eq(id))
                    .take();
                let created = Query::select()
                    .expr_as(column("id"), "id")
                    .from(table)
                    .and_where(column("parent_id").eq(id))
                    .take();
                all.push(vec![created, attached]);
            }
            ListScope::HistoryOf(id) => {
                let mut range = Query::select();
                range.expr_as(column("id"), "id").from(table).and_where(column("experiment_run_id").eq(id));
                if let Some(name) = self.name {
                    range.and_where(column("name").eq(name));
                }
                all.push(vec![range]);
            }
        }
        if let Some(name) = self.name
            && first.spec().table != EntityTable::MetricPoint
        {
            all.push(vec![of_kinds().and_where(column("name").eq(name)).take()]);
        }
        if let Some(external_id) = self.external_id {
            let mut range = of_kinds();
            range.and_where(column("external_id").eq(external_id));
            if first.spec().table == EntityTable::Resource {
                range.and_where(is_in_scope_of_external_ids(table, self.kinds));
            }
            all.push(vec![range]);
        }
        all
    }
}

#[cfg(test)]
pub(super) mod tests;
