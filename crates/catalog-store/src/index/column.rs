//! The values of one property of many rows.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;
use model_registry_filter::{StoredValue, Test};

use super::strings::Strings;
use crate::packed_properties::{LONGEST_INLINE, PackedValue};

/// Bytes of distinct strings of one property that are held at most.
const MAX_STRING_BYTES: usize = 16 << 20;

/// The values of one property. A row may have several of them.
#[derive(Debug, Default)]
pub(super) struct Column {
    /// Each string once.
    strings: Strings,
    /// Row, and place in `strings`.
    string_rows: Vec<(u32, u32)>,
    ints: Vec<(u32, i64)>,
    doubles: Vec<(u32, f64)>,
    bools: Vec<(u32, bool)>,
    /// Some strings are missing, because they are too long or too many.
    is_incomplete: bool,
}

impl Column {
    /// Whether it holds every value of every row.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_incomplete
    }

    /// Adds the rows with a value that passes the test.
    pub(super) fn select(&self, test: &Test, rows: &mut FixedBitSet) {
        // Each distinct string is tested once.
        let passing: Vec<bool> = self.strings.iter().map(|string| test.passes(StoredValue::String(string))).collect();
        let strings = self.string_rows.iter().filter(|(_, place)| passing.get(*place as usize) == Some(&true));
        strings.for_each(|(row, _)| rows.insert(*row as usize));
        let ints = self.ints.iter().filter(|(_, value)| test.passes(StoredValue::Int(*value)));
        ints.for_each(|(row, _)| rows.insert(*row as usize));
        let doubles = self.doubles.iter().filter(|(_, value)| test.passes(StoredValue::Double(*value)));
        doubles.for_each(|(row, _)| rows.insert(*row as usize));
        let bools = self.bools.iter().filter(|(_, value)| test.passes(StoredValue::Bool(*value)));
        bools.for_each(|(row, _)| rows.insert(*row as usize));
    }

    /// Whether there are values to choose from; of booleans there are always the same two.
    pub(super) fn has_options(&self) -> bool {
        self.is_incomplete || !(self.string_rows.is_empty() && self.ints.is_empty() && self.doubles.is_empty())
    }

    /// Each string once; nothing where the column is incomplete.
    pub(super) fn distinct_strings(&self) -> impl Iterator<Item = &str> {
        self.strings.iter()
    }

    pub(super) fn strings(&self) -> impl Iterator<Item = (u32, &str)> {
        self.string_rows.iter().map(|(row, place)| (*row, self.strings.get(*place)))
    }

    pub(super) fn ints(&self) -> impl Iterator<Item = (u32, i64)> {
        self.ints.iter().copied()
    }

    pub(super) fn doubles(&self) -> impl Iterator<Item = (u32, f64)> {
        self.doubles.iter().copied()
    }

    fn shrink_to_fit(&mut self) {
        self.string_rows.shrink_to_fit();
        self.ints.shrink_to_fit();
        self.doubles.shrink_to_fit();
        self.bools.shrink_to_fit();
    }
}

/// A column to which rows are added.
#[derive(Debug, Default)]
pub(super) struct ColumnBuilder {
    column: Column,
    places: HashMap<Box<str>, u32>,
    bytes: usize,
}

impl ColumnBuilder {
    pub(super) fn add(&mut self, row: u32, value: PackedValue<'_>) {
        match value {
            PackedValue::String(string) => self.add_string(row, string),
            PackedValue::StringInDocument(_) => self.give_up(),
            PackedValue::Int(value) => self.column.ints.push((row, value)),
            PackedValue::Double(value) => self.column.doubles.push((row, value)),
            PackedValue::Bool(value) => self.column.bools.push((row, value)),
        }
    }

    fn add_string(&mut self, row: u32, string: &str) {
        if self.column.is_incomplete {
            return;
        }
        if let Some(place) = self.places.get(string) {
            self.column.string_rows.push((row, *place));
            return;
        }
        self.bytes += string.len();
        let place = u32::try_from(self.places.len()).ok();
        let (Some(place), true) = (place, string.len() <= LONGEST_INLINE && self.bytes <= MAX_STRING_BYTES) else {
            return self.give_up();
        };
        self.places.insert(string.into(), place);
        self.column.string_rows.push((row, place));
    }

    /// Holds no strings from now on.
    fn give_up(&mut self) {
        self.column.is_incomplete = true;
        self.column.string_rows = Vec::new();
        self.places = HashMap::new();
    }

    pub(super) fn finish(self) -> Column {
        let Self { mut column, places, .. } = self;
        let mut strings = vec![Box::default(); places.len()];
        for (string, place) in places {
            if let Some(slot) = strings.get_mut(place as usize) {
                *slot = string;
            }
        }
        column.strings = strings.iter().map(|string| &**string).collect();
        column.shrink_to_fit();
        column
    }
}

#[cfg(test)]
mod tests {
    use model_registry_filter::{Comparator, Value};

    use super::*;

    fn column(values: &[PackedValue<'_>]) -> Column {
        let mut builder = ColumnBuilder::default();
        for (row, value) in (0..).zip(values) {
            builder.add(row, *value);
        }
        builder.finish()
    }

    fn selected(column: &Column, test: &Test) -> Vec<usize> {
        let mut rows = FixedBitSet::with_capacity(10);
        column.select(test, &mut rows);
        rows.ones().collect()
    }

    #[test]
    fn a_test_selects_the_rows_with_a_value_of_its_type() {
        let values = [PackedValue::Int(1), PackedValue::String("1"), PackedValue::Double(1.0), PackedValue::Bool(true)];
        let column = column(&values);
        assert!(column.is_complete() && column.has_options());
        assert_eq!(selected(&column, &Test::Compare(Comparator::Equal, Value::Int(1))), [0]);
        assert_eq!(selected(&column, &Test::Compare(Comparator::Equal, Value::String("1".to_owned()))), [1]);
        assert_eq!(selected(&column, &Test::Present(None)), [0, 1, 2, 3]);
    }

    #[test]
    fn a_long_string_makes_the_column_incomplete() {
        let long = "x".repeat(LONGEST_INLINE + 1);
        for value in [PackedValue::String(&long), PackedValue::StringInDocument(7)] {
            let column = column(&[PackedValue::String("a"), value, PackedValue::String("b")]);
            assert!(!column.is_complete() && column.has_options());
            assert_eq!(column.strings().count() + column.distinct_strings().count(), 0);
        }
    }

    #[test]
    fn too_many_distinct_strings_make_the_column_incomplete() {
        let strings: Vec<String> =
            (0..=MAX_STRING_BYTES / LONGEST_INLINE).map(|number| format!("{number:0>LONGEST_INLINE$}")).collect();
        let values: Vec<_> = strings.iter().map(|string| PackedValue::String(string)).collect();
        assert!(!column(&values).is_complete());
        assert!(column(&[values[0]].repeat(100)).is_complete());
    }
}
