//! Schemas of MCP servers and their tools.

use serde_json::{Map, Value, json};

use super::build::{
    all_of, choice, date_time, described, flag, list_of, named, object, page_of, schema, text, texts, uri,
};

const CARD: &str = "\
    Markdown as its author wrote it, which may contain anything. Viewers have to sanitise it before they show it as HTML.";

pub(super) fn all() -> Map<String, Value> {
    named([
        ("MCPServer", server()),
        ("MCPServerList", page_of("MCPServer")),
        ("MCPEndpoints", endpoints()),
        ("MCPArtifact", artifact()),
        ("MCPSecurityIndicator", security_indicator()),
        ("MCPTool", tool()),
        ("MCPToolsList", page_of("MCPTool")),
        ("MCPToolParameter", tool_parameter()),
        ("MCPToolWithServer", tool_with_server()),
    ])
}

fn server() -> Value {
    let transports = json!({
        "type": "array",
        "items": {"type": "string", "enum": model_registry_catalog_sources::TRANSPORTS},
        "description": "How it can be talked to.",
    });
    let own = object(
        "name toolCount",
        [
            ("name", text("Name, unique together with the version.")),
            ("source_id", text("Id of its source.")),
            ("provider", text("Who provides the server.")),
            ("logo", text("A URL or data URL of a logo.")),
            ("version", text("Version; empty where there is none.")),
            ("tags", texts("Tags.")),
            ("license", text("The licence's name for people.")),
            ("license_link", uri("Where the licence's text is.")),
            ("toolCount", json!({"type": "integer", "description": "How many tools it has."})),
            ("tools", list_of("MCPTool", "Its tools, where they were asked for.")),
            ("securityIndicators", schema("MCPSecurityIndicator")),
            ("deploymentMode", choice(&model_registry_catalog_sources::DEPLOYMENT_MODES, "Where it runs.")),
            ("transports", transports),
            ("artifacts", list_of("MCPArtifact", "Images to run it from.")),
            ("endpoints", schema("MCPEndpoints")),
            ("readme", text(CARD)),
            ("documentationUrl", uri("Where it is described.")),
            ("repositoryUrl", uri("Where its repository is.")),
            ("sourceCode", uri("Where its source code is.")),
            ("publishedDate", date_time("When it was published.")),
            ("lastUpdated", date_time("When it was changed last.")),
            ("runtimeMetadata", schema("MCPRuntimeMetadata")),
        ],
    );
    all_of("An MCP server that a source publishes.", own, &["BaseResource"])
}

fn endpoints() -> Value {
    described(
        "Where a remote server answers.",
        object(
            "",
            [
                ("http", uri("Streamable HTTP.")),
                ("sse", uri("Server-sent events.")),
                ("websocket", uri("A web socket.")),
            ],
        ),
    )
}

fn artifact() -> Value {
    all_of("An image to run a server from.", object("uri", [("uri", uri("Where it is."))]), &["BaseResourceDates"])
}

fn security_indicator() -> Value {
    described(
        "What is claimed about a server's safety.",
        object(
            "",
            [
                ("verifiedSource", flag("Whether its source is verified.")),
                ("secureEndpoint", flag("Whether its endpoint is secured.")),
                ("sast", flag("Whether its code was analysed statically.")),
                ("readOnlyTools", flag("Whether none of its tools changes anything.")),
            ],
        ),
    )
}

fn tool() -> Value {
    let own = object(
        "name accessType",
        [
            ("name", text("Name, unique in its server.")),
            ("accessType", choice(&model_registry_catalog_sources::ACCESS_TYPES, "What calling it may do.")),
            ("parameters", list_of("MCPToolParameter", "What it is called with.")),
        ],
    );
    all_of("Something that an MCP server can do.", own, &["BaseResource"])
}

fn tool_parameter() -> Value {
    object(
        "name type required",
        [
            ("name", text("Name.")),
            ("type", text("Type, as JSON Schema names it.")),
            ("required", flag("Whether it has to be given.")),
            ("description", text("What it is for.")),
        ],
    )
}

fn tool_with_server() -> Value {
    object(
        "serverId serverName tool",
        [
            ("serverId", text("Id of its server.")),
            ("serverName", text("Name of its server.")),
            ("tool", schema("MCPTool")),
        ],
    )
}
