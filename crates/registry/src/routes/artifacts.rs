//! Handlers of artifacts: of any kind, of one kind, and below a version or run.

use axum::response::Response;
use model_registry_api::{Kind, Shape};
use model_registry_server::{ApiError, JsonBody};
use model_registry_store::{Document, ListScope};
use serde_json::{Map, Value};

use super::entity::{find_key, kind_slice, load, respond, respond_found};
use super::list;
use super::request::{PathParameter, Request, parse_id, path_id};
use crate::decode::{Decoder, Draft, Mode, object};
use crate::rules::{Create, RuleError, Update, UpsertArtifact, new_document, random_name};

pub(crate) async fn list(request: Request) -> Result<Response, ApiError> {
    let kinds = listed_kinds(&request)?;
    let (_, response) = list::page(&request, kinds, ListScope::Everything, None).await?;
    Ok(response)
}

pub(crate) async fn list_kind(kind: Kind, request: Request) -> Result<Response, ApiError> {
    let (_, response) = list::page(&request, &[kind], ListScope::Everything, None).await?;
    Ok(response)
}

pub(crate) async fn list_of(parent: Kind, request: Request, id: PathParameter) -> Result<Response, ApiError> {
    let parent_id = path_id(request.context.version, parent, &id)?;
    let kinds = listed_kinds(&request)?;
    let (_, response) = list::page(&request, kinds, ListScope::ArtifactsOf(parent_id), None).await?;
    Ok(response)
}

/// The kinds selected by the parameter `artifactType`.
pub(super) fn listed_kinds(request: &Request) -> Result<&'static [Kind], ApiError> {
    let Some(name) = request.query.get("artifactType") else { return Ok(&Kind::ARTIFACTS) };
    match Kind::from_artifact_type(name) {
        Some(kind) => Ok(kind_slice(kind)),
        None => Err(ApiError::Invalid(format!("invalid artifact type {name}: use {}", artifact_types()))),
    }
}

fn artifact_types() -> String {
    Kind::ARTIFACTS.map(|kind| kind.spec().artifact_type.unwrap_or_default()).join(", ")
}

pub(crate) async fn get_one(request: Request, PathParameter(id): PathParameter) -> Result<Response, ApiError> {
    get_of(&Kind::ARTIFACTS, &request, &id).await
}

pub(crate) async fn get_kind(
    kind: Kind,
    request: Request,
    PathParameter(id): PathParameter,
) -> Result<Response, ApiError> {
    get_of(&[kind], &request, &id).await
}

async fn get_of(kinds: &[Kind], request: &Request, id: &str) -> Result<Response, ApiError> {
    let id = parse_id("artifact", id)?;
    let record = load(request, kinds, id).await?;
    Ok(respond(request, &record))
}

pub(crate) async fn find(request: Request) -> Result<Response, ApiError> {
    find_of(&Kind::ARTIFACTS, "artifacts", &request).await
}

pub(crate) async fn find_kind(kind: Kind, request: Request) -> Result<Response, ApiError> {
    find_of(&[kind], kind.spec().label_plural, &request).await
}

async fn find_of(kinds: &[Kind], label_plural: &str, request: &Request) -> Result<Response, ApiError> {
    let parent_id = request.query.get("parentResourceId").map(|id| parse_id("parent resource", id)).transpose()?;
    let usage = "either (artifactName and parentResourceId), or externalId";
    let key = find_key(request, parent_id, true, usage)?;
    let found = request.store().find(kinds, key).await.map_err(RuleError::from)?;
    respond_found(request, found, label_plural)
}

/// Creates an artifact of any kind without a parent.
pub(crate) async fn create(request: Request, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let (kind, object) = discriminated(object(&body)?)?;
    let document = read_new_artifact(kind, object, false)?;
    create_document(&request, &body, kind, document).await
}

