//! Rows of one table of the catalog, column by column, and the sets of rows that conditions select.

use std::collections::HashMap;

use fixedbitset::FixedBitSet;
use model_registry_base::Cancellation;
use model_registry_filter::{Condition, Subject, Test};

use super::column::Column;

/// Rows in the order of their ids, with the values that filters compare. A row is known by its place in that order.
#[derive(Default)]
pub(super) struct Table {
    pub(super) ids: Vec<i64>,
    /// For artifacts: the row of the item that each belongs to.
    pub(super) parents: Vec<u32>,
    pub(super) columns: HashMap<&'static str, Column>,
    /// By name: the values of the field, and those of the custom property.
    pub(super) properties: HashMap<String, [Column; 2]>,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn id(&self, row: u32) -> i64 {
        self.ids.get(row as usize).copied().unwrap_or_default()
    }

    pub(super) fn row(&self, id: i64) -> Option<u32> {
        self.ids.binary_search(&id).ok().and_then(|row| u32::try_from(row).ok())
    }

    pub(super) fn all_rows(&self) -> FixedBitSet {
        let mut rows = self.no_rows();
        rows.insert_range(..);
        rows
    }

    fn no_rows(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.len())
    }

    /// The rows that satisfy all conditions; `None` where one of them needs a value that is not held. `artifacts` are those
    /// of these rows.
    pub(super) fn select_all(
        &self,
        conditions: &[Condition],
        artifacts: Option<&Self>,
        work: &Cancellation,
    ) -> Option<FixedBitSet> {
        let mut rows = self.all_rows();
        for condition in conditions {
            rows.intersect_with(&self.select(condition, artifacts, work)?);
        }
        Some(rows)
    }

    fn select(&self, condition: &Condition, artifacts: Option<&Self>, work: &Cancellation) -> Option<FixedBitSet> {
        Some(match condition {
            Condition::Any(members) => {
                let mut rows = self.no_rows();
                for member in members {
                    rows.union_with(&self.select(member, artifacts, work)?);
                }
                rows
            }
            Condition::All(members) => self.select_all(members, artifacts, work)?,
            Condition::Not(inner) => {
                let mut rows = self.select(inner, artifacts, work)?;
                rows.toggle_range(..);
                rows
            }
            Condition::Holds { subject: Subject::Column { name, .. }, test } => {
                // A column has values of one type.
                let any = Test::Present(None);
                let test = if matches!(test, Test::Present(_)) { &any } else { test };
                self.passing(self.column(name), test, work)?
            }
            Condition::Holds { subject: Subject::Property { name, built_in_only }, test } => {
                self.passing(self.property(name, *built_in_only), test, work)?
            }
            Condition::Related(inner) => {
                let mut rows = self.no_rows();
                if let Some(artifacts) = artifacts {
                    for artifact in artifacts.select(inner, None, work)?.ones() {
                        rows.insert(*artifacts.parents.get(artifact)? as usize);
                    }
                }
                rows
            }
        })
    }

    /// The rows with a value in one of the columns that passes the test; `None` where a column is incomplete, and if the work
    /// was cancelled.
    pub(super) fn passing(&self, columns: &[Column], test: &Test, work: &Cancellation) -> Option<FixedBitSet> {
        let mut rows = self.no_rows();
        for column in columns {
            work.check().ok()?;
            column.is_complete().then(|| column.select(test, &mut rows))?;
        }
        Some(rows)
    }

    /// The values of a column of the database; nothing where no row has one.
    pub(super) fn column(&self, name: &str) -> &[Column] {
        self.columns.get(name).map(std::slice::from_ref).unwrap_or_default()
    }

    /// The values of a property: of the field and, unless excluded, of the custom property.
    pub(super) fn property(&self, name: &str, built_in_only: bool) -> &[Column] {
        let columns: &[Column] = self.properties.get(name).map_or(&[], |columns| columns);
        if built_in_only { columns.get(..1).unwrap_or_default() } else { columns }
    }
}
