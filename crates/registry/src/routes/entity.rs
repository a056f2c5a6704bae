//! Handlers of everything that is no artifact; kinds differ in their declaration alone.

use axum::response::Response;
use model_registry_api::{Kind, Parent};
use model_registry_server::{ApiError, JsonBody};
use model_registry_store::{FindBy, Found, ListScope, Record};

use super::list;
use super::request::{PathText, Request, parse_id, path_id};
use crate::answer::Answer;
use crate::decode::{Decoder, Draft, Mode, object};
use crate::rules::{Create, RuleError, Update, new_document, not_found, random_name};

pub(super) async fn list(kind: Kind, request: Request) -> Result<Response, ApiError> {
    let (_, response) = list::page(&request, &[kind], ListScope::Everything, None).await?;
    Ok(response)
}

pub(super) async fn list_children(kind: Kind, request: Request, id: PathText) -> Result<Response, ApiError> {
    let parent = parent(kind)?;
    let parent_id = path_id(parent.kind, &id)?;
    let (page, response) = list::page(&request, &[kind], ListScope::Parent(parent_id), None).await?;
    // parity (registry-server 2.8): only a list of runs tells an unknown parent from one without children.
    if kind == Kind::ExperimentRun && page.size == 0 {
        load(&request, &[parent.kind], parent_id).await?;
    }
    Ok(response)
}

pub(super) async fn get_one(kind: Kind, request: Request, id: PathText) -> Result<Response, ApiError> {
    let id = path_id(kind, &id)?;
    let record = load(&request, &[kind], id).await?;
    Ok(answer(&request, &record))
}

/// Reads an entity of one of the kinds; 404 where there is none.
pub(super) async fn load(request: &Request, kinds: &[Kind], id: i64) -> Result<Record, ApiError> {
    let found = request.database()?.find_by_id(kinds, id).await.map_err(RuleError::from)?;
    found.ok_or_else(|| match kinds {
        [kind] => not_found(*kind, id),
        _ => ApiError::NotFound(format!("no artifact found for id {id}")),
    })
}

/// Answers a GET of one entity.
pub(super) fn answer(request: &Request, record: &Record) -> Response {
    Answer::found(record, request.context.version).unless_known(&request.preconditions())
}

pub(super) async fn create(kind: Kind, request: Request, JsonBody(body): JsonBody) -> Result<Response, ApiError> {
    let draft = read(kind, &request, Mode::Create, &body)?;
    create_draft(kind, &request, &body, draft, None).await
}

/// Creates below the parent in the path, which wins over the one in the body. A body with the id of a child that
/// exists changes that child.
pub(super) async fn create_child(
    kind: Kind,
    request: Request,
    id: PathText,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let parent = parent(kind)?;
    // Serve models and inference services are created from what may be created, the others from whole entities
    // (the contract's request bodies).
    let mode = if matches!(kind, Kind::ModelVersion | Kind::ExperimentRun) { Mode::Whole } else { Mode::Create };
    let mut draft = read(kind, &request, mode, &body)?;
    let parent_id = path_id(parent.kind, &id)?;
    if let Some(field) = parent.field {
        draft.set(field, parent_id.to_string());
    }
    match draft.id {
        Some(child) => update_child(kind, &request, &body, (parent, parent_id), child, draft).await,
        None => create_draft(kind, &request, &body, draft, Some(parent_id)).await,
    }
}

pub(super) async fn update(
    kind: Kind,
    request: Request,
    id: PathText,
    JsonBody(body): JsonBody,
) -> Result<Response, ApiError> {
    let id = path_id(kind, &id)?;
    let decoder = Decoder { version: request.context.version, mode: Mode::Update, strict: true };
    let draft = decoder.draft(kind.spec(), object(&body)?)?;
    let operation = Update {
        version: request.context.version,
        kinds: kind_slice(kind),
        id,
        body_kind: Some(kind),
        draft,
        preconditions: request.preconditions(),
        within: None,
        author: request.author(),
    };
    request.update(operation).await
}

