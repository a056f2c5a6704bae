//! Answers that all documents have: errors, their headers, and the form of success.

use serde_json::{Map, Value, json};

use super::reference;

/// Status, name of the component, what it means.
pub type ErrorResponse = (&'static str, &'static str, &'static str);

/// Errors that every operation can answer with. 404 is also the answer where a proxy or an older server knows no such
/// path.
pub const ALWAYS: [&str; 7] = ["400", "401", "403", "404", "500", "503", "504"];

/// What every server may answer with.
pub const ERRORS: [ErrorResponse; 9] = [
    ("304", "NotModified", "The client has this very entity already."),
    ("400", "BadRequest", "The request cannot be understood or breaks a rule; the message says which."),
    ("401", "Unauthorized", "The server asks for a bearer token, and none that it knows was sent."),
    ("403", "Forbidden", "The caller lacks a right, which the message names."),
    ("404", "NotFound", "What the request names does not exist."),
    ("413", "PayloadTooLarge", "The body is larger than the server's limit, which the message names."),
    ("500", "InternalServerError", "The server failed; the message carries the id of the request."),
    ("503", "ServiceUnavailable", "The database is not available, or the server is too busy: try again later."),
    ("504", "GatewayTimeout", "The request took too long and was given up; whether anything was written is unknown."),
];

/// The components of error answers.
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

/// An answer with a body of this schema.
pub fn success(description: &str, schema: &Value) -> Value {
    json!({
        "description": description,
        "headers": {"x-request-id": reference("headers", "RequestId")},
        "content": {"application/json": {"schema": schema}},
    })
}

/// Headers of answers.
pub fn headers() -> Value {
    let text = |description: &str| json!({"description": description, "schema": {"type": "string"}});
    json!({
        "ETag": text("The tag of the entity as it is now, for If-Match and If-None-Match."),
        "RequestId": text("The id of the request: the caller's x-request-id, or a new one."),
        "WwwAuthenticate": text("The way to authenticate: `Bearer`."),
        "RetryAfter": text("Seconds to wait before the next attempt."),
    })
}
