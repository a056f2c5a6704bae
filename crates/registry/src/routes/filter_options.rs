//! Filter options of one kind, or of artifacts of any kind.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use model_registry_api::{ApiVersion, Kind};
use model_registry_server::{ApiError, response};
use model_registry_store::{FieldOptions, FilterOptions, OptionType};
use serde_json::{Map, Value, json};

use super::artifacts::listed_kinds;
use super::request::Request;
use crate::rules::RuleError;

pub(crate) async fn of_kind(kind: Kind, request: Request) -> Result<Response, ApiError> {
    respond(&request, &[kind]).await
}

pub(crate) async fn of_artifacts(request: Request) -> Result<Response, ApiError> {
    let kinds = listed_kinds(&request)?;
    respond(&request, kinds).await
}

async fn respond(request: &Request, kinds: &[Kind]) -> Result<Response, ApiError> {
    let cache = &request.context.registry.filter_options;
    let (mut oldest, mut all, mut types) = (Duration::ZERO, None::<FilterOptions>, Vec::new());
    for kind in kinds {
        let (age, options) = cache.get(request.store(), *kind).await.map_err(RuleError::from)?;
        oldest = oldest.max(age);
        types.extend(kind.spec().artifact_type.map(|name| (Value::from(name), options.entities)));
        all = Some(match all {
            Some(all) => all.and(&options),
            None => (*options).clone(),
        });
    }
    let mut options = all.unwrap_or_default();
    if !types.is_empty() {
        types.sort_by_key(|(_, entities)| std::cmp::Reverse(*entities));
        let types = FieldOptions { value_type: OptionType::String, count: None, values: types, range: None };
        options.fields.insert("artifactType".to_owned(), types);
    }
    if request.context.version == ApiVersion::V1 {
        // v1 has no experiments.
        options.fields.retain(|name, _| !["experimentId", "experimentRunId"].contains(&name.as_str()));
    }
    let body = json!({
        "filters": options.fields.iter().map(|(name, field)| (name.clone(), filter(field, options.entities))).collect::<Map<_, _>>(),
        "entities": options.entities,
        "countsAreExact": options.is_exact,
        "ageSeconds": oldest.as_secs(),
    });
    Ok(response::json(StatusCode::OK, body.to_string()))
}

/// An option in the form of the catalog, with numbers of entities in addition.
fn filter(field: &FieldOptions, entities: u64) -> Value {
    let mut option = json!({"type": field.value_type.name()});
    if let Some(count) = field.count {
        option["count"] = count.min(entities).into();
    }
    if !field.values.is_empty() {
        let (values, counts): (Vec<&Value>, Vec<u64>) =
            field.values.iter().map(|(value, count)| (value, (*count).min(entities))).unzip();
        option["values"] = json!(values);
        option["counts"] = json!(counts);
    }
    if let Some((min, max)) = &field.range {
        option["range"] = json!({"min": min, "max": max});
    }
    option
}
