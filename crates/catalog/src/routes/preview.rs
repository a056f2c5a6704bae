//! `/sources/preview`: what a source would publish, before anybody configures it.
//!
//! Only what the client sends is read, and lists of models of the hubs that sources may read from: never a file, never an
//! environment variable of the server.

use std::path::Path;

use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::response::Response;
use model_registry_api::catalog::{AssetType, SourceType};
use model_registry_base::run_blocking;
use model_registry_catalog_sources::{PreviewConfig, hub, item_names};
use model_registry_server::{ApiError, Query};
use serde_json::{Value, json};

use super::in_memory_page::{self, Item};
use super::parameters;
use crate::Catalog;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Status {
    All,
    Included,
    Excluded,
}

pub(super) async fn preview(
    State(catalog): State<Catalog>,
    query: Query,
    parts: Result<Multipart, MultipartRejection>,
) -> Result<Response, ApiError> {
    let page_size = parameters::page_size(&query)?;
    let status = match query.get("filterStatus").map(str::to_lowercase).as_deref() {
        None | Some("all") => Status::All,
        Some("included") => Status::Included,
        Some("excluded") => Status::Excluded,
        Some(_) => {
            return Err(ApiError::Invalid("invalid filterStatus: must be 'all', 'included', or 'excluded'".to_owned()));
        }
    };
    let parts = parts.map_err(|rejection| ApiError::Invalid(rejection.body_text()))?;
    let Uploaded { config, data } = read(parts).await?;
    let config = config.ok_or_else(|| {
        ApiError::Invalid("required file field 'config' is missing from the multipart form".to_owned())
    })?;
    let config = PreviewConfig::read(&config).map_err(|error| ApiError::UnprocessableEntity(error.to_string()))?;
    let asset_type = config.asset_type;
    let decided = decide(&catalog, config, data).await?;
    let summary = summary(asset_type, &decided);
    let shown = decided.into_iter().enumerate().filter(|(_, (_, included))| match status {
        Status::All => true,
        Status::Included => *included,
        Status::Excluded => !included,
    });
    let items = shown.map(|(index, (name, included))| Item {
        // Names may repeat, so the place is the key; the name tells when the data has changed meanwhile.
        key: format!("{index} {name}"),
        json: json!({"included": included, "name": name}).to_string(),
    });
    let list = format!("preview {asset_type:?} {status:?}");
    let page = in_memory_page::page(items.collect(), &list, page_size, query.get("nextPageToken"))?;
    Ok(page.with(&format!(r#","assetType":"{}","summary":{summary}"#, asset_type.as_str())))
}

/// The counts over all pages. parity: those of models have names of their own.
fn summary(asset_type: AssetType, decided: &[(String, bool)]) -> Value {
    let included = decided.iter().filter(|(_, included)| *included).count();
    let excluded = decided.len() - included;
    if asset_type == AssetType::default() {
        return json!({"totalModels": decided.len(), "includedModels": included, "excludedModels": excluded});
    }
    json!({"totalAssets": decided.len(), "includedAssets": included, "excludedAssets": excluded})
}

#[derive(Default)]
struct Uploaded {
    config: Option<String>,
    data: Option<String>,
}

async fn read(mut parts: Multipart) -> Result<Uploaded, ApiError> {
    let broken = |error: MultipartError| match error.status() {
        http::StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::PayloadTooLarge { limit: model_registry_server::body::DEFAULT_LIMIT }
        }
        _ => ApiError::Invalid(format!("the multipart form cannot be read: {}", error.body_text())),
    };
    let mut uploaded = Uploaded::default();
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name != "config" && name != "catalogData" {
            continue;
        }
        let bytes = part.bytes().await.map_err(broken)?;
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|_| ApiError::Invalid(format!("the part `{name}` is not UTF-8 text")))?;
        // A backslash is an ordinary character of most YAML; the parser rejects null characters that are escaped.
        if text.contains('\0') {
            return Err(ApiError::Invalid("Request body contains null bytes which are not allowed".to_owned()));
        }
        match name.as_str() {
            // The first of several counts.
            "config" => _ = uploaded.config.get_or_insert(text),
            _ => _ = uploaded.data.get_or_insert(text),
        }
    }
    uploaded.data = uploaded.data.filter(|text| !text.is_empty());
    Ok(uploaded)
}

/// The names that the source has, each with whether it would be published.
async fn decide(
    catalog: &Catalog,
    config: PreviewConfig,
    data: Option<String>,
) -> Result<Vec<(String, bool)>, ApiError> {
    let spec = config.asset_type.spec();
    let label = spec.label_plural;
    let unloadable = |reason: String| ApiError::UnprocessableEntity(format!("failed to load {label}: {reason}"));
    let source_type = match config.source_type.as_str() {
        // parity: the Kubeflow Model Registry accepts this name in previews.
        "huggingface" => SourceType::Hub.as_str(),
        name => name,
    };
    match spec.sources.source_type(source_type) {
        Some(SourceType::Yaml) => {
            let data = data.ok_or_else(|| {
                unloadable(
                    "send the data file as part `catalogData`; files of the server are not read for a preview"
                        .to_owned(),
                )
            })?;
            let asset_type = config.asset_type;
            let names = run_blocking(move || item_names(asset_type, Path::new("catalogData"), &data))
                .await
                .map_err(|problem| unloadable(format!("failed to parse catalog file: {problem}")))?;
            Ok(names.into_iter().map(|name| (name.clone(), config.filter.allows(&name))).collect())
        }
        Some(SourceType::Hub) => from_hub(catalog, config).await.map_err(unloadable),
        Some(SourceType::Git) => {
            // The semaphore is never closed.
            let _permit = catalog.hub_previews.acquire().await.map_err(|error| unloadable(error.to_string()))?;
            let access = catalog.settings().hubs.clone();
            run_blocking(move || config.read_repositories(&access)).await.map_err(unloadable)
        }
        Some(SourceType::Directory) => Err(unloadable(
            "files of the server are not read for a preview: use `model-registry catalog check`".to_owned(),
        )),
        _ => Err(unloadable(format!("unsupported source type: {}", config.source_type))),
    }
}

async fn from_hub(catalog: &Catalog, config: PreviewConfig) -> Result<Vec<(String, bool)>, String> {
    let PreviewConfig { included, excluded, hub: properties, .. } = config;
    if included.is_empty() && properties.allowed_organization.is_none() {
        return Err("includedModels is required for HuggingFace source preview (specifies which models to fetch from \
                    HuggingFace)"
            .to_owned());
    }
    if let Some(variable) = properties.api_key_env_var {
        return Err(format!(
            "a preview reads no variable of the server, so not `{variable}` either: leave apiKeyEnvVar out to see what \
             is public"
        ));
    }
    let preview = hub::Preview {
        url: properties.url.as_deref(),
        included: &included,
        excluded: &excluded,
        organization: properties.allowed_organization.as_deref(),
        limit: properties.max_models,
    };
    // The semaphore is never closed.
    let _permit = catalog.hub_previews.acquire().await.map_err(|error| error.to_string())?;
    hub::preview(&preview, &catalog.settings().hubs, &catalog.rate_limiters, catalog.store.inner().clock().now()).await
}
