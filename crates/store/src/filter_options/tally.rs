//! What a sample says about each property: how many entities have it, its values and their range.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

use model_registry_filter::ValueType;
use serde_json::Value;

use super::sample::{Sample, rounded};
use super::statements::{EntityRow, PropertyRow};

/// A property with more values offers the most frequent ones only.
const ALL_VALUES: usize = 49;
/// So many of them.
const FREQUENT_VALUES: usize = 20;
/// A value of more characters is not offered.
const MAX_CHARACTERS: usize = 100;

/// A property of a kind with values of one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PropertyId {
    pub(super) name: String,
    pub(super) custom: bool,
    pub(super) value_type: ValueType,
    /// Whether both a field and custom properties have the name.
    pub(super) is_ambiguous: bool,
}

/// What is known of one property or column.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// An estimate of the number of entities with a value.
    entities: f64,
    strings: HashMap<String, Seen>,
    booleans: [f64; 2],
    pub(super) range: Option<(Value, Value)>,
}

/// How often a value was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    times: u32,
    /// An estimate of the number of entities with it.
    entities: f64,
}

/// The tallies of a kind.
pub(super) struct Tallies {
    properties: BTreeMap<(String, bool, &'static str), (PropertyId, Tally)>,
    columns: BTreeMap<&'static str, Tally>,
}

impl Tallies {
    pub(super) fn of(sample: &Sample) -> Self {
        let mut tallies = Self { properties: BTreeMap::new(), columns: BTreeMap::new() };
        for (row, weight) in &sample.rows {
            tallies.add_columns(row, *weight);
        }
        let weights = sample.weights();
        for row in &sample.properties {
            tallies.add(row, weights.get(&row.owner_id).copied().unwrap_or(1.0));
        }
        tallies
    }

    fn add_columns(&mut self, row: &EntityRow, weight: f64) {
        let numbers = [
            ("create_time", Some(Value::from(row.create_time))),
            ("update_time", Some(Value::from(row.update_time))),
            ("value", row.value.filter(|value| value.abs() < f64::MAX).map(Value::from)),
            ("step", row.step.map(Value::from)),
            ("timestamp", row.timestamp.map(Value::from)),
        ];
        for (column, number) in numbers {
            if let Some(number) = number {
                self.columns.entry(column).or_default().widen(&number);
            }
        }
        if let Some(state) = &row.state {
            self.columns.entry("state").or_default().see(state, weight);
        }
    }

    /// Adds a property of an entity that stands for so many; a removed one has no value.
    pub(super) fn add(&mut self, row: &PropertyRow, weight: f64) {
        let value_type = match row {
            PropertyRow { string_value: Some(_), .. } => ValueType::String,
            PropertyRow { int_value: Some(_), .. } => ValueType::Int,
            PropertyRow { double_value: Some(_), .. } | PropertyRow { not_finite: Some(_), .. } => ValueType::Double,
            PropertyRow { bool_value: Some(_), .. } => ValueType::Bool,
            _ => return,
        };
        let id = PropertyId { name: row.name.clone(), custom: row.custom, value_type, is_ambiguous: false };
        let key = (row.name.clone(), row.custom, value_type.suffix());
        let (_, tally) = self.properties.entry(key).or_insert_with(|| (id, Tally::default()));
        // A list has a row for each element.
        if row.ordinal == 0 {
            tally.entities += weight;
        }
        if let Some(string) = row.string_value.as_deref().filter(|string| is_offered(string)) {
            tally.see(string, weight);
        }
        if let Some(value) = row.bool_value {
            tally.booleans[usize::from(value)] += weight;
        }
        if let Some(number) = row.int_value {
            tally.widen(&number.into());
        }
        if let Some(number) = row.double_value.filter(|_| row.not_finite.is_none()) {
            tally.widen(&number.into());
        }
    }

    pub(super) fn properties(&self) -> impl Iterator<Item = &(PropertyId, Tally)> {
        self.properties.values()
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.properties.range((name.to_owned(), false, "")..).next().is_some_and(|((known, ..), _)| known == name)
    }

    pub(super) fn column(&self, name: &str) -> Option<&Tally> {
        self.columns.get(name)
    }

    /// The properties whose values are numbers.
    pub(super) fn numbers(&self) -> Vec<PropertyId> {
        let is_number = |id: &&PropertyId| matches!(id.value_type, ValueType::Int | ValueType::Double);
        let both = |name: &str| {
            let has = |custom| self.properties.values().any(|(id, _)| id.name == name && id.custom == custom);
            has(true) && has(false)
        };
        let numbers = self.properties.values().map(|(id, _)| id).filter(is_number);
        numbers.map(|id| PropertyId { is_ambiguous: both(&id.name), ..id.clone() }).collect()
    }

    pub(super) fn set_range(&mut self, id: &PropertyId, range: (Value, Value)) {
        let key = (id.name.clone(), id.custom, id.value_type.suffix());
        if let Some((_, tally)) = self.properties.get_mut(&key) {
            tally.range = Some(range);
        }
    }

