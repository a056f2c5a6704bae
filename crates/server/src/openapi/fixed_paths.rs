//! Paths of every server: health probes and the OpenAPI document.

use serde_json::{Map, Value, json};

use super::reference;

/// The tag of these operations.
pub const TAG: &str = "Health";

/// The path items; the document is at `document_path`.
pub fn all(document_path: &str) -> Map<String, Value> {
    let probes = [
        ("/livez", "getLiveness", "Checks that the process is alive."),
        ("/readyz", "getReadiness", "Checks that the server is ready for requests."),
        ("/readyz/health", "getHealth", "Checks that the server is ready for requests."),
        ("/readyz/isDirty", "getStorageHealth", "Checks that the database is reachable and its schema usable."),
    ];
    let probes = probes.map(|(path, id, summary)| (path.to_owned(), probe(id, summary)));
    let document = json!({"get": {
        "operationId": "getOpenApiDocument",
        "summary": "Gets this document.",
        "tags": [TAG],
        "security": [{}],
        "parameters": [reference("parameters", "ifNoneMatch")],
        "responses": {
            "200": {
                "description": "This document.",
                "headers": {"ETag": reference("headers", "ETag"), "x-request-id": reference("headers", "RequestId")},
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            "304": reference("responses", "NotModified"),
            "500": reference("responses", "InternalServerError"),
            "503": reference("responses", "ServiceUnavailable"),
            "504": reference("responses", "GatewayTimeout"),
        },
    }});
    probes.into_iter().chain([(document_path.to_owned(), document)]).collect()
}

fn probe(id: &str, summary: &str) -> Value {
    let response = |description: &str| {
        json!({
            "description": description,
            "headers": {"x-request-id": reference("headers", "RequestId")},
            "content": {
                "text/plain": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object", "required": ["status"]}},
            },
        })
    };
    json!({"get": {
        "operationId": id,
        "summary": summary,
        "tags": [TAG],
        "security": [{}],
        "parameters": [{
            "name": "format",
            "in": "query",
            "required": false,
            "description": "`json` for a JSON document with every check; otherwise the response is one line of text.",
            "schema": {"type": "string"},
        }],
        "responses": {"200": response("The checks pass; the text is `OK`."), "503": response("A check fails; the text is its message.")},
    }})
}
