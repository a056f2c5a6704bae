//! How a filtered list is read, so that a page costs what its rows cost, however many others there are.
//!
//! No statistics are kept, which would be wrong for the next filter. If every match has a known string, the list is read first by
//!
//! 1. **Index scan** over the owners of that string (`index_scan.rs`), of which there are some thousand before the page is full if
//!    matches are not rare.
//!
//! Otherwise, what the choice depends on is counted in the indexes, up to limits ([`PlanLimits`]), in one statement: for each range
//! of an index that contains the matches of a comparison (`filter_sql::index_ranges`), whether it has few ids, and which. Then one
//! of these reads the page:
//!
//! 2. **Candidates**: the ids of the ranges, combined as the filter combines its comparisons, are few. They are read in the order
//!    of the list, some hundred at a time, until the page is full.
//! 3. The index scan, continued up to the budget.
//! 4. **Walk** over the entities in the order of the list, up to a limit of rows: where a share of the entities matches, the page
//!    is full before.
//! 5. Candidates again, with a higher limit, for what is neither rare nor common. For LIKE and ILIKE these are the owners of the
//!    strings that match, found by reading all strings of the name in the index.
//! 6. The walk, up to a budget. If that ends first, the page is shorter than requested, or without a match the filter is
//!    rejected, with the comparison that did not narrow the list.
//!
//! Each evaluates the complete filter for each row, one at a time, so that all find the same rows: a plan decides nothing but
//! the time. An entity that matches throughout is found although the statements see different states: its id is in the ranges
//! when these are read, in one statement.

use model_registry_api::{OrderBy, SortOrder};
use model_registry_filter::{Comparison, Expression, FilterError};
use sea_query::SelectStatement;

use super::index_scan::ScanEnd;
use super::page_rows::PageRows;
use super::probe::read_ranges;
use super::{ListRequest, Reading};
use crate::db::{Database, Planning};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::explain;
use crate::filter_sql::{IndexRanges, RequiredString, Superset};
use crate::page_token::Cursor;
use crate::tables::table;

/// Limits between the ways to read a filtered list. But for the budget, they decide the time of a list, never its content.
#[derive(Clone, Copy, Debug)]
pub struct PlanLimits {
    /// Ids that are read from each range at first. Reading so many index entries takes half a millisecond. With more, an index
    /// scan or a walk finds a match among some hundred rows in a registry of a million.
    pub few: u64,
    /// Rows of the list that are walked at first, or four times the page.
    pub window: u64,
    /// Ids that are read from each range if the first rows did not fill the page.
    pub many: u64,
    /// Rows that are walked at most. It bounds the time of a request.
    pub budget: u64,
}

impl Default for PlanLimits {
    fn default() -> Self {
        Self { few: 4_000, window: 2_000, many: 50_000, budget: 250_000 }
    }
}

/// Ranges in one statement, at most. SQLite allows 500 parts of a UNION.
pub(super) const MAX_RANGES: usize = 128;
/// Ranges of which many ids are read, at most.
pub(super) const MAX_LARGE_RANGES: usize = 16;
/// Ids in one statement: MariaDB turns lists of a thousand values into a subquery.
pub(super) const IDS_AT_ONCE: usize = 512;
/// Index scans for one page, at most: each is over as many ids as the budget.
const SCANS: u64 = 4;
/// Candidates that are sorted by time, at most: their times are read first.
pub(super) const MAX_SORTED: usize = 8_192;

/// A filtered list after its page token and filter have been parsed.
pub(super) struct FilteredList<'a> {
    pub(super) database: &'a Database,
    pub(super) request: &'a ListRequest<'a>,
    pub(super) filter: &'a Expression,
    pub(super) cursor: Option<Cursor>,
}

/// An index scan so far.
struct Scan {
    rows: PageRows,
    /// Whether the page is full, or no owners are left.
    is_complete: bool,
    /// The last owner that was scanned.
    cursor: Option<Cursor>,
}

