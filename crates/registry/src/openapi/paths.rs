//! The table of operations as path items.

use model_registry_api::ApiVersion;
use model_registry_server::openapi::reference;
use model_registry_server::openapi::responses::ALWAYS;
use serde_json::{Map, Value, json};

use super::{kind_schemas, named, parameters, registration, responses};
use crate::operations::{Action, Operation};

/// The tag of every operation: generated clients name their class after it.
pub(super) const TAG: &str = "ModelRegistryService";

/// Every path of a version, with its operations.
pub(super) fn all(operations: &[Operation], version: ApiVersion) -> Map<String, Value> {
    let mut paths = Map::new();
    for operation in operations {
        let parameter = operation.path_parameter(version);
        let path = match &parameter {
            Some(name) => operation.path.replace("{id}", &format!("{{{name}}}")),
            None => operation.path.clone(),
        };
        let item = paths.entry(format!("{}{path}", version.base_path())).or_insert_with(|| json!({}));
        item[method(operation.action)] = describe(operation, version);
        if let Some(name) = parameter {
            item["parameters"] = json!([parameters::path_id(&name)]);
        }
    }
    paths
}

fn method(action: Action) -> &'static str {
    match action {
        Action::Find | Action::List | Action::Get | Action::Changes | Action::FilterOptions | Action::Search => "get",
        Action::Create | Action::Upsert | Action::Register => "post",
        Action::Update => "patch",
    }
}

fn describe(operation: &Operation, version: ApiVersion) -> Value {
    let mut described = json!({
        "operationId": named(&operation.id, version),
        "summary": operation.summary,
        "tags": [TAG],
        "responses": responses_of(operation, version),
    });
    let names = operation.query.iter().chain(added_parameters(operation.action));
    let references: Vec<_> = names.map(|name| reference("parameters", name)).collect();
    if !references.is_empty() {
        described["parameters"] = references.into();
    }
    if let Some(body) = body(operation, version) {
        described["requestBody"] = body;
    }
    described
}

/// Parameters that follow from the action.
fn added_parameters(action: Action) -> &'static [&'static str] {
    match action {
        Action::List => &["filterQuery", "pageSize", "orderBy", "sortOrder", "nextPageToken", "total"],
        Action::Find | Action::Get => &["ifNoneMatch"],
        Action::Changes | Action::FilterOptions | Action::Search => &[],
        Action::Update => &["ifMatch"],
        Action::Create | Action::Register => &["idempotencyKey"],
        Action::Upsert => &["idempotencyKey", "ifMatch"],
    }
}

fn body(operation: &Operation, version: ApiVersion) -> Option<Value> {
    let base = operation.subject.schema;
    let schema = match operation.action {
        Action::Find | Action::List | Action::Get | Action::Changes | Action::FilterOptions | Action::Search => {
            return None;
        }
        Action::Create => format!("{base}Create"),
        Action::Upsert => format!("{base}Upsert"),
        Action::Update => format!("{base}Update"),
        Action::Register => base.to_owned(),
    };
    let mut content = json!({"schema": reference("schemas", &kind_schemas::name(&schema, version))});
    if operation.action == Action::Register {
        content["example"] = registration::example();
    }
    Some(json!({"required": true, "content": {"application/json": content}}))
}

/// A response for every status that the operation can have.
fn responses_of(operation: &Operation, version: ApiVersion) -> Value {
    let (successes, errors): (&[&str], &[&str]) = match operation.action {
        Action::Find | Action::Get => (&["200"], &["304"]),
        Action::List | Action::FilterOptions | Action::Search => (&["200"], &[]),
        Action::Changes => (&["200"], &["410"]),
        Action::Create | Action::Register => (&["201"], &["409", "413", "422"]),
        // A body that identifies an existing entity updates it; If-Match may guard that.
        Action::Upsert => (&["200", "201"], &["409", "412", "413", "422"]),
        Action::Update => (&["200"], &["409", "412", "413"]),
    };
    let success = match operation.action {
        Action::List => named(&responses::list_name(operation.subject.schema), version),
        // The same in both versions.
        Action::Changes => responses::CHANGES.to_owned(),
        Action::FilterOptions => responses::FILTER_OPTIONS.to_owned(),
        Action::Search => responses::SEARCH_RESULTS.to_owned(),
        _ => named(&responses::entity_name(operation.subject.schema), version),
    };
    let successes = successes.iter().map(|status| ((*status).to_owned(), reference("responses", &success)));
    let errors = ALWAYS
        .iter()
        .chain(errors)
        .map(|status| ((*status).to_owned(), reference("responses", responses::error_name(status))));
    Value::Object(successes.chain(errors).collect())
}
