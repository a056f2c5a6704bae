//! `/sources/preview`: what a source would publish, before anybody configures it.
//!
//! Only what the client sends is read, and lists of models of the hubs that sources may read from: never a file, never an
//! environment variable of the server. The client chooses the cost: the work is limited in time and number, and ends with the
//! request.

use std::time::Duration;

use axum::extract::State;
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::response::Response;
use model_registry_api::catalog::{AssetType, SourceType};
use model_registry_base::{Cancellation, Cancelled, run_cancellable};
use model_registry_catalog_sources::{PreviewConfig, hub};
use model_registry_server::{ApiError, Query};
use serde_json::{Value, json};

use super::in_memory_page::InMemoryList;
use super::parameters;
use crate::Catalog;

/// Time limit of each step that computes.
const TIME_LIMIT: Duration = Duration::from_secs(20);

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
    let Ok(_place) = catalog.waiting_previews.try_acquire() else {
        return Err(ApiError::Unavailable("too many previews at the same time: try again shortly".to_owned()));
    };
    let _permit = catalog.previews.acquire().await.map_err(ApiError::internal)?;
    let config = run_cancellable(TIME_LIMIT, move |_| PreviewConfig::read(&config)).await;
    let config = config.map_err(|error| ApiError::UnprocessableEntity(error.to_string()))?;
    let asset_type = config.asset_type;
    let decided = decide(&catalog, config, data).await?;
    let token = query.get("nextPageToken").map(str::to_owned);
    run_cancellable(TIME_LIMIT, move |work| page(asset_type, decided, status, page_size, token.as_deref(), work)).await
}

/// The page of the names with this status.
fn page(
    asset_type: AssetType,
    decided: Vec<(String, bool)>,
    status: Status,
    page_size: u32,
    token: Option<&str>,
    work: &Cancellation,
) -> Result<Response, ApiError> {
    let summary = summary(asset_type, &decided);
    let shown = decided.into_iter().enumerate().filter(|(_, (_, included))| match status {
        Status::All => true,
        Status::Included => *included,
        Status::Excluded => !included,
    });
    let items: Vec<_> = shown.collect();
    let list = InMemoryList {
        name: &format!("preview {asset_type:?} {status:?}"),
        items: &items,
        // Names may repeat, so the place is the key; the name shows when the data has changed meanwhile.
        key: |(index, (name, _)): &(usize, (String, bool))| format!("{index} {name}"),
    };
    work.check().map_err(too_long)?;
    let wire =
        |(_, (name, included)): &(usize, (String, bool))| json!({"included": included, "name": name}).to_string();
    let page = list.page(page_size, token, wire)?;
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
    match config.known_type() {
        Some(SourceType::Hub) => from_hub(catalog, config).await.map_err(unloadable),
        Some(SourceType::Git) => {
            let access = catalog.settings().hubs.clone();
            let names = move |work: &Cancellation| config.read_repositories(&access, work);
            run_cancellable(TIME_LIMIT, names).await.map_err(unloadable)
        }
        Some(SourceType::Directory) => Err(unloadable(
            "files of the server are not read for a preview: use `model-registry catalog check`".to_owned(),
        )),
        Some(SourceType::Yaml | SourceType::McpRegistry | SourceType::DockerCatalog) => {
            let data = data.ok_or_else(|| {
                unloadable(
                    "send the data file as part `catalogData`; files of the server are not read for a preview"
                        .to_owned(),
                )
            })?;
            run_cancellable(TIME_LIMIT, move |work| from_data(&config, &data, work)).await
        }
        None => Err(unloadable(format!("unsupported source type: {}", config.source_type))),
    }
}

/// The names in a data file.
fn from_data(config: &PreviewConfig, data: &str, work: &Cancellation) -> Result<Vec<(String, bool)>, ApiError> {
    let names = config.read_names(data, work);
    // Also if the data cannot be read for this reason.
    work.check().map_err(too_long)?;
    let names = names.map_err(|problem| {
        let label = config.asset_type.spec().label_plural;
        ApiError::UnprocessableEntity(format!("failed to load {label}: failed to parse catalog file: {problem}"))
    })?;
    config.filter.decide(names, work).map_err(too_long)
}

fn too_long(_: Cancelled) -> ApiError {
    let limit = TIME_LIMIT.as_secs();
    ApiError::UnprocessableEntity(format!(
        "the preview takes longer than {limit} s: send fewer items, or fewer patterns with `*` in the middle"
    ))
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
    hub::preview(&preview, &catalog.settings().hubs, &catalog.rate_limiters, catalog.store.inner().clock().now()).await
}
