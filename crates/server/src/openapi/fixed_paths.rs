//! Paths outside every API: probes and the document itself.

use serde_json::{Map, Value, json};

use super::reference;

/// The tag of these operations.
pub const TAG: &str = "Health";

/// All of them; the document is at `document_path`.
pub fn all(document_path: &str) -> Map<String, Value> {
    let probes = [
        ("/livez", "getLiveness", "Tells whether the process runs."),
        ("/readyz", "getReadiness", "Tells whether the server can answer requests."),
        ("/readyz/health", "getHealth", "Tells whether the server can answer requests."),
        ("/readyz/isDirty", "getStorageHealth", "Tells whether the database is reachable and its schema usable."),
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
    let answer = |description: &str| {
        json!({
            "description": description,
            "headers": {"x-request-id": reference("headers", "RequestId")},
            "content": {
                "text/plain": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object", "required": ["status", "checks"]}},
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
            "description": "`json` for every check by itself; anything else for one line.",
            "schema": {"type": "string"},
        }],
        "responses": {"200": answer("All is well: `OK`."), "503": answer("What is wrong.")},
    }})
}
