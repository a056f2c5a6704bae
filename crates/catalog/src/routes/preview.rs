//! `/sources/preview`: what a source would publish, before anybody configures it.
//!
//! Only what the client sends is read, and lists of models of the hubs that sources may read from: never a file, never an
//! environment variable of the server.

use std::path::Path;

use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::response::Response;
use model_registry_api::catalog::AssetType;
use model_registry_base::run_blocking;
use model_registry_catalog_sources::{NameFilter, hub, item_names, read_yaml};
use model_registry_server::{ApiError, Query};
use serde::Deserialize;
use serde_json::json;

use super::in_memory_page::{self, Item};
use super::parameters;
use crate::Catalog;

/// One entry of a sources file; other keys do not matter here.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    included_models: Option<Vec<String>>,
    #[serde(default)]
    excluded_models: Option<Vec<String>>,
    #[serde(default)]
    properties: Option<Properties>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    #[serde(default)]
    allowed_organization: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    api_key_env_var: Option<String>,
    #[serde(default)]
    max_models: Option<usize>,
}

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
    let decided = decide(&catalog, &config, data).await?;
    let included = decided.iter().filter(|(_, included)| *included).count();
    let summary = json!({
        "totalModels": decided.len(), "includedModels": included, "excludedModels": decided.len() - included,
    });
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
    let list = format!("preview {status:?}");
    let page = in_memory_page::page(items.collect(), &list, page_size, query.get("nextPageToken"))?;
    Ok(page.with(&format!(r#","summary":{summary}"#)))
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
        // The escape would be one in JSON (parity, catalog-service 2.1).
        if text.contains('\0') || text.contains("\\u0000") {
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

fn unloadable(reason: impl std::fmt::Display) -> ApiError {
    ApiError::UnprocessableEntity(format!("failed to load models: {reason}"))
}

/// The names that the source has, each with whether it would be published.
async fn decide(catalog: &Catalog, config: &str, data: Option<String>) -> Result<Vec<(String, bool)>, ApiError> {
    let invalid = |reason: String| ApiError::UnprocessableEntity(format!("invalid config: {reason}"));
    let config: Config = read_yaml(Path::new("config"), config)
        .map_err(|problem| invalid(format!("failed to parse config: {problem}")))?;
    let kind = config.kind.filter(|kind| !kind.is_empty());
    let kind = kind.ok_or_else(|| invalid("missing required field: type".to_owned()))?;
    let included = config.included_models.unwrap_or_default();
    let excluded = config.excluded_models.unwrap_or_default();
    let filter = NameFilter::new("Models", &included, &excluded).map_err(|empty| invalid(empty.to_string()))?;
    match kind.as_str() {
        "yaml" => {
            let data = data.ok_or_else(|| {
                unloadable("send the model file as part `catalogData`; files of the server are not read for a preview")
            })?;
            let names = run_blocking(move || item_names(AssetType::Models, Path::new("catalogData"), &data))
                .await
                .map_err(|problem| unloadable(format!("failed to parse catalog file: {problem}")))?;
            Ok(names.into_iter().map(|name| (name.clone(), filter.allows(&name))).collect())
        }
        "hf" | "huggingface" => {
            from_hub(catalog, &included, &excluded, config.properties.unwrap_or_default()).await.map_err(unloadable)
        }
        other => Err(unloadable(format!("unsupported source type: {other}"))),
    }
}

async fn from_hub(
    catalog: &Catalog,
    included: &[String],
    excluded: &[String],
    properties: Properties,
) -> Result<Vec<(String, bool)>, String> {
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
        included,
        excluded,
        organization: properties.allowed_organization.as_deref(),
        limit: properties.max_models,
    };
    // The semaphore is never closed.
    let _permit = catalog.hub_previews.acquire().await.map_err(|error| error.to_string())?;
    hub::preview(&preview, &catalog.settings().hubs, &catalog.rate_limiters, catalog.store.inner().clock().now()).await
}
