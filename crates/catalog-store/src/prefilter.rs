//! Prefilters of lists on SQLite: where a filtered list starts that the index in memory does not serve.
//!
//! Such a list is read in its order, skipping rows that do not match, or it starts from the rows that the most selective
//! condition matches. SQLite knows averages of its indexes, not the values of a filter, and would skip a hundred thousand
//! rows to find three. So the matches of each condition are counted first, in its index and up to a limit. PostgreSQL plans
//! for the values by itself.
//!
//! Gain with 30,000 models: 5 ms instead of 140 to 320 ms for a search in the 1.6 s after each load in which the index in
//! memory is built (docs/performance.md). The full-text table costs a twentieth of the time of a load.

use model_registry_filter::fold;
use model_registry_store::dialect::Dialect;
use model_registry_store::filter_sql::Selection;
use model_registry_store::sql::WORKSPACE;
use model_registry_store::{Result, from_row};
use sea_query::{Expr, ExprTrait, Func, Query, SelectStatement, UnionType};

use crate::CatalogList;
use crate::list::Reader;

/// The name of the subquery with the ids that a list looks among.
pub(crate) const CANDIDATES: &str = "candidates";

/// A condition with this many matches or more is never started from; they are counted no further.
const MAX_MATCHES: u64 = 5_000;
/// Up to this many matches are always started from: names correlate with providers and the like, so the matches may all
/// stand at the end of the order, whatever the estimate.
const FEW_MATCHES: i64 = 2_500;
/// Testing an id costs as much as skipping this many rows in order.
const COST_OF_ID: f64 = 2.0;
/// Trigrams of a search that the full-text index is queried for: enough to be selective.
const MAX_TRIGRAMS: usize = 12;

struct MatchCount {
    number: i64,
    found: i64,
}

from_row!(MatchCount { number, found });

/// The ids to look among, in a column `id`; `None` to read in order. One statement where there is a choice.
pub(crate) async fn choose(reader: &mut Reader<'_>, list: &CatalogList<'_>) -> Result<Option<SelectStatement>> {
    if reader.dialect() != Dialect::Sqlite || list.set.parent_id.is_some() {
        return Ok(None);
    }
    let selections = selections(list)?;
    if selections.is_empty() {
        return Ok(None);
    }
    let counts = reader.fetch_filtered::<MatchCount>(&count_matches(&selections)).await?;
    let all = counts.iter().find(|count| count.number < 0).map_or(0, |count| count.found);
    let found: Vec<i64> = counts.iter().filter(|count| count.number >= 0).map(|count| count.found).collect();
    let page_size = list.page_size.filter(|_| list.order.has_database_index());
    Ok(most_selective(&found, all, page_size).map(|start| candidates(selections, start)))
}

/// The conditions that an index can serve alone.
pub(crate) fn selections(list: &CatalogList<'_>) -> Result<Vec<Selection>> {
    let Some(table) = list.set.table() else { return Ok(Vec::new()) };
    let mut selections = list.set.selections(table, Dialect::Sqlite)?;
    selections.extend(list.set.search.and_then(search_selection));
    Ok(selections)
}

/// Counts the matches of each selection by its number, and under -1 all items.
pub(crate) fn count_matches(selections: &[Selection]) -> SelectStatement {
    let mut count = Query::select()
        .expr_as(Expr::val(-1_i64), "number")
        // A sum is not an integer in SQL.
        .expr_as(Func::coalesce([Func::sum(Expr::col("item_count")).into(), Expr::val(0_i64)]), "found")
        .from("catalog_source")
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .take();
    for (number, selection) in (0_i64..).zip(selections) {
        let found = selection.found.clone().limit(MAX_MATCHES).take();
        let one = Query::select()
            .expr_as(Expr::val(number), "number")
            .expr_as(Func::count(Expr::cust("1")), "found")
            .from_subquery(found, "found")
            .take();
        count.union(UnionType::All, one);
    }
    count
}

/// The ids of the selection `start` for which the others hold too.
pub(crate) fn candidates(mut selections: Vec<Selection>, start: usize) -> SelectStatement {
    let ids = selections.swap_remove(start).ids.distinct().take();
    let mut candidates = Query::select();
    candidates.column((CANDIDATES, "id")).from_subquery(ids, CANDIDATES);
    // Tested before the rows are read, which are large. The list tests them again, together with all that needs rows.
    for holds in selections.into_iter().filter_map(|selection| selection.holds) {
        candidates.and_where(holds);
    }
    candidates
}

/// The condition to start from, given how many of `all` items each matches; `None` to read in order.
fn most_selective(found: &[i64], all: i64, page_size: Option<u32>) -> Option<usize> {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let number = |count: i64| count as f64;
    if all < 1 {
        return None;
    }
    let least = (0..found.len()).min_by_key(|index| found.get(*index))?;
    let fewest = *found.get(least)?;
    if fewest >= MAX_MATCHES.cast_signed() {
        return None;
    }
    // As if the conditions were independent, and every artifact belonged to another item.
    let share = found.iter().map(|found| (number(*found) / number(all)).min(1.0)).product::<f64>();
    let skipped = page_size.map_or(number(all), |size| (f64::from(size) + 1.0) / share).min(number(all));
    (fewest <= Ord::min(FEW_MATCHES, all / 10) || number(fewest) * COST_OF_ID <= skipped).then_some(least)
}

/// The items with all trigrams of a searched string; `None` for strings shorter than a trigram.
fn search_selection(search: &str) -> Option<Selection> {
    let characters: Vec<char> = fold(search).chars().collect();
    let last = characters.len().checked_sub(3)?;
    // Adjacent trigrams are as selective as overlapping ones; the last one ends where the string ends.
    let starts = (0..last).step_by(3).take(MAX_TRIGRAMS - 1).chain([last]);
    let trigrams: Vec<String> = starts
        .filter_map(|start| characters.get(start..start + 3))
        .map(|trigram| format!("\"{}\"", trigram.iter().collect::<String>().replace('"', "\"\"")))
        .collect();
    let ids = Query::select()
        .expr_as(Expr::col("rowid"), "id")
        .from("catalog_search")
        .and_where(Expr::cust_with_values("catalog_search MATCH ?", [trigrams.join(" AND ")]))
        .take();
    Some(Selection { found: ids.clone(), ids, holds: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_starts_from_rare_conditions_and_skips_rows_for_common_ones() {
        assert_eq!(most_selective(&[2_000, 40, 5_000], 100_000, Some(10)), Some(1));
        assert_eq!(most_selective(&[0], 100_000, Some(10)), Some(0));
        assert_eq!(most_selective(&[2_000], 100_000, Some(10)), Some(0), "few enough, wherever they stand");
        assert_eq!(most_selective(&[3_000], 100_000, Some(10)), None, "one row in 33 matches: the page is full soon");
        assert_eq!(most_selective(&[3_000, 3_000], 100_000, Some(10)), Some(0), "one row in 1000 matches");
        assert_eq!(most_selective(&[5_000, 5_000], 1_000_000, Some(10)), None, "counted no further");
        assert_eq!(most_selective(&[3_000], 100_000, None), Some(0), "every row would be read otherwise");
        assert_eq!(most_selective(&[20], 20, Some(10)), None);
        assert_eq!(most_selective(&[], 100_000, Some(10)), None);
        assert_eq!(most_selective(&[0], 0, Some(10)), None);
    }
}
