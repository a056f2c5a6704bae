//! What can be filtered by, from the index.

use model_registry_store::Result;

use super::Table;
use super::column::Column;
use crate::options::{MOST_VALUES, Range, wider};
use crate::{CatalogKind, CatalogStore, Options, PropertyOptions};

impl CatalogStore {
    /// `None` where there is no index for what the database has now.
    pub(crate) async fn indexed_options(&self, kinds: &[CatalogKind]) -> Result<Option<Options>> {
        let Some(index) = self.index.current() else { return Ok(None) };
        let table = match kinds {
            [CatalogKind::Model] => &index.models.table,
            [CatalogKind::McpServer] => &index.servers.table,
            kinds if *kinds == CatalogKind::ARTIFACTS => &index.artifacts,
            _ => return Ok(None),
        };
        let is_current = self.generation().await? == index.generation;
        Ok(is_current.then(|| table.options()))
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
    /// One text more than is offered says that there are too many.
    fn options(&self) -> PropertyOptions {
        let texts = self.distinct_texts().take(MOST_VALUES + 2).map(str::to_owned).collect();
        let integers = self.ints().fold(None, |range, (_, value)| wider(range, Some(one(value)), Ord::min, Ord::max));
        let doubles = self.doubles().fold(None, |range, (_, value)| wider(range, Some(one(value)), f64::min, f64::max));
        PropertyOptions { texts, integers, doubles }
    }
}

/// The range of one value.
fn one<T: Copy>(value: T) -> Range<T> {
    (Some(value), Some(value))
}
