//! One filterable property of many rows: which row has which value.

use std::collections::HashMap;

use model_registry_filter::{StoredValue, Test};
use model_registry_store::sql::PropertyValue;

use super::rows::Rows;
use super::texts::Texts;

/// Longer texts are not held: they are cards and licences, and nobody compares them.
const LONGEST_TEXT: usize = 1_000;
/// Nor are more bytes of different texts of one property.
const MOST_TEXT: usize = 16 << 20;

/// The values of one property. A row may have several of them.
#[derive(Debug, Default)]
pub(super) struct Column {
    /// Each text once.
    texts: Texts,
    /// Row and place in `texts`.
    text_rows: Vec<(u32, u32)>,
    ints: Vec<(u32, i64)>,
    doubles: Vec<(u32, f64)>,
    bools: Vec<(u32, bool)>,
    /// Some texts are missing, so nothing can be said.
    is_incomplete: bool,
}

impl Column {
    /// Whether everything that rows have is here.
    pub(super) fn is_complete(&self) -> bool {
        !self.is_incomplete
    }

    /// Adds the rows that have a value which passes.
    pub(super) fn select(&self, test: &Test, rows: &mut Rows) {
        let passing: Vec<bool> = self.texts.iter().map(|text| test.passes(StoredValue::String(text))).collect();
        let texts = self.text_rows.iter().filter(|(_, text)| passing.get(*text as usize) == Some(&true));
        let ints = self.ints.iter().filter(|(_, value)| test.passes(StoredValue::Int(*value)));
        let doubles = self.doubles.iter().filter(|(_, value)| test.passes(StoredValue::Double(*value)));
        let bools = self.bools.iter().filter(|(_, value)| test.passes(StoredValue::Bool(*value)));
        texts.for_each(|(row, _)| rows.add(*row));
        ints.for_each(|(row, _)| rows.add(*row));
        doubles.for_each(|(row, _)| rows.add(*row));
        bools.for_each(|(row, _)| rows.add(*row));
    }

    /// Whether there are values to choose from; of truth values there are always the same two.
    pub(super) fn has_options(&self) -> bool {
        self.is_incomplete || !(self.text_rows.is_empty() && self.ints.is_empty() && self.doubles.is_empty())
    }

    /// Each text once; none where they are not held.
    pub(super) fn distinct_texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter()
    }

    pub(super) fn texts(&self) -> impl Iterator<Item = (u32, &str)> {
        self.text_rows.iter().map(|(row, place)| (*row, self.texts.get(*place)))
    }

    pub(super) fn ints(&self) -> impl Iterator<Item = (u32, i64)> {
        self.ints.iter().copied()
    }

    pub(super) fn doubles(&self) -> impl Iterator<Item = (u32, f64)> {
        self.doubles.iter().copied()
    }

    fn shrink(&mut self) {
        self.text_rows.shrink_to_fit();
        self.ints.shrink_to_fit();
        self.doubles.shrink_to_fit();
        self.bools.shrink_to_fit();
    }
}

/// A column that grows.
#[derive(Debug, Default)]
pub(super) struct ColumnBuilder {
    column: Column,
    places: HashMap<Box<str>, u32>,
    bytes: usize,
}

impl ColumnBuilder {
    pub(super) fn add(&mut self, row: u32, value: PropertyValue) {
        match value {
            PropertyValue::String(text) => self.add_text(row, &text),
            PropertyValue::Int(value) => self.column.ints.push((row, value)),
            PropertyValue::Double(value) => self.column.doubles.push((row, value)),
            PropertyValue::Bool(value) => self.column.bools.push((row, value)),
            PropertyValue::Erased => {}
        }
    }

    pub(super) fn add_text(&mut self, row: u32, text: &str) {
        if self.column.is_incomplete {
            return;
        }
        if let Some(place) = self.places.get(text) {
            self.column.text_rows.push((row, *place));
            return;
        }
        self.bytes += text.len();
        let place = u32::try_from(self.places.len()).ok();
        let (Some(place), true) = (place, text.len() <= LONGEST_TEXT && self.bytes <= MOST_TEXT) else {
            self.column.is_incomplete = true;
            self.column.text_rows = Vec::new();
            self.places = HashMap::new();
            return;
        };
        self.places.insert(text.into(), place);
        self.column.text_rows.push((row, place));
    }

    pub(super) fn finish(self) -> Column {
        let Self { mut column, places, .. } = self;
        let mut texts = vec![Box::default(); places.len()];
        for (text, place) in places {
            if let Some(held) = texts.get_mut(place as usize) {
                *held = text;
            }
        }
        column.texts = texts.iter().map(|text| &**text).collect();
        column.shrink();
        column
    }
}