pub(super) async fn find(kind: Kind, request: Request) -> Result<Response, ApiError> {
    let spec = kind.spec();
    let (name, external_id) = (request.query.get("name"), request.query.get("externalId"));
    let parent_id = match (spec.parent, request.query.get("parentResourceId")) {
        (Some(parent), Some(text)) => Some(parse_id(parent.kind.spec().label, text)?),
        _ => None,
    };
    let needed = match kind {
        Kind::ExperimentRun => "either (name and parentResourceId, the experiment's id), or externalId",
        _ if spec.parent.is_some() => "either (name and parentResourceId), or externalId",
        _ => "either name or externalId",
    };
    let by = find_by(name, parent_id, external_id, spec.parent.is_some(), needed)?;
    let found = request.database()?.find(&[kind], by).await.map_err(RuleError::from)?;
    answer_found(&request, found, spec.label_plural)
}

/// What to look for. The name comes first; without a parent it is enough only beside an external id
/// (parity, registry-server 2.7).
pub(super) fn find_by<'a>(
    name: Option<&'a str>,
    parent_id: Option<i64>,
    external_id: Option<&'a str>,
    needs_parent: bool,
    needed: &str,
) -> Result<FindBy<'a>, ApiError> {
    match (name, external_id) {
        (Some(name), external_id) if !needs_parent || parent_id.is_some() || external_id.is_some() => {
            Ok(FindBy::Name { name, parent_id })
        }
        (_, Some(external_id)) => Ok(FindBy::ExternalId { external_id }),
        _ => Err(ApiError::Invalid(format!("invalid parameters call, supply {needed}"))),
    }
}

pub(super) fn answer_found(request: &Request, found: Found, label_plural: &str) -> Result<Response, ApiError> {
    let shown = |key| request.query.get(key).unwrap_or_default();
    let searched = || {
        let (name, parent, external_id) = (shown("name"), shown("parentResourceId"), shown("externalId"));
        format!("{label_plural} found for name={name}, parentResourceId={parent}, externalId={external_id}")
    };
    match found {
        Found::One(record) => Ok(answer(request, &record)),
        Found::None => Err(ApiError::NotFound(format!("no {}", searched()))),
        Found::Several => Err(ApiError::NotFound(format!("multiple {}", searched()))),
    }
}

fn read(kind: Kind, request: &Request, mode: Mode, body: &[u8]) -> Result<Draft, ApiError> {
    let decoder = Decoder { version: request.context.version, mode, strict: true };
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
        Some(Parent { kind, field }) => {
            let in_body = match field.map(|field| draft.reference(field)).transpose() {
                Ok(id) => id.flatten(),
                // parity (registry-server 2.3): an environment is looked up by whatever id the body has.
                Err(error) if kind == Kind::ServingEnvironment => return Err(ApiError::NotFound(error.to_string())),
                Err(error) => return Err(error),
            };
            parent_in_path.or(in_body).map(|id| (kind, id))
        }
        None => None,
    };
    let mut references = Vec::new();
    for reference in spec.references {
        if let Some(id) = draft.reference(reference.field)? {
            references.push((reference.kind, id));
        }
    }
    let name = draft.name.clone().unwrap_or_else(random_name);
    let operation = Create {
        version: request.context.version,
        kind,
        parent,
        references,
        document: new_document(spec, draft, name),
        author: request.author(),
    };
    request.create(body, operation).await
}

async fn update_child(
    kind: Kind,
    request: &Request,
    body: &[u8],
    (parent, parent_id): (Parent, i64),
    id: i64,
    draft: Draft,
) -> Result<Response, ApiError> {
    let operation = Update {
        version: request.context.version,
        kinds: kind_slice(kind),
        id,
        body_kind: Some(kind),
        draft: draft.only_mutable(kind.spec()),
        preconditions: request.preconditions(),
        within: parent.field.map(|field| (field, parent_id)),
        author: request.author(),
    };
    request.create(body, operation).await
}

fn parent(kind: Kind) -> Result<Parent, ApiError> {
    kind.spec().parent.ok_or_else(|| ApiError::internal(format!("{kind:?} has no parent")))
}

/// A slice of one kind that lives for ever.
fn kind_slice(kind: Kind) -> &'static [Kind] {
    std::slice::from_ref(&kind.spec().kind)
}
