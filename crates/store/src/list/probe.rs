//! One statement that reads the ids in several ranges of indexes, each up to a limit.

use sea_query::{Alias, Expr, ExprTrait, Query, SelectStatement, UnionType};

use crate::db::Database;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::explain;
use crate::from_row;

/// The number of the row with the sort key of the boundary.
pub(super) const BOUNDARY: i64 = -1;

/// What is known of a range.
pub(super) struct ProbeRow {
    /// The position of the range, or [`BOUNDARY`].
    pub(super) number: i64,
    /// The number of ids, or the sort key of the boundary.
    pub(super) found: Option<i64>,
    /// The ids as numbers with commas, if there are no more than the limit.
    pub(super) ids: Option<String>,
}

from_row!(ProbeRow { number, found, ids });

/// Reads the ids in each range that are not known yet, if there are no more than `most`, and the sort key of the boundary.
pub(super) async fn read_ranges(
    database: &Database,
    ranges: &[SelectStatement],
    boundary: Option<SelectStatement>,
    most: u64,
    found: &mut [Option<Vec<i64>>],
) -> Result<Option<i64>> {
    let is_unknown = |position: usize| found.get(position).is_some_and(Option::is_none);
    let unknown: Vec<_> = ranges.iter().enumerate().filter(|(position, _)| is_unknown(*position)).collect();
    if unknown.is_empty() && boundary.is_none() {
        return Ok(None);
    }
    let statement = probe(unknown.into_iter(), boundary, most, database.dialect());
    let mut boundary = None;
    for row in database.fetch_filtered::<ProbeRow>(&statement).await? {
        if row.number == BOUNDARY {
            boundary = row.found;
        } else if let Some(ids) = usize::try_from(row.number).ok().and_then(|position| found.get_mut(position)) {
            *ids = ids_of(&row);
            let entries = ids.as_ref().map(Vec::len);
            if let Some(range) = usize::try_from(row.number).ok().and_then(|position| ranges.get(position)) {
                explain::range(|| database.text(range), entries, most);
            }
        }
    }
    Ok(boundary)
}

/// Builds the statement. `boundary` selects one sort key.
pub(super) fn probe<'a>(
    ranges: impl Iterator<Item = (usize, &'a SelectStatement)>,
    boundary: Option<SelectStatement>,
    most: u64,
    dialect: Dialect,
) -> SelectStatement {
    let mut all: Option<SelectStatement> = None;
    let mut add = |part: SelectStatement| match &mut all {
        Some(all) => {
            all.union(UnionType::All, part);
        }
        None => all = Some(part),
    };
    for (position, range) in ranges {
        let rows = range.clone().limit(most + 1).take();
        add(Query::select()
            .expr_as(number(i64::try_from(position).unwrap_or(i64::MAX), dialect), "number")
            .expr_as(Expr::cust("COUNT(*)"), "found")
            .expr_as(Expr::cust(format!("CASE WHEN COUNT(*) <= {most} THEN {} END", joined_ids(dialect))), "ids")
            .from_subquery(rows, "found_ids")
            .take());
    }
    if let Some(boundary) = boundary {
        let no_ids: Expr = match dialect {
            Dialect::Postgres => Expr::cust("NULL").cast_as(Alias::new("text")),
            Dialect::Sqlite | Dialect::MySql => Expr::cust("NULL"),
        };
        add(Query::select()
            .expr_as(number(BOUNDARY, dialect), "number")
            .expr_as(Expr::SubQuery(None, Box::new(boundary.into())), "found")
            .expr_as(no_ids, "ids")
            .take());
    }
    all.unwrap_or_default()
}

/// A number of 64 bits, which a bare literal is not on PostgreSQL.
pub(super) fn number(number: i64, dialect: Dialect) -> Expr {
    match dialect {
        Dialect::Postgres => Expr::cust(format!("{number}::bigint")),
        Dialect::Sqlite | Dialect::MySql => Expr::cust(number.to_string()),
    }
}

/// All ids in one value: a row for each would take longer to send than to find.
const fn joined_ids(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "group_concat(id)",
        Dialect::Postgres => "string_agg(id::text, ',')",
        // GROUP_CONCAT is cut at 1,024 bytes by default.
        Dialect::MySql => "CAST(JSON_ARRAYAGG(id) AS CHAR)",
    }
}

/// The ids of a range in ascending order, each once; `None` if there are more than the limit.
pub(super) fn ids_of(row: &ProbeRow) -> Option<Vec<i64>> {
    if row.found == Some(0) {
        return Some(Vec::new());
    }
    let list = row.ids.as_deref()?.trim_start_matches('[').trim_end_matches(']');
    let mut ids = list.split(',').map(|id| id.trim().parse().ok()).collect::<Option<Vec<i64>>>()?;
    if i64::try_from(ids.len()).ok() != row.found {
        // Cut by a limit of the database.
        return None;
    }
    ids.sort_unstable();
    ids.dedup();
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(found: i64, ids: Option<&str>) -> Option<Vec<i64>> {
        ids_of(&ProbeRow { number: 0, found: Some(found), ids: ids.map(str::to_owned) })
    }

    #[test]
    fn ids_are_parsed_in_the_form_of_each_database() {
        assert_eq!(ids(3, Some("7,3,7")), Some(vec![3, 7]));
        assert_eq!(ids(2, Some("[7, 3]")), Some(vec![3, 7]));
        assert_eq!(ids(0, None), Some(vec![]));
    }

    #[test]
    fn more_ids_than_the_limit_and_cut_lists_are_unknown() {
        assert_eq!(ids(5, None), None);
        assert_eq!(ids(3, Some("[7,3")), None);
        assert_eq!(ids(3, Some("[7,3,")), None);
    }
}
