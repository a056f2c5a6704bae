//! Responses that carry one entity: its body in a version of the API, and its entity tag.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{ETAG, HeaderValue};
use model_registry_api::{ApiVersion, EntityTable, Kind};
use model_registry_server::{Preconditions, response};
use model_registry_store::{Record, StoredResponse};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A response with one entity.
#[derive(Clone, Debug)]
pub(crate) struct EntityResponse {
    pub(crate) status: StatusCode,
    pub(crate) etag: Option<String>,
    pub(crate) body: String,
}

impl EntityResponse {
    pub(crate) fn found(record: &Record, version: ApiVersion) -> Self {
        Self { status: StatusCode::OK, etag: Some(record.etag()), body: entity(record, version) }
    }

    pub(crate) fn created(record: &Record, version: ApiVersion) -> Self {
        Self { status: StatusCode::CREATED, ..Self::found(record, version) }
    }

    pub(crate) fn updated(record: &Record, version: ApiVersion) -> Self {
        Self::found(record, version)
    }

    pub(crate) fn registered(model: &Record, version: &Record, artifacts: &[Record], api: ApiVersion) -> Self {
        let artifacts: Vec<_> = artifacts.iter().map(|artifact| entity(artifact, api)).collect();
        let body = format!(
            r#"{{"registeredModel":{},"modelVersion":{},"artifacts":[{}]}}"#,
            entity(model, api),
            entity(version, api),
            artifacts.join(",")
        );
        Self { status: StatusCode::CREATED, etag: None, body }
    }

    /// The response that was stored under the request's Idempotency-Key.
    pub(crate) fn stored(stored: StoredResponse) -> Self {
        let status = StatusCode::from_u16(stored.status.cast_unsigned()).unwrap_or(StatusCode::OK);
        Self { status, etag: stored.etag, body: stored.body }
    }

    /// The response to a GET: 304 if the client already has this revision of the entity.
    pub(crate) fn unless_known(self, preconditions: &Preconditions) -> Response {
        let known = self.etag.as_deref().is_some_and(|etag| preconditions.is_known(etag));
        let mut response =
            if known { StatusCode::NOT_MODIFIED.into_response() } else { response::json(self.status, self.body) };
        tag(&mut response, self.etag.as_deref());
        response
    }

    pub(crate) fn into_response(self) -> Response {
        let mut response = response::json(self.status, self.body);
        tag(&mut response, self.etag.as_deref());
        response
    }
}

fn tag(response: &mut Response, etag: Option<&str>) {
    if let Some(value) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
        response.headers_mut().insert(ETAG, value);
    }
}

/// The JSON of an entity in a version of the API.
fn entity(record: &Record, version: ApiVersion) -> String {
    let wire = record.wire();
    if version == ApiVersion::V1 && record.kind.spec().table != EntityTable::Resource {
        return serde_json::from_str::<Map<String, Value>>(&wire)
            .map_or(wire, |map| Value::Object(in_v1(map)).to_string());
    }
    wire
}

/// Converts the items of a list, joined with commas from byte `from` on, to their form in a version of the API.
pub(crate) fn convert_items(kinds: &[Kind], body: &mut String, from: usize, version: ApiVersion) {
    if version != ApiVersion::V1 || kinds.iter().all(|kind| kind.spec().table == EntityTable::Resource) {
        return;
    }
    // One by one: the parsed form of an item takes many times the memory of its text.
    let list = format!("[{}]", &body[from..]);
    let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(&list) else { return };
    let mut converted = String::with_capacity(list.len());
    for item in items {
        let Ok(artifact) = serde_json::from_str::<Map<String, Value>>(item.get()) else { return };
        if !converted.is_empty() {
            converted.push(',');
        }
        converted.push_str(&Value::Object(in_v1(artifact)).to_string());
    }
    body.replace_range(from.., &converted);
}

/// Converts an artifact to v1, which has no experiments and writes steps as strings.
fn in_v1(mut artifact: Map<String, Value>) -> Map<String, Value> {
    artifact.remove("experimentId");
    artifact.remove("experimentRunId");
    if let Some(step) = artifact.get_mut("step")
        && step.is_number()
    {
        *step = Value::String(step.to_string());
    }
    artifact
}
