//! The operations of the table as path items.

use model_registry_api::ApiVersion;
use model_registry_server::openapi::reference;
use model_registry_server::openapi::responses::ALWAYS;
use serde_json::{Map, Value, json};

use super::operations::{self, Action, Operation, TAG};
use super::{kind_schemas, links, named, parameters, registration, responses};

/// Every path of a version, with its operations.
pub(super) fn all(version: ApiVersion) -> Map<String, Value> {
    let mut paths = Map::new();
    for operation in operations::of(version) {
        let path = format!("{}{}", version.base_path(), operation.path);
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method(operation.action)] = describe(operation, version);
        if let Some(id) = path_parameter(operation.path) {
            item["parameters"] = json!([parameters::path_id(id)]);
        }
    }
    paths
}

fn method(action: Action) -> &'static str {
    match action {
        Action::Find | Action::List | Action::Get | Action::Changes => "get",
        Action::Create | Action::Upsert | Action::Register => "post",
        Action::Update => "patch",
    }
}

fn path_parameter(path: &str) -> Option<&str> {
    let (_, rest) = path.split_once('{')?;
    rest.split_once('}').map(|(name, _)| name)
}

fn describe(operation: &Operation, version: ApiVersion) -> Value {
    let mut described = json!({
        "operationId": named(operation.id, version),
        "summary": operation.summary,
        "tags": [TAG],
        "responses": answers(operation, version),
    });
    let names = operation.query.split_whitespace().chain(added_parameters(operation.action).iter().copied());
    let references: Vec<_> = names.map(|name| reference("parameters", name)).collect();
    if !references.is_empty() {
        described["parameters"] = references.into();
    }
    if let Some(body) = body(operation, version) {
        described["requestBody"] = body;
    }
    described
}

/// Parameters that follow from what an operation does.
fn added_parameters(action: Action) -> &'static [&'static str] {
    match action {
        Action::List => &["filterQuery", "pageSize", "orderBy", "sortOrder", "nextPageToken"],
        Action::Find | Action::Get => &["ifNoneMatch"],
        Action::Changes => &[],
        Action::Update => &["ifMatch"],
        Action::Create | Action::Register => &["idempotencyKey"],
        Action::Upsert => &["idempotencyKey", "ifMatch"],
    }
}

fn body(operation: &Operation, version: ApiVersion) -> Option<Value> {
    let schema = match operation.action {
        Action::Find | Action::List | Action::Get | Action::Changes => return None,
        Action::Create => format!("{}Create", operation.schema),
        Action::Upsert => format!("{}Upsert", operation.schema),
        Action::Update => format!("{}Update", operation.schema),
        Action::Register => operation.schema.to_owned(),
    };
    let mut content = json!({"schema": reference("schemas", &kind_schemas::name(&schema, version))});
    if operation.action == Action::Register {
        content["example"] = registration::example();
    }
    Some(json!({"required": true, "content": {"application/json": content}}))
}

/// Every status the server can answer with.
fn answers(operation: &Operation, version: ApiVersion) -> Value {
    let (successes, errors): (&[&str], &[&str]) = match operation.action {
        Action::Find | Action::Get => (&["200"], &["304"]),
        Action::List | Action::Changes => (&["200"], &[]),
        Action::Create | Action::Register => (&["201"], &["409", "413", "422"]),
        // A body with the id of an entity that exists is a change of it, which If-Match may guard.
        Action::Upsert => (&["200", "201"], &["409", "412", "413", "422"]),
        Action::Update => (&["200"], &["409", "412", "413"]),
    };
    let success = match operation.action {
        Action::List => responses::list_name(operation.schema),
        Action::Changes => return changes(),
        _ => responses::entity_name(operation.schema),
    };
    let success = reference("responses", &named(&success, version));
    let mut all = Map::new();
    for status in successes {
        all.insert((*status).to_owned(), success.clone());
    }
    for status in ALWAYS.iter().chain(errors) {
        all.insert((*status).to_owned(), reference("responses", responses::error_name(status)));
    }
    Value::Object(all)
}

/// The answers of the change feed, the same in both versions.
fn changes() -> Value {
    let mut all = Map::from_iter([("200".to_owned(), reference("responses", responses::CHANGES))]);
    for status in ALWAYS.into_iter().chain(["410"]) {
        all.insert(status.to_owned(), reference("responses", responses::error_name(status)));
    }
    Value::Object(all)
}

/// The name of the path parameter of the operation that gets an entity, and the operation's id.
pub(super) fn getter(schema: &str) -> Option<(&'static str, &'static str)> {
    links::LINKED.iter().find(|linked| linked.schema == schema)?;
    let is_getter = |line: &&Operation| line.action == Action::Get && line.schema == schema && line.path.ends_with('}');
    let getter = operations::of(ApiVersion::V1Alpha3).find(is_getter)?;
    Some((path_parameter(getter.path)?, getter.id))
}
