//! Handlers of all kinds except artifacts; the declaration of a kind decides what differs.

use axum::response::Response;
use model_registry_api::{Kind, Parent};
use model_registry_server::{ApiError, JsonBody};
use model_registry_store::{FindBy, Found, ListScope, Record};

use super::list;
use super::request::{PathParameter, Request, parse_id, path_id};
use crate::decode::{Decoder, Draft, Mode, object};
use crate::response::EntityResponse;
use crate::rules::{Create, NewReference, RuleError, Update, new_document, not_found, random_name};

pub(crate) async fn list(kind: Kind, request: Request) -> Result<Response, ApiError> {
    let (_, response) = list::page(&request, &[kind], ListScope::Everything, None).await?;
    Ok(response)
}

pub(crate) async fn list_children(kind: Kind, request: Request, id: PathParameter) -> Result<Response, ApiError> {
    let parent = parent(kind)?;
    let parent_id = path_id(request.context.version, parent.kind, &id)?;
    let (page, response) = list::page(&request, &[kind], ListScope::Parent(parent_id), None).await?;
    if parent.list_checks_parent && page.size == 0 {
        load(&request, &[parent.kind], parent_id).await?;
    }
    Ok(response)
}

pub(crate) async fn get_one(kind: Kind, request: Request, id: PathParameter) -> Result<Response, ApiError> {
    let id = path_id(request.context.version, kind, &id)?;
    let record = load(&request, &[kind], id).await?;
    Ok(respond(&request, &record))
}

/// Reads an entity of one of the kinds; 404 if it does not exist.
pub(super) async fn load(request: &Request, kinds: &[Kind], id: i64) -> Result<Record, ApiError> {
    let found = request.store().find_by_id(kinds, id).await.map_err(RuleError::from)?;
    found.ok_or_else(|| match kinds {
        [kind] => not_found(*kind, id),
        _ => ApiError::NotFound(format!("no artifact found for id {id}")),
    })
}

/// The response to a GET of one entity.
pub(super) fn respond(request: &Request, record: &Record) -> Response {
    EntityResponse::found(record, request.context.version).unless_known(&request.preconditions())
}

pub(crate) async fn create(kind: Kind, request: Request, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let draft = read(kind, Mode::Create, &body)?;
    create_draft(kind, &request, &body, draft, None).await
}

/// Creates below the parent in the path, which overrides the one in the body. Where the kind allows it, a body with the
/// id of a child updates that child.
pub(crate) async fn create_child(
    kind: Kind,
    request: Request,
    id: PathParameter,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let parent = parent(kind)?;
    let mode = if parent.upsert { Mode::Whole } else { Mode::Create };
    let mut draft = read(kind, mode, &body)?;
    let parent_id = path_id(request.context.version, parent.kind, &id)?;
    if let Some(field) = parent.field {
        draft.set(field, parent_id.to_string());
    }
    match draft.id {
        Some(child) => update_child(kind, &request, &body, (parent, parent_id), child, draft).await,
        None => create_draft(kind, &request, &body, draft, Some(parent_id)).await,
    }
}

pub(crate) async fn update(
    kind: Kind,
    request: Request,
    id: PathParameter,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let id = path_id(request.context.version, kind, &id)?;
    let decoder = Decoder { mode: Mode::Update, strict: true };
    let draft = decoder.draft(kind.spec(), object(&body)?)?;
    let work = Update {
        version: request.context.version,
        kinds: kind_slice(kind),
        id,
        body_kind: Some(kind),
        draft,
        preconditions: request.preconditions(),
        within: None,
        author: request.author(),
    };
    request.update(work).await
}

pub(crate) async fn find(kind: Kind, request: Request) -> Result<Response, ApiError> {
    let spec = kind.spec();
    let parent_id = match (spec.parent, request.query.get("parentResourceId")) {
        (Some(parent), Some(id)) => Some(parse_id(parent.kind.spec().label, id)?),
        _ => None,
    };
    let usage = match spec.parent {
        Some(_) => "either (name and parentResourceId), or externalId",
        None => "either name or externalId",
    };
    let key = find_key(&request, parent_id, spec.parent.is_some(), usage)?;
    let found = request.store().find(&[kind], key).await.map_err(RuleError::from)?;
    respond_found(&request, found, spec.label_plural)
}

