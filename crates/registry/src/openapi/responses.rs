//! Answers as components: one per entity and list, one per error, and their headers.

use model_registry_api::{ApiVersion, Kind};
use serde_json::{Map, Value, json};

use super::{kind_schemas, links, named, reference};

/// Errors that every operation can answer with. 404 is also the answer where a proxy or an older server knows no such
/// path.
pub(super) const ALWAYS: [&str; 7] = ["400", "401", "403", "404", "500", "503", "504"];

/// Status, name of the component, what it means.
const ERRORS: [(&str, &str, &str); 13] = [
    ("304", "NotModified", "The client has this very entity already."),
    ("400", "BadRequest", "The request cannot be understood or breaks a rule; the message says which."),
    ("401", "Unauthorized", "The server asks for a bearer token, and none that it knows was sent."),
    ("403", "Forbidden", "The caller lacks a right, which the message names."),
    ("404", "NotFound", "What the request names does not exist."),
    ("409", "Conflict", "Another entity already has this name or external id."),
    ("410", "Gone", "What is asked for is not kept any more; the message says how to go on."),
    ("412", "PreconditionFailed", "The entity is no longer the one that If-Match names."),
    ("413", "PayloadTooLarge", "The body is larger than the server's limit, which the message names."),
    (
        "422",
        "UnprocessableEntity",
        "A required field is missing or empty, or the Idempotency-Key was used for another request.",
    ),
    ("500", "InternalServerError", "The server failed; the message carries the id of the request."),
    ("503", "ServiceUnavailable", "The database is not available, or the server is too busy: try again later."),
    ("504", "GatewayTimeout", "The request took too long and was given up; whether anything was written is unknown."),
];

pub(super) fn error_name(status: &str) -> &'static str {
    ERRORS.iter().find(|(known, ..)| *known == status).map_or("InternalServerError", |(_, name, _)| name)
}

pub(super) fn entity_name(schema: &str) -> String {
    format!("{schema}Response")
}

pub(super) fn list_name(schema: &str) -> String {
    format!("{schema}ListResponse")
}

/// The error answers.
pub(super) fn errors() -> Map<String, Value> {
    let errors = ERRORS.iter().map(|(status, name, description)| {
        let mut headers = json!({"x-request-id": reference("headers", "RequestId")});
        match *status {
            "304" => headers["ETag"] = reference("headers", "ETag"),
            "401" => headers["WWW-Authenticate"] = reference("headers", "WwwAuthenticate"),
            "503" => headers["Retry-After"] = reference("headers", "RetryAfter"),
            _ => {}
        }
        let mut response = json!({"description": description, "headers": headers});
        if *status != "304" {
            response["content"] = json!({"application/json": {"schema": reference("schemas", "Error")}});
        }
        ((*name).to_owned(), response)
    });
    errors.collect()
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

fn success(description: &str, schema: &Value) -> Value {
    json!({
        "description": description,
        "headers": {"x-request-id": reference("headers", "RequestId")},
        "content": {"application/json": {"schema": schema}},
    })
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

/// Headers of answers.
pub(super) fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "ETag": text("The tag of the entity as it is now, for If-Match and If-None-Match."),
        "RequestId": text("The id of the request: the caller's x-request-id, or a new one."),
        "WwwAuthenticate": text("The way to authenticate: `Bearer`."),
        "RetryAfter": text("Seconds to wait before the next attempt."),
    })
}