/// Creates an artifact of one kind without a parent.
pub(crate) async fn create_kind(kind: Kind, request: Request, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let object = object(&body)?;
    let has_state = object.keys().any(|key| key.eq_ignore_ascii_case("state"));
    let mut document = read_new_artifact(kind, object, true)?;
    // parity: only this endpoint applies the default state; creates of artifacts of any kind do not.
    if !has_state
        && let Some(Shape::Enumeration(states)) = kind.spec().field("state").map(|field| field.shape)
        && let Some(default) = states.default
    {
        document.set("state", default);
    }
    create_document(&request, &body, kind, document).await
}

async fn create_document(request: &Request, body: &[u8], kind: Kind, document: Document) -> Result<Response, ApiError> {
    let work = Create {
        version: request.context.version,
        kind,
        parent: None,
        references: Vec::new(),
        document,
        author: request.author(),
    };
    request.create(body, work).await
}

/// Decodes the body of a new artifact.
pub(super) fn read_new_artifact(kind: Kind, body: Map<String, Value>, strict: bool) -> Result<Document, ApiError> {
    let draft = Decoder { mode: Mode::Create, strict }.draft(kind.spec(), body)?;
    let name = draft.name.clone().unwrap_or_else(random_name);
    Ok(new_document(kind.spec(), draft, name))
}

pub(crate) async fn update(
    request: Request,
    PathParameter(id): PathParameter,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let id = parse_id("artifact", &id)?;
    let object = object(&body)?;
    let kind = match artifact_type(&object) {
        Some(name) => Some(Kind::from_artifact_type(name).ok_or_else(|| unknown_type(Some(name)))?),
        None => None,
    };
    // A body without `artifactType` is rejected later, by a message that names the kind of the stored artifact.
    let draft = match kind {
        Some(kind) => decode(kind, Mode::Update, false, object)?,
        None => Draft::default(),
    };
    update_draft(&request, &Kind::ARTIFACTS, id, kind, draft).await
}

pub(crate) async fn update_kind(
    kind: Kind,
    request: Request,
    PathParameter(id): PathParameter,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let id = parse_id("artifact", &id)?;
    let draft = decode(kind, Mode::Update, true, object(&body)?)?;
    update_draft(&request, kind_slice(kind), id, Some(kind), draft).await
}

async fn update_draft(
    request: &Request,
    kinds: &'static [Kind],
    id: i64,
    body_kind: Option<Kind>,
    draft: Draft,
) -> Result<Response, ApiError> {
    let work = Update {
        version: request.context.version,
        kinds,
        id,
        body_kind,
        draft,
        preconditions: request.preconditions(),
        within: None,
        author: request.author(),
    };
    request.update(work).await
}

pub(crate) async fn upsert(
    parent_kind: Kind,
    request: Request,
    id: PathParameter,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let (kind, object) = discriminated(object(&body)?)?;
    let parent_id = path_id(request.context.version, parent_kind, &id)?;
    let draft = decode(kind, Mode::Whole, false, object)?;
    let work = UpsertArtifact {
        version: request.context.version,
        parent_kind,
        parent_id,
        kind,
        draft,
        preconditions: request.preconditions(),
        author: request.author(),
    };
    request.create(&body, work).await
}

fn decode(kind: Kind, mode: Mode, strict: bool, body: Map<String, Value>) -> Result<Draft, ApiError> {
    Decoder { mode, strict }.draft(kind.spec(), body)
}

/// The kind named by the `artifactType` of a body.
pub(super) fn discriminated(body: Map<String, Value>) -> Result<(Kind, Map<String, Value>), ApiError> {
    let name = artifact_type(&body);
    match name.and_then(Kind::from_artifact_type) {
        Some(kind) => Ok((kind, body)),
        None => Err(unknown_type(name)),
    }
}

fn artifact_type(body: &Map<String, Value>) -> Option<&str> {
    body.iter().find(|(key, _)| key.eq_ignore_ascii_case("artifactType")).and_then(|(_, value)| value.as_str())
}

fn unknown_type(name: Option<&str>) -> ApiError {
    let problem =
        name.map_or_else(|| "`artifactType` is missing".to_owned(), |name| format!("`artifactType` is `{name}`"));
    ApiError::Invalid(format!("invalid artifact type: {problem}; use {}", artifact_types()))
}