/// The key of a find operation. The name takes precedence over the external id; for kinds with a parent it needs the
/// parent's id or an external id in addition (parity).
pub(super) fn find_key<'a>(
    request: &'a Request,
    parent_id: Option<i64>,
    needs_parent: bool,
    usage: &str,
) -> Result<FindBy<'a>, ApiError> {
    match (request.query.get("name"), request.query.get("externalId")) {
        (Some(name), external_id) if !needs_parent || parent_id.is_some() || external_id.is_some() => {
            Ok(FindBy::Name { name, parent_id })
        }
        (_, Some(external_id)) => Ok(FindBy::ExternalId { external_id }),
        _ => Err(ApiError::Invalid(format!("invalid parameters call, supply {usage}"))),
    }
}

/// The response of a find operation: 404 unless exactly one entity matches (parity).
pub(super) fn respond_found(request: &Request, found: Found, label_plural: &str) -> Result<Response, ApiError> {
    let sent = |key| request.query.get(key).unwrap_or_default();
    let searched = || {
        let (name, parent, external_id) = (sent("name"), sent("parentResourceId"), sent("externalId"));
        format!("{label_plural} found for name={name}, parentResourceId={parent}, externalId={external_id}")
    };
    match found {
        Found::One(record) => Ok(respond(request, &record)),
        Found::None => Err(ApiError::NotFound(format!("no {}", searched()))),
        Found::Several => Err(ApiError::NotFound(format!("multiple {}", searched()))),
    }
}

fn read(kind: Kind, mode: Mode, body: &[u8]) -> Result<Draft, ApiError> {
    let decoder = Decoder { mode, strict: true };
    let draft = decoder.draft(kind.spec(), object(body)?)?;
    draft.check_required(kind.spec())?;
    Ok(draft)
}

async fn create_draft(
    kind: Kind,
    request: &Request,
    body: &[u8],
    draft: Draft,
    parent_in_path: Option<i64>,
) -> Result<Response, ApiError> {
    let spec = kind.spec();
    let parent = match spec.parent {
        Some(parent) => {
            let id = parent_in_path.map_or_else(|| parent_in_body(&parent, &draft), |id| Ok(Some(id)))?;
            id.map(|id| (parent.kind, id))
        }
        None => None,
    };
    let mut references = Vec::new();
    for reference in spec.references {
        if let Some(id) = draft.reference(reference.field)? {
            references.push(NewReference { kind: reference.kind, id, check: reference.check });
        }
    }
    let name = draft.name.clone().unwrap_or_else(random_name);
    let work = Create {
        version: request.context.version,
        kind,
        parent,
        references,
        document: new_document(spec, draft, name),
        author: request.author(),
    };
    request.create(body, work).await
}

fn parent_in_body(parent: &Parent, draft: &Draft) -> Result<Option<i64>, ApiError> {
    let Some(field) = parent.field else { return Ok(None) };
    draft
        .reference(field)
        .map_err(|error| if parent.malformed_id_is_not_found { ApiError::NotFound(error.to_string()) } else { error })
}

async fn update_child(
    kind: Kind,
    request: &Request,
    body: &[u8],
    (parent, parent_id): (Parent, i64),
    id: i64,
    draft: Draft,
) -> Result<Response, ApiError> {
    let work = Update {
        version: request.context.version,
        kinds: kind_slice(kind),
        id,
        body_kind: Some(kind),
        draft: draft.only_mutable(kind.spec()),
        preconditions: request.preconditions(),
        within: parent.field.map(|field| (field, parent_id)),
        author: request.author(),
    };
    request.create(body, work).await
}

fn parent(kind: Kind) -> Result<Parent, ApiError> {
    kind.spec().parent.ok_or_else(|| ApiError::internal(format!("{kind:?} has no parent")))
}

/// A static slice of one kind.
pub(super) fn kind_slice(kind: Kind) -> &'static [Kind] {
    std::slice::from_ref(&kind.spec().kind)
}