impl FilteredList<'_> {
    /// Reads the rows of the page.
    pub(super) async fn rows(&self, limits: &PlanLimits) -> Result<PageRows> {
        let dialect = self.database.dialect();
        let required = self.request.required_strings(self.filter)?;
        let mut scan = if required.is_empty() { None } else { Some(self.first_scan(&required, limits).await?) };
        if let Some(scan) = scan.take_if(|scan| scan.is_complete) {
            return Ok(scan.rows);
        }
        let IndexRanges { superset, mut ranges, sifted } =
            self.request.index_ranges(self.filter, scan.is_some(), dialect)?;
        let is_narrow = superset.is_narrow() && ranges.len() <= MAX_RANGES;
        if !is_narrow {
            ranges.clear();
        }
        let mut found = vec![None; ranges.len()];
        if let Some(scan) = scan {
            if is_narrow {
                self.probe(&ranges, None, limits.few, &mut found).await?;
            }
            if let Some(rows) = self.candidates(&superset, &found).await? {
                return Ok(rows);
            }
            return self.scan(scan, &required, limits.budget, &ranges, &found).await;
        }
        let window = limits.window.max(u64::from(self.request.page_size) * 4);
        let boundary = self.probe(&ranges, Some(self.boundary(window)), limits.few, &mut found).await?;
        if let Some(rows) = self.candidates(&superset, &found).await? {
            return Ok(rows);
        }
        // Without a boundary, fewer rows are left than would be walked.
        let Some(boundary) = boundary else { return self.walk(None).await };
        let first = self.walk(Some(boundary)).await?;
        if first.has_more {
            return Ok(first);
        }
        if is_narrow && found.iter().filter(|ids| ids.is_none()).count() <= MAX_LARGE_RANGES {
            let mut large = ranges.clone();
            for (position, sifted) in sifted {
                if let Some(range) = large.get_mut(position) {
                    *range = sifted;
                }
            }
            self.probe(&large, None, limits.many, &mut found).await?;
            if let Some(rows) = self.candidates(&superset, &found).await? {
                return Ok(rows);
            }
        }
        self.walk_within_budget(limits.budget, &ranges, &found).await
    }

    /// Reads the page from the ids in the ranges, as far as these are known to be few.
    async fn candidates(&self, superset: &Superset, found: &[Option<Vec<i64>>]) -> Result<Option<PageRows>> {
        match superset.ids(found) {
            Some(ids) => {
                tracing::debug!(plan = "candidates", ids = ids.len(), "filtered list");
                explain::plan(|| format!("candidates: {} entities, which the ranges of the filter leave", ids.len()));
                self.among(ids).await
            }
            None => Ok(None),
        }
    }

    /// Reads the list by the index scan over the first owners. Where matches are not rare, this is the page.
    async fn first_scan(&self, required: &[RequiredString], limits: &PlanLimits) -> Result<Scan> {
        let dialect = self.database.dialect();
        // Every owner of the only string matches.
        let is_exact = matches!(self.filter, Expression::Comparison(_));
        let owners = limits.window.max(u64::from(self.request.page_size) * 4);
        let scan = |end| self.request.index_scan(self.cursor, required, end, dialect);
        let mut end = if is_exact { ScanEnd::Nowhere } else { ScanEnd::After(owners) };
        let mut last = None;
        if dialect == Dialect::MySql && !is_exact {
            // It would read all owners to compare each with the last.
            last = self.database.fetch_optional::<(i64,)>(&scan(end).end_after(owners)).await?;
            end = last.map_or(ScanEnd::Nowhere, |(last,)| ScanEnd::At(last));
        }
        explain::plan(|| format!("index scan over the owners of the rarest string that every match has: {end:?}"));
        let statement = self.request.scanned(&scan(end), self.filter)?;
        let rows = self.read(&statement, Planning::Once).await?;
        if rows.has_more || matches!(end, ScanEnd::Nowhere) {
            return Ok(Scan { rows, is_complete: true, cursor: None });
        }
        if last.is_none() {
            last = self.database.fetch_optional(&scan(end).end_after(owners)).await?;
        }
        let cursor = last.map(|(last,)| Cursor { key: last, id: last });
        Ok(Scan { rows, is_complete: cursor.is_none(), cursor })
    }

    /// Continues the index scan, over so many ids at a time. If the budget of ids ends first, the page is shorter; if it is empty,
    /// further ids are scanned, and finally the filter is too broad.
    async fn scan(
        &self,
        Scan { mut rows, mut cursor, .. }: Scan,
        required: &[RequiredString],
        budget: u64,
        ranges: &[SelectStatement],
        found: &[Option<Vec<i64>>],
    ) -> Result<PageRows> {
        let dialect = self.database.dialect();
        let is_descending = self.request.sort_order == SortOrder::Descending;
        let ids = i64::try_from(budget).unwrap_or(i64::MAX);
        for _ in 0..SCANS {
            let Some(start) = cursor else { return Ok(rows) };
            let until = if is_descending { start.id.saturating_sub(ids) } else { start.id.saturating_add(ids) };
            tracing::debug!(plan = "index scan", until, "filtered list");
            explain::plan(|| format!("index scan, continued until the id {until}"));
            let scan = self.request.index_scan(cursor, required, ScanEnd::At(until), dialect);
            let statement = self.request.scanned(&scan, self.filter)?;
            self.read_into(&mut rows, &statement, Planning::Once, |_| true).await?;
            if rows.has_more {
                return Ok(rows);
            }
            // Ids may have gaps, which are skipped.
            let after = Some(Cursor { key: until, id: until });
            let next = self.request.boundary(after, 0, dialect);
            let Some(next) = self.probe(&[], Some(next), 0, &mut []).await? else { return Ok(rows) };
            if !rows.is_empty() {
                rows.has_more = true;
                return Ok(rows);
            }
            let before = if is_descending { next.saturating_add(1) } else { next.saturating_sub(1) };
            cursor = Some(Cursor { key: before, id: before });
        }
        Err(FilterError::too_broad(self.broad_comparison(ranges, found)?, budget.saturating_mul(SCANS)).into())
    }

    /// Selects the sort key of the row after so many.
    fn boundary(&self, rows: u64) -> SelectStatement {
        self.request.boundary(self.cursor, rows, self.database.dialect())
    }

    /// Reads the list in its order. If the budget ends first, the page is shorter; if it is empty, the filter is too broad.
    async fn walk_within_budget(
        &self,
        budget: u64,
        ranges: &[SelectStatement],
        found: &[Option<Vec<i64>>],
    ) -> Result<PageRows> {
        let boundary = self.probe(&[], Some(self.boundary(budget)), 0, &mut []).await?;
        let mut rows = self.walk(boundary).await?;
        if boundary.is_some() && !rows.has_more {
            if rows.is_empty() {
                return Err(FilterError::too_broad(self.broad_comparison(ranges, found)?, budget).into());
            }
            rows.has_more = true;
        }
        Ok(rows)
    }

    /// The first comparison that has no range of few ids.
    pub(super) fn broad_comparison(
        &self,
        ranges: &[SelectStatement],
        found: &[Option<Vec<i64>>],
    ) -> Result<Option<&Comparison>> {
        let is_few = |range: &SelectStatement| {
            let position = ranges.iter().position(|other| other == range);
            position.and_then(|position| found.get(position)).is_some_and(Option::is_some)
        };
        for comparison in self.filter.comparisons() {
            let alone = Expression::Comparison(comparison.clone());
            let of_comparison = self.request.index_ranges(&alone, false, self.database.dialect())?;
            if !of_comparison.superset.is_narrow() || !of_comparison.ranges.iter().all(is_few) {
                return Ok(Some(comparison));
            }
        }
        Ok(None)
    }

    /// Reads the ids in each range that are not known yet, if there are no more than `most`, and the sort key of the boundary.
    async fn probe(
        &self,
        ranges: &[SelectStatement],
        boundary: Option<SelectStatement>,
        most: u64,
        found: &mut [Option<Vec<i64>>],
    ) -> Result<Option<i64>> {
        read_ranges(self.database, ranges, boundary, most, found).await
    }

    async fn read(&self, statement: &SelectStatement, planning: Planning) -> Result<PageRows> {
        let mut rows = self.no_rows();
        self.read_into(&mut rows, statement, planning, |_| true).await?;
        Ok(rows)
    }

    async fn read_into(
        &self,
        rows: &mut PageRows,
        statement: &SelectStatement,
        planning: Planning,
        is_listed: impl Fn(Cursor) -> bool,
    ) -> Result<()> {
        self.database
            .fetch_page(statement, planning, |id, key, document| {
                let cursor = Cursor { key, id };
                if is_listed(cursor) {
                    rows.push(cursor, document);
                }
                Ok(())
            })
            .await
    }

    fn no_rows(&self) -> PageRows {
        let table = self.request.kinds.first().map_or("", |kind| table(*kind));
        PageRows::new(table, self.request.page_size as usize, self.request.prefix)
    }

    /// Reads the list in its order, up to this sort key.
    async fn walk(&self, boundary: Option<i64>) -> Result<PageRows> {
        tracing::debug!(plan = "walk", until = boundary, "filtered list");
        explain::plan(|| match boundary {
            Some(key) => format!("walk in the order of the list, until the key {key}"),
            None => "walk in the order of the list, until its end".to_owned(),
        });
        let reading = Reading::Walk { until: boundary };
        let statement = self.request.select(self.cursor, Some(self.filter), &reading, self.database.dialect())?;
        self.read(&statement, Planning::ForValues).await
    }

    /// Reads the page from these ids, which are ascending; `None` if there are too many to sort.
    async fn among(&self, mut ids: Vec<i64>) -> Result<Option<PageRows>> {
        let is_descending = self.request.sort_order == SortOrder::Descending;
        let mut rows = self.no_rows();
        if self.request.order_by == OrderBy::Id {
            if let Some(cursor) = self.cursor {
                ids.retain(|id| if is_descending { *id < cursor.id } else { *id > cursor.id });
            }
            if is_descending {
                ids.reverse();
            }
            for ids in ids.chunks(IDS_AT_ONCE) {
                self.read_ids(&mut rows, ids, |_| true).await?;
                if rows.has_more {
                    break;
                }
            }
            return Ok(Some(rows));
        }
        if ids.len() <= IDS_AT_ONCE {
            if !ids.is_empty() {
                self.read_ids(&mut rows, &ids, |_| true).await?;
            }
            return Ok(Some(rows));
        }
        if ids.len() > MAX_SORTED {
            return Ok(None);
        }
        let cursors = self.sorted(&ids).await?;
        for cursors in cursors.chunks(IDS_AT_ONCE) {
            let ids: Vec<i64> = cursors.iter().map(|cursor| cursor.id).collect();
            // An entity that was updated meanwhile has another place in the list.
            self.read_ids(&mut rows, &ids, |cursor| cursors.contains(&cursor)).await?;
            if rows.has_more {
                break;
            }
        }
        Ok(Some(rows))
    }

    async fn read_ids(&self, rows: &mut PageRows, ids: &[i64], is_listed: impl Fn(Cursor) -> bool) -> Result<()> {
        let reading = Reading::Ids(ids);
        let statement = self.request.select(self.cursor, Some(self.filter), &reading, self.database.dialect())?;
        self.read_into(rows, &statement, Planning::ForValues, is_listed).await
    }

    /// The places of these ids in the list, in its order, from the page on.
    async fn sorted(&self, ids: &[i64]) -> Result<Vec<Cursor>> {
        let mut cursors = Vec::with_capacity(ids.len());
        for ids in ids.chunks(IDS_AT_ONCE) {
            let keys = self.database.fetch_all::<(i64, i64)>(&self.request.keys(ids)).await?;
            cursors.extend(keys.into_iter().map(|(id, key)| Cursor { key, id }));
        }
        cursors.sort_unstable_by_key(|cursor| (cursor.key, cursor.id));
        if self.request.sort_order == SortOrder::Descending {
            cursors.reverse();
        }
        Ok(cursors)
    }
}

#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
pub(super) mod tests;
