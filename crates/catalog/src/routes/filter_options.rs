//! `…/filter_options`: what can be filtered by, kept until the next load changes something.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use model_registry_catalog_store::{CatalogKind, Options, PropertyOptions};
use model_registry_server::{ApiError, response};
use model_registry_store::StoreError;
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::store_error;
use crate::Catalog;
use model_registry_catalog_sources::AssetType;

const LIST_ENDING: &str = ".array_value";

/// The options of each catalog with the generation they belong to.
///
/// Making them takes seconds where there are a hundred thousand models. So a running catalog makes them after each load, its
/// own or that of another replica, and answers with those of the generation before until then.
#[derive(Debug, Default)]
pub(crate) struct OptionsCache {
    made: Mutex<HashMap<AssetType, (i64, Filters)>>,
    /// One at a time: whoever comes second finds what the first one made.
    making: tokio::sync::Mutex<()>,
}

impl OptionsCache {
    fn find(&self, asset: AssetType) -> Option<(i64, Filters)> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&asset).cloned()
    }
}

type Filters = Arc<Map<String, Value>>;

pub(super) async fn of_models(State(catalog): State<Catalog>) -> Result<Response, ApiError> {
    answer(&catalog, AssetType::Models).await
}

pub(super) async fn of_servers(State(catalog): State<Catalog>) -> Result<Response, ApiError> {
    answer(&catalog, AssetType::McpServers).await
}

async fn answer(catalog: &Catalog, asset: AssetType) -> Result<Response, ApiError> {
    let filters = options(catalog, asset).await?;
    let configuration = catalog.configuration();
    let queries: Map<String, Value> = configuration
        .named_queries(asset)
        .map(|(name, query)| (name.clone(), query.to_wire(|field, value| bound(&filters, field, value))))
        .collect();
    let mut body = json!({"filters": *filters});
    if !queries.is_empty() {
        body["namedQueries"] = queries.into();
    }
    Ok(response::json(StatusCode::OK, body.to_string()))
}

/// What the words `min` and `max` stand for in a named query.
pub(super) fn bound(filters: &Map<String, Value>, field: &str, value: &Value) -> Option<Value> {
    match value.as_str() {
        Some(word @ ("min" | "max")) => filters.get(field)?.get("range")?.get(word).cloned(),
        _ => None,
    }
}

pub(super) async fn options(catalog: &Catalog, asset: AssetType) -> Result<Filters, ApiError> {
    let generation = catalog.store.generation().await.map_err(store_error)?;
    match catalog.options.find(asset) {
        Some((of, options)) if of == generation => Ok(options),
        Some((_, before)) => {
            let catalog = catalog.clone();
            tokio::spawn(async move {
                // Somebody else is at it already otherwise.
                if let Ok(_making) = catalog.options.making.try_lock()
                    && let Err(error) = index_and_make(&catalog, asset).await
                {
                    tracing::warn!(error = &error as &dyn std::error::Error, "{NOT_MADE}");
                }
            });
            Ok(before)
        }
        None => {
            let _making = catalog.options.making.lock().await;
            index_and_make(catalog, asset).await.map_err(store_error)
        }
    }
}

/// Makes the index and the options of both catalogs for what has been loaded; what cannot be made is told.
pub(crate) async fn prepare(catalog: &Catalog) {
    let _making = catalog.options.making.lock().await;
    let made = async {
        let generation = index(catalog).await?;
        for asset in [AssetType::Models, AssetType::McpServers] {
            make(catalog, asset, generation).await?;
        }
        Ok::<_, StoreError>(())
    };
    if let Err(error) = made.await {
        tracing::warn!(error = &error as &dyn std::error::Error, "{NOT_MADE}");
    }
}

const NOT_MADE: &str = "filter options not made: those of the load before are offered";

async fn index_and_make(catalog: &Catalog, asset: AssetType) -> Result<Filters, StoreError> {
    let generation = index(catalog).await?;
    make(catalog, asset, generation).await
}

/// Makes the index, which has the options at hand; without it they are read from the database. Tells the generation.
async fn index(catalog: &Catalog) -> Result<i64, StoreError> {
    match catalog.store.refresh_index().await {
        Ok(generation) => Ok(generation),
        Err(error) => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "catalog not indexed: the database answers lists alone"
            );
            catalog.store.generation().await
        }
    }
}

