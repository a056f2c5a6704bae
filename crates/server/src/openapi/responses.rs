//! Common responses: errors, their headers, and success.

use serde_json::{Map, Value, json};

use super::reference;

/// Status, name of the component, description.
pub type ErrorResponse = (&'static str, &'static str, &'static str);

/// Status codes of errors that every operation may respond with; 404 also if a proxy or an older server does not have
/// the path.
pub const ALWAYS: [&str; 7] = ["400", "401", "403", "404", "500", "503", "504"];

/// The error responses that servers share.
pub const ERRORS: [ErrorResponse; 9] = [
    ("304", "NotModified", "The entity has not changed; the client already has it."),
    ("400", "BadRequest", "The request is malformed or violates a rule; the message says which."),
    ("401", "Unauthorized", "A valid bearer token is required."),
    ("403", "Forbidden", "The caller lacks a right; the message names it."),
    ("404", "NotFound", "The entity or path does not exist."),
    ("413", "PayloadTooLarge", "The body exceeds the limit of the server; the message states the limit."),
    ("500", "InternalServerError", "Internal error; the message contains the request id."),
    ("503", "ServiceUnavailable", "The database is unavailable or the server is overloaded; try again later."),
    ("504", "GatewayTimeout", "The request timed out; whether a write took effect is unknown."),
];

/// The components of error responses.
pub fn errors<'a>(errors: impl IntoIterator<Item = &'a ErrorResponse>) -> Map<String, Value> {
    let errors = errors.into_iter().map(|(status, name, description)| {
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

/// A response with a body of this schema.
pub fn success(description: &str, schema: &Value) -> Value {
    json!({
        "description": description,
        "headers": {"x-request-id": reference("headers", "RequestId")},
        "content": {"application/json": {"schema": schema}},
    })
}

/// The components of response headers.
pub fn headers() -> Value {
    let string = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "ETag": string("Tag of the current revision of the entity, for If-Match and If-None-Match."),
        "RequestId": string("Id of the request: the caller's x-request-id, or a new id."),
        "WwwAuthenticate": string("Authentication scheme: `Bearer`."),
        "RetryAfter": string("Seconds to wait before a retry."),
    })
}
