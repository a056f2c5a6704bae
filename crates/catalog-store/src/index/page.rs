//! The rows of one page: what matches, behind the cursor, in the order of the list.

use std::cmp::Ordering;

use memchr::memmem::Finder;
use model_registry_api::SortOrder;
use model_registry_filter::{Condition, Test, Value, ValueType};

use super::column::Column;
use super::rows::Rows;
use super::{Index, Items, Table};
use crate::order::Key;
use crate::{CatalogKind, CatalogOrder};

/// What a list asks; it owns everything, because it is answered on another thread.
pub(crate) struct Question {
    pub(crate) kind: CatalogKind,
    pub(crate) sources: Option<Vec<String>>,
    /// Folded.
    pub(crate) search: Option<String>,
    /// All of them have to hold.
    pub(crate) conditions: Vec<Condition>,
    /// What they ask of the artifacts that an order looks at.
    pub(crate) related_conditions: Vec<Condition>,
    pub(crate) order: CatalogOrder,
    pub(crate) sort_order: SortOrder,
    pub(crate) cursor: Option<(Key, i64)>,
    pub(crate) most: usize,
}

impl Index {
    /// Ids and keys of the page, `most` of them if there are so many; `None` where the index cannot tell.
    pub(crate) fn answer(&self, question: &Question) -> Option<Vec<(i64, Key)>> {
        let items = match question.kind {
            CatalogKind::Model => &self.models,
            CatalogKind::McpServer => &self.servers,
            _ => return None,
        };
        let mut rows = self.filtered(items, question)?;
        let finder = question.search.as_ref().map(|search| Finder::new(search.as_bytes()));
        if let Some(search) = &question.search {
            rows = rows.and(&items.signatures.candidates(search));
        }
        let is_found = |row: u32| {
            let text = || items.search_texts.get(row).as_bytes();
            finder.as_ref().is_none_or(|finder| finder.find(text()).is_some())
        };
        if question.order == CatalogOrder::Name {
            // Texts are looked at until the page is full.
            return Some(items.take_by_name(question, |row| rows.has(row) && is_found(row)));
        }
        if finder.is_some() {
            rows = rows.only(is_found);
        }
        let page = Page { rows: &rows, question, items };
        let by_number = |column: &'static str| page.take_by_value(items.table.column(column), ValueType::Int, Some);
        Some(match &question.order {
            // Names were taken above.
            CatalogOrder::Id | CatalogOrder::Name => by_number("id")?,
            CatalogOrder::CreateTime => by_number("create_time")?,
            CatalogOrder::LastUpdateTime => by_number("update_time")?,
            CatalogOrder::Property { name, value } => {
                page.take_by_value(items.table.properties(name, false), *value, Some)?
            }
            CatalogOrder::ArtifactProperty { name, value } => {
                let passing = all_of(&self.artifacts, &question.related_conditions, None)?;
                let model = |row: u32| self.artifacts.parents.get(row as usize).copied().filter(|_| passing.has(row));
                page.take_by_value(self.artifacts.properties(name, false), *value, model)?
            }
        })
    }

    /// The rows of the sources that satisfy the conditions.
    fn filtered(&self, items: &Items, question: &Question) -> Option<Rows> {
        let related = (question.kind == CatalogKind::Model).then_some(&self.artifacts);
        let rows = all_of(&items.table, &question.conditions, related)?;
        let Some(sources) = &question.sources else { return Some(rows) };
        let values = sources.iter().cloned().map(Value::String).collect();
        let is_of = Test::In { negated: false, values };
        Some(rows.and(&items.table.passing(items.table.column("source_id"), &is_of)?))
    }
}

fn all_of(table: &Table, conditions: &[Condition], related: Option<&Table>) -> Option<Rows> {
    let all = Rows::all(table.ids.len());
    conditions.iter().try_fold(all, |rows, condition| Some(rows.and(&table.select(condition, related)?)))
}

impl Items {
    fn id(&self, row: u32) -> i64 {
        self.table.ids.get(row as usize).copied().unwrap_or_default()
    }

    fn sort_name(&self, row: u32) -> &str {
        self.sort_names.get(row)
    }

    /// The first rows behind the cursor in the order of names.
    fn take_by_name(&self, question: &Question, passes: impl Fn(u32) -> bool) -> Vec<(i64, Key)> {
        let [ascending, descending] = &self.by_name;
        let descends = question.sort_order == SortOrder::Descending;
        let ordered = if descends { descending } else { ascending };
        let start = match &question.cursor {
            Some((Key::Text(name), id)) => ordered.partition_point(|row| {
                let by_name = directed(self.sort_name(*row).cmp(name), descends);
                by_name.then_with(|| self.id(*row).cmp(id)).is_le()
            }),
            _ => 0,
        };
        let behind = ordered.iter().skip(start).copied().filter(|row| passes(*row)).take(question.most);
        behind.map(|row| (self.id(row), Key::Text(self.sort_name(row).to_owned()))).collect()
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

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(value) => Some(value),
            _ => None,
        }
    }
}

