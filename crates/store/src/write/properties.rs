//! Rows of the property tables.

use model_registry_api::Kind;
use sea_query::{Expr, ExprTrait, Query};

use super::changes::{CHANGE_COLUMNS, Changed, Verb};
use super::{Author, OnConflict};
use crate::bloom_filter;
use crate::db::{Insertion, Transaction, and_insert, insertions_of};
use crate::error::Result;
use crate::property::{Properties, PropertyKey, PropertyValue};
use crate::tables::{NOT_FINITE, WORKSPACE, folded, stored_double};

/// Rows per statement at most: SQLite binds 32,766 values, PostgreSQL 65,535.
const MAX_ROWS: usize = 2_500;

/// A row of `property`, or of the catalog's table of the same form.
pub struct PropertyRow {
    /// The code of the owner's kind.
    pub kind: i16,
    pub owner_id: i64,
    pub key: PropertyKey,
    pub value: PropertyValue,
}

pub const PROPERTY_COLUMNS: [&str; 11] = [
    "workspace_id",
    "kind",
    "owner_id",
    "name",
    "custom",
    "ordinal",
    "string_value",
    "string_folded",
    "int_value",
    "double_value",
    "bool_value",
];

impl PropertyRow {
    /// In the order of [`PROPERTY_COLUMNS`].
    pub fn values(self) -> [Expr; 11] {
        let (name, custom, ordinal) = self.key;
        let (mut string, mut int, mut double, mut bool) = (None, None, None, None);
        match self.value {
            PropertyValue::String(value) => string = Some(value),
            PropertyValue::Int(value) => int = Some(value),
            PropertyValue::Double(value) => double = stored_double(value).0,
            PropertyValue::Bool(value) => bool = Some(value),
            PropertyValue::Erased => {}
        }
        let string_folded = string.as_deref().and_then(folded);
        [
            WORKSPACE.into(),
            self.kind.into(),
            self.owner_id.into(),
            name.into(),
            custom.into(),
            ordinal.into(),
            string.into(),
            string_folded.into(),
            int.into(),
            double.into(),
            bool.into(),
        ]
    }
}

/// A row of the registry's `property`, with what the catalog's does not have: the Bloom filter of its owner, and doubles that
/// are not finite.
pub(crate) struct EntityPropertyRow {
    row: PropertyRow,
    bloom_filter: i64,
}

/// The column of the Bloom filter is called `signature`.
pub(crate) const ENTITY_PROPERTY_COLUMNS: [&str; 13] = {
    let mut columns = ["signature"; 13];
    columns[PROPERTY_COLUMNS.len()] = NOT_FINITE;
    let (first, _) = columns.split_at_mut(PROPERTY_COLUMNS.len());
    first.copy_from_slice(&PROPERTY_COLUMNS);
    columns
};

impl EntityPropertyRow {
    /// In the order of [`ENTITY_PROPERTY_COLUMNS`].
    pub(crate) fn values(self) -> Vec<Expr> {
        let not_finite = match &self.row.value {
            PropertyValue::Double(value) => stored_double(*value).1,
            _ => None,
        };
        let mut values = Vec::with_capacity(ENTITY_PROPERTY_COLUMNS.len());
        values.extend(self.row.values());
        values.push(not_finite.into());
        values.push(self.bloom_filter.into());
        values
    }
}

/// The rows of an entity that has exactly these properties.
pub(crate) fn property_rows(kind: Kind, owner_id: i64, properties: Properties) -> Vec<EntityPropertyRow> {
    let bloom_filter = bloom_filter::of_properties(&properties);
    rows_with_filter(kind, owner_id, properties, bloom_filter)
}

pub(super) fn rows_with_filter(
    kind: Kind,
    owner_id: i64,
    properties: impl IntoIterator<Item = (PropertyKey, PropertyValue)>,
    bloom_filter: i64,
) -> Vec<EntityPropertyRow> {
    let row = |(key, value)| PropertyRow { kind: kind.code(), owner_id, key, value };
    properties.into_iter().map(|property| EntityPropertyRow { row: row(property), bloom_filter }).collect()
}

impl Transaction {
    pub(super) async fn delete_properties(&mut self, kind: Kind, owner_id: i64, removed: &[PropertyKey]) -> Result<()> {
        if removed.is_empty() {
            return Ok(());
        }
        let mut delete = Query::delete();
        let keys = removed.iter().fold(sea_query::Cond::any(), |any, (name, custom, ordinal)| {
            any.add(
                Expr::col("name")
                    .eq(name.as_str())
                    .and(Expr::col("custom").eq(*custom))
                    .and(Expr::col("ordinal").eq(*ordinal)),
            )
        });
        delete
            .from_table("property")
            .and_where(Expr::col("kind").eq(kind.code()))
            .and_where(Expr::col("owner_id").eq(owner_id))
            .cond_where(keys);
        self.execute(&delete).await?;
        Ok(())
    }

    /// Writes properties and logs the changes: two statements, on PostgreSQL one, and more for thousands of properties.
    pub(super) async fn write_properties_and_changes(
        &mut self,
        properties: Vec<EntityPropertyRow>,
        on_conflict: OnConflict,
        changed: &[Changed],
        verb: Verb,
        author: &Author,
    ) -> Result<()> {
        let dialect = self.dialect();
        let rows = properties.into_iter().map(EntityPropertyRow::values);
        let mut insertions = insertions_of(MAX_ROWS, dialect, "property", &ENTITY_PROPERTY_COLUMNS, rows);
        if on_conflict == OnConflict::Replace {
            let replacing = |insertion: Insertion| {
                insertion.replacing(
                    dialect,
                    &["kind", "owner_id", "name", "custom", "ordinal"],
                    &[
                        "string_value",
                        "string_folded",
                        "int_value",
                        "double_value",
                        "bool_value",
                        NOT_FINITE,
                        "signature",
                    ],
                )
            };
            insertions = insertions.into_iter().map(replacing).collect();
        }
        let changes = changed.iter().map(|changed| changed.row(verb, author.actor.as_deref(), author.time));
        let last = insertions.pop();
        insertions.extend(and_insert(last, dialect, "change_log", &CHANGE_COLUMNS, changes));
        for insertion in insertions {
            self.run_insertion(insertion).await?;
        }
        Ok(())
    }
}