/// The generation was read before: a load in between makes the number old, and these options with it.
async fn make(catalog: &Catalog, asset: AssetType, generation: i64) -> Result<Filters, StoreError> {
    if let Some((of, options)) = catalog.options.find(asset)
        && of == generation
    {
        return Ok(options);
    }
    let mut filters = Map::new();
    match asset {
        AssetType::Models => {
            let hidden = ["source_id", "logo", "license_link"];
            let models = catalog.store.options(&[CatalogKind::Model]).await?;
            add(&mut filters, "", &models, &hidden);
            let artifacts = catalog.store.options(&CatalogKind::ARTIFACTS).await?;
            add(&mut filters, "artifacts.", &artifacts, &["metricsType", "artifactType", "description", "model_id"]);
        }
        AssetType::McpServers => {
            let hidden = [
                "artifacts",
                "documentationUrl",
                "endpoints",
                "logo",
                "repositoryUrl",
                "runtimeMetadata",
                "sourceCode",
                "source_id",
                "toolCount",
                "version",
            ];
            let servers = catalog.store.options(&[CatalogKind::McpServer]).await?;
            add(&mut filters, "", &servers, &hidden);
        }
    }
    let filters = Arc::new(filters);
    let mut made = catalog.options.made.lock().unwrap_or_else(PoisonError::into_inner);
    made.insert(asset, (generation, Arc::clone(&filters)));
    Ok(filters)
}

fn add(filters: &mut Map<String, Value>, prefix: &str, options: &Options, hidden: &[&str]) {
    for ((name, custom), option) in options {
        if hidden.contains(&name.as_str()) {
            continue;
        }
        // A text that spells a list is offered by its elements only.
        let is_list_text = *custom && options.contains_key(&(format!("{name}{LIST_ENDING}"), true));
        let key = |ending: &str| match custom {
            true if name.ends_with(LIST_ENDING) => format!("{prefix}{name}"),
            true => format!("{prefix}{name}.{ending}"),
            false => format!("{prefix}{name}"),
        };
        // Nor is one that spells an empty list, or a list of anything else.
        let values: Vec<&String> = option.strings.iter().filter(|text| !(*custom && spells_list(text))).collect();
        if !values.is_empty() && !is_list_text {
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

fn spells_list(text: &str) -> bool {
    text.starts_with('[') && serde_json::from_str::<Vec<IgnoredAny>>(text).is_ok()
}

#[cfg(test)]
mod tests {
    use model_registry_base::Clock;
    use model_registry_store::{DatabaseUrl, PoolOptions, Store};
    use model_registry_testkit::{TestDatabase, backends};

    use super::*;
    use crate::Settings;

    const SOURCES: &str = "model_catalogs: [{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}]";

    // A replica looks every few seconds.
    #[tokio::test]
    async fn as_long_as_nothing_has_changed_one_statement_says_so() {
        for backend in backends() {
            let files = tempfile::tempdir().unwrap();
            let sources = files.path().join("sources.yaml");
            std::fs::write(&sources, SOURCES).unwrap();
            let write = |text: &str| std::fs::write(files.path().join("a.yaml"), text).unwrap();
            write("models: [{name: a, provider: p}]");
            let database = TestDatabase::create(backend).await.unwrap();
            let source: DatabaseUrl = database.url().parse().unwrap();
            let store = Store::connect(&source, PoolOptions::default(), Clock::system()).await.unwrap();
            let catalog = Catalog::new(store.clone(), Settings { sources: vec![sources], ..Settings::default() });
            let statements = async || {
                let database = store.database().unwrap();
                let before = database.statements();
                prepare(&catalog).await;
                database.statements() - before
            };
            catalog.load().await.unwrap();
            assert!(statements().await > 1, "{backend}");
            assert_eq!(statements().await, 1, "{backend}: prepared");
            catalog.load().await.unwrap();
            assert_eq!(statements().await, 1, "{backend}: loaded again, and nothing is new");
            write("models: [{name: a, provider: q}]");
            catalog.load().await.unwrap();
            assert!(statements().await > 1, "{backend}: changed");
        }
    }
}
