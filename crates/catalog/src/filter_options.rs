//! The filter options of each asset type: the fields that filters can use, with their values or range.
//!
//! Computing them takes seconds for a hundred thousand models. A running catalog does so after each load, its own or that of
//! another replica; until then, the options of the previous generation are returned.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model_registry_api::catalog::{AssetType, Hidden};
use model_registry_catalog_store::{CatalogStore, Options, PropertyOptions};
use model_registry_store::StoreError;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

/// Suffix of a custom property that holds a list of strings as JSON text.
const LIST_SUFFIX: &str = ".array_value";
/// Prefix of the properties of an item's children.
const CHILDREN_PREFIX: &str = "artifacts.";

/// Filter options by the name of the field in filters.
pub(crate) type FilterOptions = Arc<Map<String, Value>>;

/// The filter options of each asset type, with the generation of the catalog that they belong to.
#[derive(Debug, Default)]
pub(crate) struct FilterOptionsCache {
    computed: Mutex<HashMap<AssetType, (i64, FilterOptions)>>,
    /// Held while options are computed; a second request waits and uses the result.
    computing: tokio::sync::Mutex<()>,
}

impl FilterOptionsCache {
    /// The options of the current generation. While those are computed, the options of the previous one, if there are any.
    pub(crate) async fn get(
        self: &Arc<Self>,
        store: &CatalogStore,
        asset_type: AssetType,
    ) -> Result<FilterOptions, StoreError> {
        let generation = store.generation().await?;
        match self.find(asset_type) {
            Some((known, options)) if known == generation => Ok(options),
            Some((_, previous)) => {
                let (cache, store) = (Arc::clone(self), store.clone());
                tokio::spawn(async move {
                    // If the lock is taken, they are already being computed.
                    if let Ok(_computing) = cache.computing.try_lock()
                        && let Err(error) = cache.index_and_compute(&store, asset_type).await
                    {
                        warn(&error);
                    }
                });
                Ok(previous)
            }
            None => {
                let _computing = self.computing.lock().await;
                self.index_and_compute(store, asset_type).await
            }
        }
    }

    /// Builds the index and the options of all asset types for the current generation. Errors are logged.
    pub(crate) async fn refresh(&self, store: &CatalogStore) {
        let _computing = self.computing.lock().await;
        let refreshed = async {
            let generation = build_index(store).await?;
            for asset_type in AssetType::ALL {
                self.compute(store, asset_type, generation).await?;
            }
            Ok::<_, StoreError>(())
        };
        if let Err(error) = refreshed.await {
            warn(&error);
        }
    }

    fn find(&self, asset_type: AssetType) -> Option<(i64, FilterOptions)> {
        self.computed.lock().unwrap_or_else(PoisonError::into_inner).get(&asset_type).cloned()
    }

    async fn index_and_compute(
        &self,
        store: &CatalogStore,
        asset_type: AssetType,
    ) -> Result<FilterOptions, StoreError> {
        let generation = build_index(store).await?;
        self.compute(store, asset_type, generation).await
    }

    /// `generation` was read before the options: after a load in between, they count as outdated.
    async fn compute(
        &self,
        store: &CatalogStore,
        asset_type: AssetType,
        generation: i64,
    ) -> Result<FilterOptions, StoreError> {
        if let Some((known, options)) = self.find(asset_type)
            && known == generation
        {
            return Ok(options);
        }
        let item = asset_type.spec().item.spec();
        let mut filters = Map::new();
        let hidden: Vec<(&str, Hidden)> = item.hidden().collect();
        add(&mut filters, "", &store.options(&[item.kind]).await?, &hidden);
        if item.filters_children {
            let hidden: Vec<(&str, Hidden)> = item.children.iter().flat_map(|child| child.spec().hidden()).collect();
            add(&mut filters, CHILDREN_PREFIX, &store.options(item.children).await?, &hidden);
        }
        let filters = Arc::new(filters);
        let mut computed = self.computed.lock().unwrap_or_else(PoisonError::into_inner);
        computed.insert(asset_type, (generation, Arc::clone(&filters)));
        Ok(filters)
    }
}

