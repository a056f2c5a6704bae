//! Filter options: what filters on the entities of a kind can use, with frequent values and the ranges of numbers.
//!
//! They are read with an effort that does not grow with the registry. All names come from an index that is walked from name to
//! name. Values and their numbers come from a sample of entities (`sample.rs`), which is the whole kind if that is small;
//! names that the sample lacks from their first owners. The ranges of numbers are the ends of their index. So names and ranges
//! are exact, and numbers of entities are estimates where the kind is larger than the sample.

mod merge;
mod sample;
mod statements;
mod tally;

use std::collections::BTreeMap;

use model_registry_api::{EntityTable, Kind, Shape, Storage};
use model_registry_filter::{Property, Target, ValueType};
use serde_json::Value;

use crate::db::Database;
use crate::error::Result;
use crate::filter_names::resolve_filter_name;
use crate::store::Store;
use statements::{MAX_RARE_NAMES, NAMES_AT_ONCE, PropertyRow, RangeRow};
use tally::{PropertyId, Tallies, Tally};

/// What filters on the entities of one or several kinds can use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilterOptions {
    /// The number of entities.
    pub entities: u64,
    /// Whether numbers of entities are exact; otherwise they are estimates.
    pub is_exact: bool,
    /// By the name in filters, in back-quotes where the language of filters needs them.
    pub fields: BTreeMap<String, FieldOptions>,
}

/// What is known of a field or custom property.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldOptions {
    pub value_type: OptionType,
    /// Number of entities with a value; `None` for columns, which nearly all have.
    pub count: Option<u64>,
    /// Frequent values, or all if they are few, the most frequent first, each with its number of entities.
    pub values: Vec<(Value, u64)>,
    /// Least and greatest value.
    pub range: Option<(Value, Value)>,
}

/// The type of a field, as filter options name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionType {
    String,
    Number,
    Boolean,
}

impl OptionType {
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Number => "number",
            Self::Boolean => "boolean",
        }
    }

    const fn of(value_type: ValueType) -> Self {
        match value_type {
            ValueType::String => Self::String,
            ValueType::Int | ValueType::Double => Self::Number,
            ValueType::Bool => Self::Boolean,
        }
    }
}

impl Store {
    /// Reads the filter options of a kind. Points of metric histories have none of their own.
    pub async fn filter_options(&self, kind: Kind) -> Result<FilterOptions> {
        if kind.spec().table == EntityTable::MetricPoint {
            return Ok(FilterOptions::default());
        }
        self.database()?.filter_options(kind).await
    }
}

impl Database {
    async fn filter_options(&self, kind: Kind) -> Result<FilterOptions> {
        let sample = self.sample(kind).await?;
        let mut tallies = Tallies::of(&sample);
        if !sample.is_complete {
            self.add_rare_names(kind, &mut tallies).await?;
            self.set_ranges(kind, &mut tallies).await?;
        }
        let mut fields = columns(kind, &tallies);
        for (id, tally) in tallies.properties() {
            let Some(name) = name_in_filters(kind, id) else { continue };
            let options = FieldOptions {
                value_type: OptionType::of(id.value_type),
                count: Some(tally.count()),
                values: tally.frequent_values(id.value_type),
                range: tally.range.clone(),
            };
            merge::add(&mut fields, name, options);
        }
        Ok(FilterOptions { entities: sample.entities, is_exact: sample.is_complete, fields })
    }

    /// Adds the properties that no entity of the sample has, from their first owners.
    async fn add_rare_names(&self, kind: Kind, tallies: &mut Tallies) -> Result<()> {
        let names: Vec<(Option<String>,)> = self.fetch_all(&statements::names(kind, self.dialect())).await?;
        let mut rare: Vec<String> = names.into_iter().filter_map(|(name,)| name).collect();
        rare.retain(|name| !tallies.has_name(name));
        rare.truncate(MAX_RARE_NAMES);
        for names in rare.chunks(NAMES_AT_ONCE) {
            let rows =
                self.fetch_filtered::<PropertyRow>(&statements::first_owners(kind, names, self.dialect())).await?;
            for row in &rows {
                tallies.add(row, 1.0);
            }
        }
        Ok(())
    }

    /// Sets the ranges of numbers to the ends of the index, which the sample need not contain.
    async fn set_ranges(&self, kind: Kind, tallies: &mut Tallies) -> Result<()> {
        let numbers = tallies.numbers();
        for ids in numbers.chunks(NAMES_AT_ONCE) {
            let statement = statements::ranges(kind, ids, self.dialect());
            for row in self.fetch_filtered::<RangeRow>(&statement).await? {
                let id = usize::try_from(row.number).ok().and_then(|position| ids.get(position));
                if let (Some(id), Some(range)) = (id, row.range()) {
                    tallies.set_range(id, range);
                }
            }
        }
        Ok(())
    }
}

/// The fields in columns of the entity table.
fn columns(kind: Kind, tallies: &Tallies) -> BTreeMap<String, FieldOptions> {
    let plain = |value_type, tally: Option<&Tally>| FieldOptions {
        value_type,
        count: None,
        values: Vec::new(),
        range: tally.and_then(|tally| tally.range.clone()),
    };
    let mut fields = BTreeMap::from([
        ("id".to_owned(), plain(OptionType::Number, None)),
        ("name".to_owned(), plain(OptionType::String, None)),
        ("createTimeSinceEpoch".to_owned(), plain(OptionType::Number, tallies.column("create_time"))),
        ("lastUpdateTimeSinceEpoch".to_owned(), plain(OptionType::Number, tallies.column("update_time"))),
    ]);
    for field in kind.spec().all_fields() {
        let Storage::Column(column) = field.storage else { continue };
        let options = match field.shape {
            // All states, also those that no entity of the sample has.
            Shape::Enumeration(enumeration) => {
                FieldOptions { values: tallies.members(column, enumeration.members), ..plain(OptionType::String, None) }
            }
            Shape::String | Shape::Uri | Shape::StringList => plain(OptionType::String, None),
            Shape::Double | Shape::Integer | Shape::Id | Shape::EpochMillis => {
                plain(OptionType::Number, tallies.column(column))
            }
        };
        fields.insert(field.name.to_owned(), options);
    }
    if let Some(parent) = kind.spec().parent.filter(|parent| parent.field.is_none())
        && let Some(name) = parent.filter_names.first()
    {
        fields.insert((*name).to_owned(), plain(OptionType::Number, None));
    }
    fields
}

/// How filters name a stored property; `None` for a custom property that a field hides.
fn name_in_filters(kind: Kind, id: &PropertyId) -> Option<String> {
    if !id.custom {
        let field =
            kind.spec().all_fields().find(|field| field.storage == Storage::Property && field.stored == id.name);
        return Some(field?.name.to_owned());
    }
    match resolve_filter_name(&[kind], &id.name) {
        Target::Property { built_in_only: false, .. } => {
            Some(Property { name: id.name.clone(), explicit: Some(id.value_type) }.to_string())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
