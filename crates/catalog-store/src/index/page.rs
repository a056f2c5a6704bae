//! The rows of one page: those that match, after the cursor, in the order of the list.

use std::cmp::Ordering;

use fixedbitset::FixedBitSet;
use memchr::memmem::Finder;
use model_registry_api::SortOrder;
use model_registry_base::Cancellation;
use model_registry_filter::{Condition, Test, Value, ValueType};

use super::column::Column;
use super::{Index, Items};
use crate::filter_names::artifact_kind;
use crate::order::sort_prefix;
use crate::page_token::Key;
use crate::{CatalogKind, CatalogOrder};

/// The page to read. It borrows nothing, because it is evaluated on another thread.
pub(crate) struct PageQuery {
    pub(crate) kind: CatalogKind,
    pub(crate) sources: Option<Vec<String>>,
    /// Folded.
    pub(crate) search: Option<String>,
    /// All of them have to hold.
    pub(crate) conditions: Vec<Condition>,
    /// Conditions on the artifacts whose values the items are ordered by.
    pub(crate) artifact_conditions: Vec<Condition>,
    pub(crate) order: CatalogOrder,
    pub(crate) sort_order: SortOrder,
    pub(crate) cursor: Option<(Key, i64)>,
    /// Rows returned at most.
    pub(crate) limit: usize,
}

impl Index {
    /// Ids and keys of the page; `None` where a value is needed that the index does not hold, and if the work was cancelled.
    pub(crate) fn page(&self, query: &PageQuery, work: &Cancellation) -> Option<Vec<(i64, Key)>> {
        let items = self.items(query.kind)?;
        let mut rows = items.filter(query, work)?;
        let finder = query.search.as_ref().map(|search| Finder::new(search.as_bytes()));
        if let Some(search) = &query.search {
            rows.intersect_with(&items.trigrams.candidates(search));
        }
        let is_found = |row: u32| {
            let string = || items.search_strings.get(row).as_bytes();
            finder.as_ref().is_none_or(|finder| finder.find(string()).is_some())
        };
        if query.order == CatalogOrder::Name {
            // Strings are read until the page is full.
            return Some(items.take_by_name(query, |row| rows.contains(row as usize) && is_found(row)));
        }
        let rows: Vec<u32> = row_numbers(&rows).filter(|row| is_found(*row)).collect();
        let page = Page { rows: &rows, query, items };
        let by_column = |name: &'static str| page.take_by_value(items.table.column(name), ValueType::Int, Some);
        match &query.order {
            // Names were taken above.
            CatalogOrder::Id | CatalogOrder::Name => by_column("id"),
            CatalogOrder::CreateTime => by_column("create_time"),
            CatalogOrder::LastUpdateTime => by_column("update_time"),
            CatalogOrder::Property { name, value } => {
                page.take_by_value(items.table.property(name, false), *value, Some)
            }
            CatalogOrder::ArtifactProperty { name, value } => {
                let artifacts = &items.artifacts;
                let counted = artifacts.select_all(&query.artifact_conditions, None, work)?;
                let item = |artifact: u32| {
                    let parent = artifacts.parents.get(artifact as usize).copied();
                    parent.filter(|_| counted.contains(artifact as usize))
                };
                page.take_by_value(artifacts.property(name, false), *value, item)
            }
        }
    }
}

/// The members of a set; rows are numbered with 32 bits.
fn row_numbers(rows: &FixedBitSet) -> impl Iterator<Item = u32> + '_ {
    rows.ones().filter_map(|row| u32::try_from(row).ok())
}

impl Items {
    /// The rows of the sources that satisfy the conditions.
    fn filter(&self, query: &PageQuery, work: &Cancellation) -> Option<FixedBitSet> {
        let artifacts = artifact_kind(query.kind).map(|_| &self.artifacts);
        let mut rows = self.table.select_all(&query.conditions, artifacts, work)?;
        if let Some(sources) = &query.sources {
            let values = sources.iter().cloned().map(Value::String).collect();
            let is_one_of = Test::In { negated: false, values };
            rows.intersect_with(&self.table.passing(self.table.column("source_id"), &is_one_of, work)?);
        }
        Some(rows)
    }

    /// The first rows after the cursor in the order of names.
    fn take_by_name(&self, query: &PageQuery, passes: impl Fn(u32) -> bool) -> Vec<(i64, Key)> {
        let [ascending, descending] = &self.by_name;
        let descends = query.sort_order == SortOrder::Descending;
        let ordered = if descends { descending } else { ascending };
        let name = |row: u32| self.sort_names.get(row);
        let start = match &query.cursor {
            Some((Key::String(last), id)) => ordered.partition_point(|row| {
                let by_name = directed(name(*row).cmp(last), descends);
                by_name.then_with(|| self.table.id(*row).cmp(id)).is_le()
            }),
            _ => 0,
        };
        let following = ordered.iter().skip(start).copied().filter(|row| passes(*row)).take(query.limit);
        following.map(|row| (self.table.id(row), Key::String(name(row).to_owned()))).collect()
    }
}