    /// The declared values of a column, each with its number of entities.
    pub(super) fn members(&self, column: &str, members: &[&'static str]) -> Vec<(Value, u64)> {
        let entities = |member: &str| {
            let seen = self.columns.get(column).and_then(|tally| tally.strings.get(member));
            seen.map_or(0, |seen| rounded(seen.entities))
        };
        let mut values: Vec<_> = members.iter().map(|member| (Value::from(*member), entities(member))).collect();
        values.sort_by_key(|(_, entities)| std::cmp::Reverse(*entities));
        values
    }
}

impl Tally {
    fn see(&mut self, string: &str, weight: f64) {
        // Not `entry`, which would copy every string.
        if let Some(seen) = self.strings.get_mut(string) {
            seen.times += 1;
            seen.entities += weight;
        } else {
            self.strings.insert(string.to_owned(), Seen { times: 1, entities: weight });
        }
    }

    fn widen(&mut self, number: &Value) {
        match &mut self.range {
            Some((low, high)) => {
                if compared(number, low).is_lt() {
                    low.clone_from(number);
                }
                if compared(number, high).is_gt() {
                    high.clone_from(number);
                }
            }
            None => self.range = Some((number.clone(), number.clone())),
        }
    }

    pub(super) fn count(&self) -> u64 {
        rounded(self.entities)
    }

    /// All values if they are few, and otherwise those that were seen more than once; the most frequent first.
    pub(super) fn frequent_values(&self, value_type: ValueType) -> Vec<(Value, u64)> {
        if value_type == ValueType::Bool {
            let mut values = vec![(true, self.booleans[1]), (false, self.booleans[0])];
            values.retain(|(_, entities)| *entities > 0.0);
            values.sort_by(|(_, one), (_, other)| other.total_cmp(one));
            return values.into_iter().map(|(value, entities)| (value.into(), rounded(entities))).collect();
        }
        let has_all = self.strings.len() <= ALL_VALUES;
        let mut values: Vec<_> = self.strings.iter().filter(|(_, seen)| has_all || seen.times > 1).collect();
        values
            .sort_by(|(one, seen), (other, than)| than.entities.total_cmp(&seen.entities).then_with(|| one.cmp(other)));
        if !has_all {
            values.truncate(FREQUENT_VALUES);
        }
        values.into_iter().map(|(value, seen)| (value.as_str().into(), rounded(seen.entities))).collect()
    }
}

fn is_offered(string: &str) -> bool {
    !string.is_empty() && string.chars().count() <= MAX_CHARACTERS
}

/// Compares numbers; integers of any size exactly.
pub(super) fn compared(one: &Value, other: &Value) -> Ordering {
    match (one.as_i64(), other.as_i64()) {
        (Some(one), Some(other)) => one.cmp(&other),
        _ => one.as_f64().unwrap_or(f64::NAN).total_cmp(&other.as_f64().unwrap_or(f64::NAN)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(owner_id: i64, name: &str, value: &str) -> PropertyRow {
        PropertyRow {
            owner_id,
            name: name.to_owned(),
            custom: true,
            ordinal: 0,
            string_value: Some(value.to_owned()),
            int_value: None,
            double_value: None,
            bool_value: None,
            not_finite: None,
        }
    }

    fn empty() -> Tallies {
        Tallies { properties: BTreeMap::new(), columns: BTreeMap::new() }
    }

    #[test]
    fn many_values_are_reduced_to_the_frequent_ones() {
        let mut tallies = empty();
        for owner in 0..60 {
            tallies.add(&string(owner, "commit", &format!("commit-{owner}")), 2.0);
            tallies.add(&string(owner, "stage", if owner % 3 == 0 { "a" } else { "b" }), 2.0);
        }
        tallies.add(&string(60, "commit", "commit-7"), 2.0);
        let values = |name: &str| {
            let (id, tally) = tallies.properties().find(|(id, _)| id.name == name).unwrap();
            (tally.count(), tally.frequent_values(id.value_type))
        };
        assert_eq!(values("commit"), (122, vec![("commit-7".into(), 4)]));
        assert_eq!(values("stage"), (120, vec![("b".into(), 80), ("a".into(), 40)]));
        assert!(tallies.has_name("stage") && !tallies.has_name("sta"));
    }

    #[test]
    fn long_and_empty_strings_are_counted_but_not_offered() {
        let mut tallies = empty();
        tallies.add(&string(1, "text", &"x".repeat(101)), 1.0);
        tallies.add(&string(2, "text", ""), 1.0);
        let (id, tally) = tallies.properties().next().unwrap();
        assert_eq!((tally.count(), tally.frequent_values(id.value_type)), (2, vec![]));
    }

    #[test]
    fn ranges_have_finite_numbers_only_and_a_removed_property_counts_for_nothing() {
        let mut tallies = empty();
        let empty_row = || PropertyRow { string_value: None, ..string(1, "loss", "") };
        let double = |value, not_finite| PropertyRow { double_value: value, not_finite, ..empty_row() };
        tallies.add(&empty_row(), 1.0);
        assert!(tallies.properties().next().is_none());
        for row in [double(Some(0.5), None), double(None, Some(0)), double(Some(f64::MAX), Some(1))] {
            tallies.add(&row, 1.0);
        }
        let (_, tally) = tallies.properties().next().unwrap();
        assert_eq!((tally.count(), tally.range.clone()), (3, Some((0.5.into(), 0.5.into()))));
    }
}
