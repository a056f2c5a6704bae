//! Where a filtered list begins on SQLite: at the order, passing over rows that do not match, or at the one condition that
//! selects least.
//!
//! SQLite knows averages of its indexes, not the values of a filter, and would pass over a hundred thousand rows to find
//! three. So the conditions are counted first, each in its index and no further than makes a difference. PostgreSQL does
//! this by itself.

use model_registry_filter::fold;
use model_registry_store::Result;
use model_registry_store::dialect::Dialect;
use model_registry_store::filter_sql::Selection;
use model_registry_store::from_row;
use model_registry_store::sql::WORKSPACE;
use sea_query::{Expr, ExprTrait, Func, Query, SelectStatement, UnionType};

use super::CatalogList;
use super::list::{NARROWED, Reader};

/// A condition that selects more is never begun with.
const MOST: u64 = 5_000;
/// Names go with providers and the like, so that what matches may stand together at the end of the order: so many ids are
/// always better than a good expectation.
const FEW: i64 = 2_500;
/// An id that has to be tested costs as much as so many rows that are passed over in order.
const COST_OF_ID: f64 = 2.0;
/// Groups of three characters that a search asks the index for, at most: enough to be selective.
const MOST_GROUPS: usize = 12;

struct Counted {
    number: i64,
    found: i64,
}

from_row!(Counted { number, found });

/// The ids to look among, in a column `id`; `None` to go by the order. One statement where there is a choice.
pub(super) async fn choose(reader: &mut Reader<'_>, list: &CatalogList<'_>) -> Result<Option<SelectStatement>> {
    let Some(table) = list.set.kinds.first().map(|kind| kind.table()) else { return Ok(None) };
    if reader.dialect() != Dialect::Sqlite || list.set.parent_id.is_some() {
        return Ok(None);
    }
    let mut selections = list.set.selections(table, Dialect::Sqlite)?;
    selections.extend(list.set.search.and_then(by_search));
    if selections.is_empty() {
        return Ok(None);
    }
    let mut count = Query::select()
        .expr_as(Expr::val(-1_i64), "number")
        // The sum is a big number in SQL.
        .expr_as(Func::coalesce([Func::sum(Expr::col("item_count")).into(), Expr::val(0_i64)]), "found")
        .from("catalog_source")
        .and_where(Expr::col("workspace_id").eq(WORKSPACE))
        .take();
    for (number, selection) in (0_i64..).zip(&selections) {
        let found = selection.found.clone().limit(MOST).take();
        let one = Query::select()
            .expr_as(Expr::val(number), "number")
            .expr_as(Func::count(Expr::cust("1")), "found")
            .from_subquery(found, "found")
            .take();
        count.union(UnionType::All, one);
    }
    let counted = reader.fetch_filtered::<Counted>(&count).await?;
    let all = counted.iter().find(|count| count.number < 0).map_or(0, |count| count.found);
    let found: Vec<i64> = counted.iter().filter(|count| count.number >= 0).map(|count| count.found).collect();
    let page_size = list.page_size.filter(|_| list.order.is_by_index());
    let Some(best) = best(&found, all, page_size) else { return Ok(None) };
    let ids = selections.swap_remove(best).ids.distinct().take();
    let mut narrowed = Query::select();
    narrowed.column((NARROWED, "id")).from_subquery(ids, NARROWED);
    // Tested before any of the rows is read, which are large. The list tests them again, together with all that needs rows.
    for holds in selections.into_iter().filter_map(|selection| selection.holds) {
        narrowed.and_where(holds);
    }
    Ok(Some(narrowed))
}

/// Which condition to begin with, given how many rows each selects of all; `None` to go by the order.
fn best(found: &[i64], all: i64, page_size: Option<u32>) -> Option<usize> {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let number = |count: i64| count as f64;
    if all < 1 {
        return None;
    }
    let least = (0..found.len()).min_by_key(|index| found.get(*index))?;
    let fewest = *found.get(least)?;
    if fewest >= MOST.cast_signed() {
        return None;
    }
    // As if the conditions had nothing to do with each other. An artifact counts for a model of its own.
    let share = found.iter().map(|found| (number(*found) / number(all)).min(1.0)).product::<f64>();
    let passed = page_size.map_or(number(all), |size| (f64::from(size) + 1.0) / share).min(number(all));
    (fewest <= Ord::min(FEW, all / 10) || number(fewest) * COST_OF_ID <= passed).then_some(least)
}

/// The items with all groups of three characters that the text consists of. A shorter text has none.
fn by_search(text: &str) -> Option<Selection> {
    let characters: Vec<char> = fold(text).chars().collect();
    let last = characters.len().checked_sub(3)?;
    // Groups side by side say as much as all of them, and the last one ends where the text ends.
    let starts = (0..last).step_by(3).take(MOST_GROUPS - 1).chain([last]);
    let groups: Vec<String> = starts
        .filter_map(|start| characters.get(start..start + 3))
        .map(|group| format!("\"{}\"", group.iter().collect::<String>().replace('"', "\"\"")))
        .collect();
    let ids = Query::select()
        .expr_as(Expr::col("rowid"), "id")
        .from("catalog_search")
        .and_where(Expr::cust_with_values("catalog_search MATCH ?", [groups.join(" AND ")]))
        .take();
    Some(Selection { found: ids.clone(), ids, holds: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rare_conditions_are_begun_with_and_common_ones_found_on_the_way() {
        assert_eq!(best(&[2_000, 40, 5_000], 100_000, Some(10)), Some(1));
        assert_eq!(best(&[0], 100_000, Some(10)), Some(0));
        assert_eq!(best(&[2_000], 100_000, Some(10)), Some(0), "few enough, wherever they stand");
        assert_eq!(best(&[3_000], 100_000, Some(10)), None, "one row in 33 matches: the page is full soon");
        assert_eq!(best(&[3_000, 3_000], 100_000, Some(10)), Some(0), "one row in 1000 matches");
        assert_eq!(best(&[5_000, 5_000], 1_000_000, Some(10)), None, "counted no further");
        assert_eq!(best(&[3_000], 100_000, None), Some(0), "everything has to be looked at otherwise");
        assert_eq!(best(&[20], 20, Some(10)), None);
    }
}