struct Page<'a> {
    rows: &'a Rows,
    question: &'a Question,
    items: &'a Items,
}

impl<'a> Page<'a> {
    /// The first rows behind the cursor. Rows without a key come last; rows of one key follow by id.
    fn take<K: Copy>(
        &self,
        key: impl Fn(u32) -> Option<K>,
        compare: impl Fn(K, K) -> Ordering,
        of_cursor: impl Fn(&'a Key) -> Option<K>,
        to_cursor: impl Fn(K) -> Key,
    ) -> Vec<(i64, Key)> {
        let question = self.question;
        let descends = question.sort_order == SortOrder::Descending;
        let ids_descend = descends && question.order.ids_follow_direction();
        let order = |(key, id): &(Option<K>, i64), (other, other_id): &(Option<K>, i64)| {
            let by_key = match (key, other) {
                (Some(key), Some(other)) => directed(compare(*key, *other), descends),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (None, None) => Ordering::Equal,
            };
            by_key.then_with(|| directed(id.cmp(other_id), ids_descend))
        };
        let cursor = question.cursor.as_ref().map(|(key, id)| (of_cursor(key), *id));
        let mut behind: Vec<(Option<K>, i64)> = self
            .rows
            .iter()
            .map(|row| (key(row), self.items.id(row)))
            .filter(|place| cursor.as_ref().is_none_or(|cursor| order(place, cursor).is_gt()))
            .collect();
        if behind.len() > question.most {
            behind.select_nth_unstable_by(question.most, order);
            behind.truncate(question.most);
        }
        behind.sort_unstable_by(order);
        behind.into_iter().map(|(key, id)| (id, key.map_or(Key::Absent, &to_cursor))).collect()
    }

    /// By the least or the greatest value that a row has in some columns, whose rows belong to those that `owner` says.
    fn take_by_value(
        &self,
        columns: &'a [Column],
        value: ValueType,
        owner: impl Fn(u32) -> Option<u32>,
    ) -> Option<Vec<(i64, Key)>> {
        if !columns.iter().all(Column::is_complete) {
            return None;
        }
        let count = self.items.table.ids.len();
        let takes_greatest = self.question.sort_order == SortOrder::Descending;
        Some(match value {
            ValueType::Int => {
                let values = columns.iter().flat_map(Column::ints);
                let keys = extremes(count, values, &owner, takes_greatest, compare);
                self.take(|row| held(&keys, row), compare, Key::int, Key::Int)
            }
            ValueType::Double => {
                let values = columns.iter().flat_map(Column::doubles);
                let keys = extremes(count, values, &owner, takes_greatest, compare_doubles);
                self.take(|row| held(&keys, row), compare_doubles, Key::double, Key::Double)
            }
            ValueType::String => {
                let values = columns.iter().flat_map(Column::texts);
                let keys = extremes(count, values, &owner, takes_greatest, compare);
                self.take(|row| held(&keys, row), compare, Key::text, |key: &str| Key::Text(key.to_owned()))
            }
            // Nothing is ordered by truth values.
            ValueType::Bool => return None,
        })
    }
}

/// The least or the greatest value of each row of `count`.
fn extremes<K: Copy>(
    count: usize,
    values: impl Iterator<Item = (u32, K)>,
    owner: impl Fn(u32) -> Option<u32>,
    takes_greatest: bool,
    compare: impl Fn(K, K) -> Ordering,
) -> Vec<Option<K>> {
    let wanted = if takes_greatest { Ordering::Greater } else { Ordering::Less };
    let mut keys = vec![None; count];
    for (row, value) in values {
        if let Some(key) = owner(row).and_then(|row| keys.get_mut(row as usize))
            && key.as_ref().is_none_or(|key| compare(value, *key) == wanted)
        {
            *key = Some(value);
        }
    }
    keys
}

fn held<K: Copy>(keys: &[Option<K>], row: u32) -> Option<K> {
    keys.get(row as usize).copied().flatten()
}

fn compare<K: Ord + Copy>(one: K, other: K) -> Ordering {
    one.cmp(&other)
}

/// As databases do: zero has no sign. There is nothing that is no number.
fn compare_doubles(one: f64, other: f64) -> Ordering {
    one.partial_cmp(&other).unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests;
