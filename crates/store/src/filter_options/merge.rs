//! Merges the filter options of several kinds, such as those of all artifacts, and of several properties with one name in filters.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tally::compared;
use super::{FieldOptions, FilterOptions};

impl FilterOptions {
    /// The options of a list that has the entities of both.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.entities += other.entities;
        self.is_exact &= other.is_exact;
        for (name, options) in &other.fields {
            add(&mut self.fields, name.clone(), options.clone());
        }
        self
    }
}

pub(super) fn add(fields: &mut BTreeMap<String, FieldOptions>, name: String, options: FieldOptions) {
    match fields.get_mut(&name) {
        Some(known) => {
            known.count = known.count.zip(options.count).map(|(one, other)| one + other);
            for (value, entities) in options.values {
                match known.values.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, sum)) => *sum += entities,
                    None => known.values.push((value, entities)),
                }
            }
            known.values.sort_by_key(|(_, entities)| std::cmp::Reverse(*entities));
            known.range = wider(known.range.take(), options.range);
        }
        None => {
            fields.insert(name, options);
        }
    }
}

/// The smallest range that contains both.
fn wider(one: Option<(Value, Value)>, other: Option<(Value, Value)>) -> Option<(Value, Value)> {
    match (one, other) {
        (Some((low, high)), Some((other_low, other_high))) => Some((
            if compared(&other_low, &low).is_lt() { other_low } else { low },
            if compared(&other_high, &high).is_gt() { other_high } else { high },
        )),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::super::OptionType;
    use super::*;

    #[test]
    fn numbers_are_added_and_ranges_widened() {
        let options = |count, values: &[(&str, u64)], range: (i64, i64)| FilterOptions {
            entities: count,
            is_exact: count < 5,
            fields: BTreeMap::from([(
                "stage".to_owned(),
                FieldOptions {
                    value_type: OptionType::String,
                    count: Some(count),
                    values: values.iter().map(|(value, count)| ((*value).into(), *count)).collect(),
                    range: Some((range.0.into(), range.1.into())),
                },
            )]),
        };
        let merged = options(3, &[("a", 2), ("b", 1)], (1, 5)).and(&options(5, &[("b", 4), ("c", 1)], (0, 3)));
        assert_eq!((merged.entities, merged.is_exact), (8, false));
        let stage = &merged.fields["stage"];
        assert_eq!(stage.count, Some(8));
        assert_eq!(stage.values, [("b".into(), 5), ("a".into(), 2), ("c".into(), 1)]);
        assert_eq!(stage.range, Some((0.into(), 5.into())));
    }
}
