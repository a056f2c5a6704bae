//! Handlers of artifacts: of every kind together, of model artifacts alone, and below a version or run.

use axum::response::Response;
use model_registry_api::{ApiVersion, Kind};
use model_registry_server::{ApiError, JsonBody};
use model_registry_store::{Document, ListScope};
use serde_json::{Map, Value};

use super::entity::{answer, answer_found, find_by, load};
use super::list;
use super::request::{PathText, Request, parse_id, path_id};
use crate::decode::{Decoder, Draft, Mode, object};
use crate::rules::{Create, RuleError, Update, UpsertArtifact, new_document, random_name};

const MODEL_ARTIFACT: &[Kind] = &[Kind::ModelArtifact];

pub(super) async fn list(request: Request) -> Result<Response, ApiError> {
    let kinds = listed_kinds(&request)?;
    let (_, response) = list::page(&request, kinds, ListScope::Everything, None).await?;
    Ok(response)
}

pub(super) async fn list_model_artifacts(request: Request) -> Result<Response, ApiError> {
    let (_, response) = list::page(&request, MODEL_ARTIFACT, ListScope::Everything, None).await?;
    Ok(response)
}

pub(super) async fn list_of(parent: Kind, request: Request, id: PathText) -> Result<Response, ApiError> {
    let parent_id = path_id(parent, &id)?;
    let kinds = listed_kinds(&request)?;
    let (_, response) = list::page(&request, kinds, ListScope::ArtifactsOf(parent_id), None).await?;
    Ok(response)
}

/// The kinds that `artifactType` leaves.
fn listed_kinds(request: &Request) -> Result<&'static [Kind], ApiError> {
    let Some(text) = request.query.get("artifactType") else { return Ok(&Kind::ARTIFACTS) };
    match Kind::from_artifact_type(text) {
        Some(kind) => Ok(std::slice::from_ref(&kind.spec().kind)),
        None => Err(ApiError::Invalid(format!("invalid artifact type {text}: use {}", artifact_types()))),
    }
}

fn artifact_types() -> String {
    Kind::ARTIFACTS.map(|kind| kind.spec().artifact_type.unwrap_or_default()).join(", ")
}

pub(super) async fn get_one(request: Request, PathText(id): PathText) -> Result<Response, ApiError> {
    get_of(&Kind::ARTIFACTS, &request, &id).await
}

pub(super) async fn get_model_artifact(request: Request, PathText(id): PathText) -> Result<Response, ApiError> {
    get_of(MODEL_ARTIFACT, &request, &id).await
}

async fn get_of(kinds: &[Kind], request: &Request, id: &str) -> Result<Response, ApiError> {
    let id = parse_id("artifact", id)?;
    let record = load(request, kinds, id).await?;
    Ok(answer(request, &record))
}

pub(super) async fn find(request: Request) -> Result<Response, ApiError> {
    find_of(&Kind::ARTIFACTS, "artifacts", &request).await
}

pub(super) async fn find_model_artifact(request: Request) -> Result<Response, ApiError> {
    find_of(MODEL_ARTIFACT, "model artifacts", &request).await
}

async fn find_of(kinds: &[Kind], label_plural: &str, request: &Request) -> Result<Response, ApiError> {
    let query = &request.query;
    let parent_id = query.get("parentResourceId").map(|text| parse_id("parent resource", text)).transpose()?;
    let needed = "either (artifactName and parentResourceId), or externalId";
    let by = find_by(query.get("name"), parent_id, query.get("externalId"), true, needed)?;
    let found = request.database()?.find(kinds, by).await.map_err(RuleError::from)?;
    answer_found(request, found, label_plural)
}

/// Creates an artifact that belongs to nothing yet.
pub(super) async fn create(request: Request, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let (kind, object) = discriminated(object(&body)?)?;
    let document = read_new_artifact(request.context.version, kind, object, false)?;
    create_document(&request, &body, kind, document).await
}

