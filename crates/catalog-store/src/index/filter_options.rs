//! The filter options, from the index.

use model_registry_store::Result;

use super::Index;
use super::column::Column;
use super::table::Table;
use crate::filter_names::artifact_kind;
use crate::filter_options::{MAX_VALUES, Range, wider};
use crate::{CatalogKind, CatalogStore, Options, PropertyOptions};

impl CatalogStore {
    /// `None` without an index for the current generation.
    pub(crate) async fn indexed_options(&self, kinds: &[CatalogKind]) -> Result<Option<Options>> {
        let Some(index) = self.index.current() else { return Ok(None) };
        let Some(table) = index.table(kinds) else { return Ok(None) };
        let is_current = self.generation().await? == index.generation;
        Ok(is_current.then(|| table.options()))
    }
}

impl Index {
    /// The table with the rows of exactly these kinds.
    fn table(&self, kinds: &[CatalogKind]) -> Option<&Table> {
        self.items.iter().find_map(|(kind, items)| {
            if [*kind] == *kinds {
                Some(&items.table)
            } else if artifact_kind(*kind).is_some() && kind.spec().children == kinds {
                Some(&items.artifacts)
            } else {
                None
            }
        })
    }
}

impl Table {
    fn options(&self) -> Options {
        let mut options = Options::new();
        for (name, columns) in &self.properties {
            for (column, custom) in columns.iter().zip([false, true]) {
                if column.has_options() {
                    options.insert((name.clone(), custom), column.options());
                }
            }
        }
        options
    }
}

impl Column {
    fn options(&self) -> PropertyOptions {
        // One string more than is offered shows that there are too many; the empty string is not offered.
        let strings = self.distinct_strings().take(MAX_VALUES + 2).map(str::to_owned).collect();
        let integers = self.ints().fold(None, |range, (_, value)| wider(range, Some(one(value)), Ord::min, Ord::max));
        let doubles = self.doubles().fold(None, |range, (_, value)| wider(range, Some(one(value)), f64::min, f64::max));
        PropertyOptions { strings, integers, doubles }
    }
}

/// The range of one value.
fn one<T: Copy>(value: T) -> Range<T> {
    (Some(value), Some(value))
}
