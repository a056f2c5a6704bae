//! Responses as components: one per entity and list, and the error responses of the registry only.

use std::collections::BTreeMap;

use model_registry_api::ApiVersion;
use model_registry_server::openapi::reference;
use model_registry_server::openapi::responses::{self, ErrorResponse, success};
use serde_json::{Map, Value, json};

use super::{filter_options, kind_schemas, links, named, search};
use crate::operations::{Action, Operation, Subject, capitalised, with_article};

/// Error responses in addition to those of all servers.
const ERRORS: [ErrorResponse; 4] = [
    ("409", "Conflict", "Another entity already has this name or external id."),
    ("410", "Gone", "The requested changes have expired; the message describes how to continue."),
    ("412", "PreconditionFailed", "The entity's ETag is none of those in If-Match."),
    (
        "422",
        "UnprocessableEntity",
        "A required field is missing or empty, or the Idempotency-Key was used for another request.",
    ),
];

/// The error responses.
pub(super) fn errors() -> Map<String, Value> {
    responses::errors(responses::ERRORS.iter().chain(&ERRORS))
}

pub(super) fn error_name(status: &str) -> &'static str {
    responses::ERRORS
        .iter()
        .chain(&ERRORS)
        .find(|(known, ..)| *known == status)
        .map_or("InternalServerError", |(_, name, _)| name)
}

pub(super) fn entity_name(schema: &str) -> String {
    format!("{schema}Response")
}

pub(super) fn list_name(schema: &str) -> String {
    format!("{schema}ListResponse")
}

/// The component of the change feed's response.
pub(super) const CHANGES: &str = "ChangesResponse";

/// The response of the change feed.
pub(super) fn changes() -> Map<String, Value> {
    let mut response = success("The next changes.", &reference("schemas", "Changes"));
    response["content"]["text/event-stream"] = json!({"schema": {"type": "string"}});
    Map::from_iter([(CHANGES.to_owned(), response)])
}

/// The component of the responses with filter options.
pub(super) const FILTER_OPTIONS: &str = "FilterOptionsResponse";
/// The component of the response of a search.
pub(super) const SEARCH_RESULTS: &str = "SearchResultsResponse";

/// The responses with filter options and with results of a search.
pub(super) fn options_and_search() -> Map<String, Value> {
    let options = success("What filters can use.", &reference("schemas", filter_options::SCHEMA));
    let results = success("The best matches.", &reference("schemas", search::SCHEMA));
    Map::from_iter([(FILTER_OPTIONS.to_owned(), options), (SEARCH_RESULTS.to_owned(), results)])
}

/// The subjects of operations with one of the actions, by schema.
pub(super) fn subjects(operations: &[Operation], has: fn(Action) -> bool) -> BTreeMap<&'static str, Subject> {
    let operations = operations.iter().filter(|operation| has(operation.action));
    operations.map(|operation| (operation.subject.schema, operation.subject)).collect()
}

/// Whether the response is one entity.
fn is_entity(action: Action) -> bool {
    !matches!(action, Action::List | Action::Register | Action::Changes | Action::FilterOptions | Action::Search)
}

/// The success responses of a version's operations, except for the change feed.
pub(super) fn of(operations: &[Operation], version: ApiVersion) -> Map<String, Value> {
    let mut all = Map::new();
    for (schema, subject) in subjects(operations, is_entity) {
        let body = reference("schemas", &kind_schemas::name(schema, version));
        let mut response = success(&capitalised(&format!("{}.", with_article(subject.label))), &body);
        response["headers"]["ETag"] = reference("headers", "ETag");
        if let Some(links) = links::of(operations, schema, version) {
            response["links"] = links;
        }
        all.insert(named(&entity_name(schema), version), response);
    }
    for (schema, subject) in subjects(operations, |action| action == Action::List) {
        let body = reference("schemas", &kind_schemas::name(&format!("{schema}List"), version));
        let mut response = success(&format!("A page of {}.", subject.label_plural), &body);
        if let Some(links) = links::of(operations, schema, version) {
            response["links"] = links;
        }
        all.insert(named(&list_name(schema), version), response);
    }
    let body = reference("schemas", &kind_schemas::name("RegistrationResult", version));
    let response = success("The found or created model, the created version and its artifacts.", &body);
    all.insert(named(&entity_name("Registration"), version), response);
    all
}