fn directed(order: Ordering, descends: bool) -> Ordering {
    if descends { order.reverse() } else { order }
}

impl Key {
    fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    fn double(&self) -> Option<f64> {
        match self {
            Self::Double(value) => Some(*value),
            _ => None,
        }
    }

    fn string(&self) -> Option<&str> {
        match self {
            Self::String(value) => Some(value),
            _ => None,
        }
    }
}

struct Page<'a> {
    rows: &'a [u32],
    query: &'a PageQuery,
    items: &'a Items,
}

impl<'a> Page<'a> {
    /// The first rows after the cursor. Rows without a key come last; rows with equal keys are ordered by id.
    fn take<K: Copy>(
        &self,
        key: impl Fn(u32) -> Option<K>,
        compare: impl Fn(K, K) -> Ordering,
        from_cursor: impl Fn(&'a Key) -> Option<K>,
        to_cursor: impl Fn(K) -> Key,
    ) -> Vec<(i64, Key)> {
        let query = self.query;
        let descends = query.sort_order == SortOrder::Descending;
        let ids_descend = descends && query.order.ids_follow_direction();
        let order = |(key, id): &(Option<K>, i64), (other, other_id): &(Option<K>, i64)| {
            let by_key = match (key, other) {
                (Some(key), Some(other)) => directed(compare(*key, *other), descends),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            by_key.then_with(|| directed(id.cmp(other_id), ids_descend))
        };
        let cursor = query.cursor.as_ref().map(|(key, id)| (from_cursor(key), *id));
        let mut following: Vec<(Option<K>, i64)> = self
            .rows
            .iter()
            .map(|row| (key(*row), self.items.table.id(*row)))
            .filter(|place| cursor.as_ref().is_none_or(|cursor| order(place, cursor).is_gt()))
            .collect();
        if following.len() > query.limit {
            following.select_nth_unstable_by(query.limit, order);
            following.truncate(query.limit);
        }
        following.sort_unstable_by(order);
        following.into_iter().map(|(key, id)| (id, key.map_or(Key::Absent, &to_cursor))).collect()
    }

    /// Orders by the least or the greatest value that an item has in some columns; `owner` maps the rows of the columns to
    /// items. `None` where a column is incomplete.
    fn take_by_value(
        &self,
        columns: &'a [Column],
        value: ValueType,
        owner: impl Fn(u32) -> Option<u32>,
    ) -> Option<Vec<(i64, Key)>> {
        if !columns.iter().all(Column::is_complete) {
            return None;
        }
        let count = self.items.table.len();
        let greatest = self.query.sort_order == SortOrder::Descending;
        Some(match value {
            ValueType::Int => {
                let values = columns.iter().flat_map(Column::ints);
                let keys = extremes(count, values, &owner, greatest, compare);
                self.take(|row| key_of(&keys, row), compare, Key::int, Key::Int)
            }
            ValueType::Double => {
                let values = columns.iter().flat_map(Column::doubles);
                let keys = extremes(count, values, &owner, greatest, compare_doubles);
                self.take(|row| key_of(&keys, row), compare_doubles, Key::double, Key::Double)
            }
            ValueType::String => {
                let values = columns.iter().flat_map(Column::strings).map(|(row, string)| (row, sort_prefix(string)));
                let keys = extremes(count, values, &owner, greatest, compare);
                self.take(|row| key_of(&keys, row), compare, Key::string, |key: &str| Key::String(key.to_owned()))
            }
            // No list is ordered by booleans.
            ValueType::Bool => return None,
        })
    }
}

/// The least or the greatest value of each of `count` items.
fn extremes<K: Copy>(
    count: usize,
    values: impl Iterator<Item = (u32, K)>,
    owner: impl Fn(u32) -> Option<u32>,
    greatest: bool,
    compare: impl Fn(K, K) -> Ordering,
) -> Vec<Option<K>> {
    let replaces = if greatest { Ordering::Greater } else { Ordering::Less };
    let mut keys = vec![None; count];
    for (row, value) in values {
        if let Some(key) = owner(row).and_then(|item| keys.get_mut(item as usize))
            && key.as_ref().is_none_or(|key| compare(value, *key) == replaces)
        {
            *key = Some(value);
        }
    }
    keys
}

fn key_of<K: Copy>(keys: &[Option<K>], row: u32) -> Option<K> {
    keys.get(row as usize).copied().flatten()
}

fn compare<K: Ord + Copy>(one: K, other: K) -> Ordering {
    one.cmp(&other)
}

/// As databases compare: zero has no sign. NaN is never stored.
fn compare_doubles(one: f64, other: f64) -> Ordering {
    one.partial_cmp(&other).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests;
