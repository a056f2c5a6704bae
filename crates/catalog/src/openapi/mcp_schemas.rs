//! Schemas of MCP servers and their tools.

use model_registry_api::catalog::{CatalogKind, CatalogVersion};
use serde_json::{Map, Value};

use super::build::{all_of, boolean, described, named, nested_object, object, schema, string, uri};

pub(super) fn all() -> Map<String, Value> {
    let indicators = nested_object(CatalogKind::McpServer.spec().fields, "securityIndicators");
    named([
        ("MCPEndpoints", endpoints()),
        ("MCPArtifact", artifact()),
        ("MCPSecurityIndicator", described("Security claims of the publisher.", indicators)),
        ("MCPTool", super::resource("A tool of an MCP server.", CatalogKind::McpTool, CatalogVersion::default())),
        ("MCPToolsList", super::build::page_of("MCPTool")),
        ("MCPToolParameter", tool_parameter()),
        ("MCPToolWithServer", tool_with_server()),
    ])
}

fn endpoints() -> Value {
    described(
        "URLs of a remote server.",
        object(
            "",
            [
                ("http", uri("Streamable HTTP.")),
                ("sse", uri("Server-sent events.")),
                ("websocket", uri("A WebSocket.")),
            ],
        ),
    )
}

fn artifact() -> Value {
    all_of("An image to run a server from.", object("uri", [("uri", uri("URI of the image."))]), &["BaseResourceDates"])
}

fn tool_parameter() -> Value {
    object(
        "name type required",
        [
            ("name", string("Name.")),
            ("type", string("Type, as in JSON Schema.")),
            ("required", boolean("Whether a call has to pass it.")),
            ("description", string("Purpose of the parameter.")),
        ],
    )
}

fn tool_with_server() -> Value {
    object(
        "serverId serverName tool",
        [
            ("serverId", string("Id of the server.")),
            ("serverName", string("Name of the server.")),
            ("tool", schema("MCPTool")),
        ],
    )
}