pub(super) async fn create_model_artifact(request: Request, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let object = object(&body)?;
    let tells_state = object.keys().any(|key| key.eq_ignore_ascii_case("state"));
    let mut document = read_new_artifact(request.context.version, Kind::ModelArtifact, object, true)?;
    // parity (registry-server 1.3): this endpoint alone gives a state to artifacts created without one.
    if !tells_state {
        document.set("state", "UNKNOWN");
    }
    create_document(&request, &body, Kind::ModelArtifact, document).await
}

async fn create_document(request: &Request, body: &[u8], kind: Kind, document: Document) -> Result<Response, ApiError> {
    let operation = Create {
        version: request.context.version,
        kind,
        parent: None,
        references: Vec::new(),
        document,
        author: request.author(),
    };
    request.create(body, operation).await
}

/// Reads the body of an artifact that is to be created.
pub(super) fn read_new_artifact(
    version: ApiVersion,
    kind: Kind,
    body: Map<String, Value>,
    strict: bool,
) -> Result<Document, ApiError> {
    let draft = Decoder { version, mode: Mode::Create, strict }.draft(kind.spec(), body)?;
    let name = draft.name.clone().unwrap_or_else(random_name);
    Ok(new_document(kind.spec(), draft, name))
}

pub(super) async fn update(
    request: Request,
    PathText(id): PathText,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let id = parse_id("artifact", &id)?;
    let object = object(&body)?;
    let given = artifact_type(&object);
    let kind = given.and_then(Kind::from_artifact_type);
    if let (Some(text), None) = (given, kind) {
        return Err(unknown_type(Some(text)));
    }
    // A body that does not say its kind is refused once the artifact's own kind can be named.
    let draft = match kind {
        Some(kind) => decode(&request, kind, Mode::Update, false, object)?,
        None => Draft::default(),
    };
    update_draft(&request, &Kind::ARTIFACTS, id, kind, draft).await
}

pub(super) async fn update_model_artifact(
    request: Request,
    PathText(id): PathText,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let id = parse_id("artifact", &id)?;
    let draft = decode(&request, Kind::ModelArtifact, Mode::Update, true, object(&body)?)?;
    update_draft(&request, MODEL_ARTIFACT, id, Some(Kind::ModelArtifact), draft).await
}

async fn update_draft(
    request: &Request,
    kinds: &'static [Kind],
    id: i64,
    body_kind: Option<Kind>,
    draft: Draft,
) -> Result<Response, ApiError> {
    let operation = Update {
        version: request.context.version,
        kinds,
        id,
        body_kind,
        draft,
        preconditions: request.preconditions(),
        within: None,
        author: request.author(),
    };
    request.update(operation).await
}

pub(super) async fn upsert(
    parent_kind: Kind,
    request: Request,
    id: PathText,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let (kind, object) = discriminated(object(&body)?)?;
    let parent_id = path_id(parent_kind, &id)?;
    let draft = decode(&request, kind, Mode::Whole, false, object)?;
    let operation = UpsertArtifact {
        version: request.context.version,
        parent_kind,
        parent_id,
        kind,
        draft,
        preconditions: request.preconditions(),
        author: request.author(),
    };
    request.create(&body, operation).await
}

fn decode(
    request: &Request,
    kind: Kind,
    mode: Mode,
    strict: bool,
    body: Map<String, Value>,
) -> Result<Draft, ApiError> {
    Decoder { version: request.context.version, mode, strict }.draft(kind.spec(), body)
}

/// The kind that a body's `artifactType` names.
pub(super) fn discriminated(body: Map<String, Value>) -> Result<(Kind, Map<String, Value>), ApiError> {
    let given = artifact_type(&body);
    match given.and_then(Kind::from_artifact_type) {
        Some(kind) => Ok((kind, body)),
        None => Err(unknown_type(given)),
    }
}

fn artifact_type(body: &Map<String, Value>) -> Option<&str> {
    body.iter().find(|(key, _)| key.eq_ignore_ascii_case("artifactType")).and_then(|(_, value)| value.as_str())
}

fn unknown_type(given: Option<&str>) -> ApiError {
    let given =
        given.map_or_else(|| "`artifactType` is missing".to_owned(), |text| format!("`artifactType` is `{text}`"));
    ApiError::Invalid(format!("invalid artifact type: {given}; use {}", artifact_types()))
}
