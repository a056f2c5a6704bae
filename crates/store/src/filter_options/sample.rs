//! A sample of the entities of a kind, with their properties: all of them if they are few.
//!
//! Otherwise the ids from the first to the newest are divided into equal ranges (strata), and the first entities of each are
//! read. How far apart their ids are says how many the range has, and so for how many entities each of them stands.

use std::collections::HashMap;

use model_registry_api::Kind;

use super::statements::{self, EntityRow, PropertyRow};
use crate::db::Database;
use crate::error::Result;

/// Ranges of ids.
const STRATA: i64 = 64;
/// Entities of each range.
const PER_STRATUM: usize = 32;
/// Entities of a complete sample, at most; as many as a sample of strata has.
const MAX_ENTITIES: usize = 64 * PER_STRATUM;
/// Entities whose properties one statement reads.
const AT_ONCE: usize = 256;
/// No further properties are read after so many.
const ENOUGH_PROPERTIES: usize = 50_000;

/// Entities with the number of entities that each stands for.
pub(super) struct Sample {
    /// The number of entities of the kind.
    pub(super) entities: u64,
    /// Whether these are all entities of the kind.
    pub(super) is_complete: bool,
    pub(super) rows: Vec<(EntityRow, f64)>,
    pub(super) properties: Vec<PropertyRow>,
}

/// The entities of one range of ids.
struct Stratum {
    rows: Vec<EntityRow>,
    /// The number of entities in the range.
    entities: f64,
}

impl Database {
    pub(super) async fn sample(&self, kind: Kind) -> Result<Sample> {
        let most = MAX_ENTITIES as u64 + 1;
        let first: Vec<EntityRow> = self.fetch_all(&statements::first_entities(kind, most, self.dialect())).await?;
        let is_small = first.len() <= MAX_ENTITIES;
        let strata = if is_small {
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let entities = first.len() as f64;
            vec![Stratum { rows: first, entities }]
        } else {
            let start = first.first().map_or(0, |row| row.id);
            self.strata(kind, start).await?
        };
        self.with_properties(kind, strata, is_small).await
    }

    async fn strata(&self, kind: Kind, start: i64) -> Result<Vec<Stratum>> {
        let last: Option<(i64,)> = self.fetch_optional(&statements::last_id(kind)).await?;
        let ranges = divided(start, last.map_or(start, |(id,)| id));
        let statement = statements::strata(kind, &ranges, PER_STRATUM as u64, self.dialect());
        let mut rows: Vec<EntityRow> = self.fetch_filtered(&statement).await?;
        rows.sort_unstable_by_key(|row| row.id);
        let mut rows = rows.into_iter().peekable();
        let strata = ranges.into_iter().map(|range| {
            let mut of_range = Vec::new();
            while let Some(row) = rows.next_if(|row| row.id < range.end) {
                of_range.push(row);
            }
            let entities = estimate(&range, &of_range.iter().map(|row| row.id).collect::<Vec<_>>());
            Stratum { rows: of_range, entities }
        });
        Ok(strata.collect())
    }

    /// Reads the properties of the entities, some of every stratum with each statement, until there are enough.
    async fn with_properties(&self, kind: Kind, strata: Vec<Stratum>, is_small: bool) -> Result<Sample> {
        let total: f64 = strata.iter().map(|stratum| stratum.entities).sum();
        let ids = interleaved(&strata);
        let mut properties: Vec<PropertyRow> = Vec::new();
        let mut read = 0;
        for ids in ids.chunks(AT_ONCE) {
            if properties.len() >= ENOUGH_PROPERTIES {
                break;
            }
            read += ids.len();
            let rows = self.fetch_all::<PropertyRow>(&statements::properties_of(kind, ids, self.dialect())).await?;
            properties.extend(rows);
        }
        let is_complete = is_small && read == ids.len();
        let were_read: std::collections::HashSet<i64> = ids.into_iter().take(read).collect();
        let rows = strata.into_iter().flat_map(|stratum| {
            let kept: Vec<EntityRow> = stratum.rows.into_iter().filter(|row| were_read.contains(&row.id)).collect();
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let weight = stratum.entities / kept.len().max(1) as f64;
            kept.into_iter().map(move |row| (row, weight))
        });
        Ok(Sample { entities: rounded(total), is_complete, rows: rows.collect(), properties })
    }
}

impl Sample {
    /// For how many entities each one stands.
    pub(super) fn weights(&self) -> HashMap<i64, f64> {
        self.rows.iter().map(|(row, weight)| (row.id, *weight)).collect()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "numbers of entities")]
pub(super) fn rounded(number: f64) -> u64 {
    number.round().max(0.0) as u64
}

/// Equal ranges that contain the ids from the first to the last.
fn divided(first: i64, last: i64) -> Vec<std::ops::Range<i64>> {
    let width = (last - first) / STRATA + 1;
    (0..STRATA).map(|number| first + number * width..first + (number + 1) * width).collect()
}

/// The number of entities in a range whose first ids are these.
fn estimate(range: &std::ops::Range<i64>, ids: &[i64]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let (found, width) = (ids.len() as f64, (range.end - range.start) as f64);
    match ids.last() {
        Some(last) if ids.len() >= PER_STRATUM => {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let span = (last - range.start + 1) as f64;
            found * width / span
        }
        _ => found,
    }
}

/// The ids of the first entities of all strata, then those of the second ones …
fn interleaved(strata: &[Stratum]) -> Vec<i64> {
    let longest = strata.iter().map(|stratum| stratum.rows.len()).max().unwrap_or(0);
    (0..longest)
        .flat_map(|position| strata.iter().filter_map(move |stratum| stratum.rows.get(position)))
        .map(|row| row.id)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_contain_all_ids_and_share_none() {
        for (first, last) in [(1, 1), (1, 64), (7, 10_000), (1, 1_000_003)] {
            let ranges = divided(first, last);
            assert_eq!(ranges.len(), 64);
            assert!(ranges[0].start == first && ranges[63].end > last, "{first} to {last}");
            assert!(ranges.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }

    #[test]
    fn a_full_stratum_is_estimated_by_how_far_its_ids_are_apart() {
        let every_second: Vec<i64> = (0..32).map(|number| number * 2).collect();
        assert!((estimate(&(0..1_000), &every_second) - 32.0 * 1_000.0 / 63.0).abs() < 1e-9);
        assert!((estimate(&(0..1_000), &[5, 900]) - 2.0).abs() < 1e-9);
        assert!(estimate(&(0..1_000), &[]) < 1e-9);
    }
}
