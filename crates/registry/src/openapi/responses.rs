//! Answers as components: one per entity and list, and the errors of the registry alone.

use model_registry_api::{ApiVersion, Kind};
use model_registry_server::openapi::reference;
use model_registry_server::openapi::responses::{self, ErrorResponse, success};
use serde_json::{Map, Value, json};

use super::{kind_schemas, links, named};

/// What the registry answers with beyond what every server does.
const ERRORS: [ErrorResponse; 4] = [
    ("409", "Conflict", "Another entity already has this name or external id."),
    ("410", "Gone", "What is asked for is not kept any more; the message says how to go on."),
    ("412", "PreconditionFailed", "The entity is no longer the one that If-Match names."),
    (
        "422",
        "UnprocessableEntity",
        "A required field is missing or empty, or the Idempotency-Key was used for another request.",
    ),
];

/// The error answers.
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

/// The component with the answer of the change feed.
pub(super) const CHANGES: &str = "ChangesResponse";

/// The answer of the change feed.
pub(super) fn changes() -> Map<String, Value> {
    let mut answer = success("The next changes.", &reference("schemas", "Changes"));
    answer["content"]["text/event-stream"] = json!({"schema": {"type": "string"}});
    Map::from_iter([(CHANGES.to_owned(), answer)])
}

/// The answers of a version that carry entities.
pub(super) fn answers(version: ApiVersion) -> Map<String, Value> {
    let mut answers = Map::new();
    for schema in kind_schemas::answered(version) {
        let body = reference("schemas", &kind_schemas::name(schema, version));
        let mut entity = success(&format!("One {}.", words(schema)), &body);
        entity["headers"]["ETag"] = reference("headers", "ETag");
        let body = reference("schemas", &kind_schemas::name(&format!("{schema}List"), version));
        let mut list = success(&format!("A page of {}.", plural(schema)), &body);
        if let Some(links) = links::of(schema, version) {
            entity["links"] = links.clone();
            list["links"] = links;
        }
        // Metrics are answered one by one as artifacts alone.
        if schema != "Metric" {
            answers.insert(named(&entity_name(schema), version), entity);
        }
        answers.insert(named(&list_name(schema), version), list);
    }
    let body = reference("schemas", &kind_schemas::name("RegistrationAnswer", version));
    let registered = success("The model, and the version and artifacts that were created.", &body);
    answers.insert(named("RegistrationResponse", version), registered);
    answers
}

fn words(schema: &str) -> &'static str {
    kind(schema).map_or("artifact", |kind| kind.spec().label)
}

fn plural(schema: &str) -> &'static str {
    match kind(schema) {
        Some(Kind::Metric) => Kind::MetricPoint.spec().label_plural,
        Some(kind) => kind.spec().label_plural,
        None => "artifacts",
    }
}

fn kind(schema: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.spec().schema == schema)
}