/// The value of `min` or `max` in a named query: an end of the field's range.
pub(crate) fn bound(options: &Map<String, Value>, field: &str, value: &Value) -> Option<Value> {
    match value.as_str() {
        Some(end @ ("min" | "max")) => options.get(field)?.get("range")?.get(end).cloned(),
        _ => None,
    }
}

fn warn(error: &StoreError) {
    tracing::warn!(
        error = error as &dyn std::error::Error,
        "filter options not computed; those of the previous load are returned"
    );
}

/// Builds the index, which contains the options; without it they are read from the database. Returns the generation.
async fn build_index(store: &CatalogStore) -> Result<i64, StoreError> {
    match store.refresh_index().await {
        Ok(generation) => Ok(generation),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "catalog index not built; lists are read from the database alone"
            );
            store.generation().await
        }
    }
}

fn add(filters: &mut Map<String, Value>, prefix: &str, options: &Options, hidden: &[(&str, Hidden)]) {
    for ((name, custom), option) in options {
        let is_hidden = |(known, what): &(&str, Hidden)| known == name && !(*custom && *what == Hidden::Field);
        if hidden.iter().any(is_hidden) {
            continue;
        }
        // A string that holds a JSON list has options for its elements only.
        let is_list = *custom && options.contains_key(&(format!("{name}{LIST_SUFFIX}"), true));
        let key = |suffix: &str| match custom {
            true if name.ends_with(LIST_SUFFIX) => format!("{prefix}{name}"),
            true => format!("{prefix}{name}.{suffix}"),
            false => format!("{prefix}{name}"),
        };
        // The same for an empty list, and for a list of other values.
        let values: Vec<&String> = option.strings.iter().filter(|value| !(*custom && is_json_list(value))).collect();
        if !values.is_empty() && !is_list {
            filters.insert(key("string_value"), json!({"type": "string", "values": values}));
        }
        let PropertyOptions { integers, doubles, .. } = option;
        if let Some((min, max)) = integers {
            filters.insert(key("int_value"), json!({"type": "number", "range": {"min": min, "max": max}}));
        }
        if let Some((min, max)) = doubles {
            filters.insert(key("double_value"), json!({"type": "number", "range": {"min": min, "max": max}}));
        }
    }
}

fn is_json_list(value: &str) -> bool {
    value.starts_with('[') && serde_json::from_str::<Vec<IgnoredAny>>(value).is_ok()
}

#[cfg(test)]
mod tests {
    use model_registry_base::Clock;
    use model_registry_store::{DatabaseUrl, PoolOptions, Store};
    use model_registry_testkit::{Backend, TestDatabase, on_each_database};

    use super::*;
    use crate::{Catalog, Settings};

    const SOURCES: &str = "model_catalogs: [{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}]";

    on_each_database!(an_unchanged_catalog_costs_one_statement);

    // A replica refreshes every few seconds.
    async fn an_unchanged_catalog_costs_one_statement(backend: Backend) {
        let files = tempfile::tempdir().unwrap();
        let sources = files.path().join("sources.yaml");
        std::fs::write(&sources, SOURCES).unwrap();
        let write = |text: &str| std::fs::write(files.path().join("a.yaml"), text).unwrap();
        write("models: [{name: a, provider: p}]");
        let database = TestDatabase::create(backend).await.unwrap();
        let url: DatabaseUrl = database.url().parse().unwrap();
        let store = Store::connect(&url, PoolOptions::default(), Clock::system()).await.unwrap();
        let catalog = Catalog::new(store.clone(), Settings { sources: vec![sources], ..Settings::default() });
        let cache = FilterOptionsCache::default();
        let statements = async || {
            let database = store.database().unwrap();
            let before = database.statements();
            cache.refresh(catalog.store()).await;
            database.statements() - before
        };
        catalog.load().await.unwrap();
        assert!(statements().await > 1);
        assert_eq!(statements().await, 1, "computed before");
        catalog.load().await.unwrap();
        assert_eq!(statements().await, 1, "loaded again without a change");
        write("models: [{name: a, provider: q}]");
        catalog.load().await.unwrap();
        assert!(statements().await > 1, "changed");
    }
}
