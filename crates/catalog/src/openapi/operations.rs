//! Every operation, one line each. A test compares the table with the routes, another with the contract.

use model_registry_api::catalog::{MCP_CATALOG, MODEL_CATALOG};
use model_registry_server::openapi::reference;
use model_registry_server::openapi::responses::{self, ALWAYS, ErrorResponse};
use serde_json::{Map, Value, json};

use super::{MCP_TAG, MODEL_TAG, parameters};

/// An operation.
struct Operation {
    id: &'static str,
    base: &'static str,
    path: &'static str,
    /// Components of its query, separated by spaces.
    query: &'static str,
    /// The component that answers success.
    answer: &'static str,
    summary: &'static str,
}

const fn models(
    path: &'static str,
    id: &'static str,
    query: &'static str,
    answer: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { id, base: MODEL_CATALOG, path, query, answer, summary }
}

const fn servers(
    path: &'static str,
    id: &'static str,
    query: &'static str,
    answer: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { id, base: MCP_CATALOG, path, query, answer, summary }
}

const PREVIEW: &str = "previewCatalogSource";

#[rustfmt::skip]
static OPERATIONS: [Operation; 13] = [
    models("/labels", "findLabels", "assetType pageSize labelOrderBy sortOrder nextPageToken", "CatalogLabelListResponse", "Lists what the labels of sources mean."),
    models("/models", "findModels", "source sourceLabel q filterQuery recommendations targetRPS latencyProperty rpsProperty hardwareCountProperty hardwareTypeProperty pageSize modelOrderBy sortOrder nextPageToken", "CatalogModelListResponse", "Lists the models of all sources, searched, filtered, ordered, or ranked by how fast they answer."),
    models("/models/filter_options", "findModelsFilterOptions", "", "FilterOptionsResponse", "Tells what models can be filtered by."),
    models("/sources", "findSources", "sourceName assetType pageSize sourceOrderBy sortOrder nextPageToken", "CatalogSourceListResponse", "Lists sources, and how the last load of each went."),
    models("/sources/preview", PREVIEW, "pageSize nextPageToken filterStatus", "CatalogSourcePreviewResponse", "Tells which models a source would publish, before it is configured."),
    models("/sources/{source_id}/models/{model_name+}", "getModel", "", "CatalogModelResponse", "Gets a model by its source and name; slashes in the name may stand as they are."),
    models("/sources/{source_id}/models/{model_name}/artifacts", "getAllModelArtifacts", "artifactType artifact_type filterQuery pageSize artifactOrderBy sortOrder nextPageToken", "CatalogArtifactListResponse", "Lists where to get a model and what was measured of it."),
    models("/sources/{source_id}/models/{model_name}/artifacts/performance", "getAllModelPerformanceArtifacts", "targetRPS recommendations rpsProperty latencyProperty hardwareCountProperty hardwareTypeProperty filterQuery pageSize artifactOrderBy sortOrder nextPageToken", "CatalogArtifactListResponse", "Lists how fast a model is on which hardware, what a request rate takes, and what to choose."),
    servers("/mcp_servers", "findMCPServers", "serverName q sourceLabel filterQuery namedQuery includeTools toolLimit pageSize orderBy sortOrder nextPageToken", "MCPServerListResponse", "Lists the MCP servers of all sources, searched, filtered, ordered."),
    servers("/mcp_servers/filter_options", "findMCPServersFilterOptions", "", "FilterOptionsResponse", "Tells what MCP servers can be filtered by."),
    servers("/mcp_servers/{server_id}", "getMCPServer", "includeTools toolLimit", "MCPServerResponse", "Gets an MCP server."),
    servers("/mcp_servers/{server_id}/tools", "findMCPServerTools", "filterQuery pageSize orderBy sortOrder nextPageToken", "MCPToolsListResponse", "Lists the tools of an MCP server."),
    servers("/mcp_servers/{server_id}/tools/{tool_name}", "getMCPServerTool", "", "MCPToolWithServerResponse", "Gets a tool of an MCP server by its name."),
];

/// Name of the component, its schema, what it is.
pub(super) const ANSWERS: [(&str, &str, &str); 11] = [
    ("CatalogArtifactListResponse", "CatalogArtifactList", "A page of artifacts."),
    ("CatalogLabelListResponse", "CatalogLabelList", "A page of labels."),
    ("CatalogModelListResponse", "CatalogModelList", "A page of models."),
    ("CatalogModelResponse", "CatalogModel", "One model."),
    ("CatalogSourceListResponse", "CatalogSourceList", "A page of sources."),
    ("CatalogSourcePreviewResponse", "CatalogSourcePreviewResponse", "A page of names, and how many there are."),
    ("FilterOptionsResponse", "FilterOptionsList", "What can be filtered by, and the filters that have a name."),
    ("MCPServerListResponse", "MCPServerList", "A page of MCP servers."),
    ("MCPServerResponse", "MCPServer", "One MCP server."),
    ("MCPToolWithServerResponse", "MCPToolWithServer", "One tool, and whose it is."),
    ("MCPToolsListResponse", "MCPToolsList", "A page of tools."),
];

/// What the catalog answers with beyond what every server does.
pub(super) const ERRORS: [ErrorResponse; 1] = [(
    "422",
    "UnprocessableEntity",
    "The source cannot be read: its configuration is wrong, or what it names is not to be had.",
)];

/// Every path with its operation.
pub(super) fn paths() -> Map<String, Value> {
    let paths = OPERATIONS.iter().map(|operation| {
        let method = if operation.id == PREVIEW { "post" } else { "get" };
        let mut item = json!({method: describe(operation)});
        let parameters: Vec<Value> = parameters::of_path(operation.path).collect();
        if !parameters.is_empty() {
            item["parameters"] = parameters.into();
        }
        (format!("{}{}", operation.base, operation.path), item)
    });
    paths.collect()
}

fn describe(operation: &Operation) -> Value {
    let more: &[&str] = if operation.id == PREVIEW { &["413", "422"] } else { &[] };
    let mut answers = Map::from_iter([("200".to_owned(), reference("responses", operation.answer))]);
    for status in ALWAYS.iter().chain(more) {
        answers.insert((*status).to_owned(), reference("responses", error_name(status)));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [if operation.base == MCP_CATALOG { MCP_TAG } else { MODEL_TAG }],
        "responses": answers,
    });
    let query: Vec<Value> = operation.query.split_whitespace().map(|name| reference("parameters", name)).collect();
    if !query.is_empty() {
        described["parameters"] = query.into();
    }
    if operation.id == PREVIEW {
        described["requestBody"] = preview_form();
    }
    described
}

fn error_name(status: &str) -> &'static str {
    let mut errors = responses::ERRORS.iter().chain(&ERRORS);
    errors.find(|(known, ..)| *known == status).map_or("InternalServerError", |(_, name, _)| name)
}

fn preview_form() -> Value {
    let file = |description: &str| json!({"type": "string", "format": "binary", "description": description});
    json!({"required": true, "content": {"multipart/form-data": {"schema": {
        "type": "object",
        "required": ["config"],
        "properties": {
            "config": file("The source as one entry of a sources file, in YAML."),
            "catalogData": file("The model file that a source of type `yaml` would read."),
        },
    }}}})
}
