//! The operations: those that every asset type has, derived from its declaration, and a table of the others. A test compares
//! them with the routes, another with the contract.

use model_registry_api::catalog::{Address, AssetType, AssetTypeSpec, CatalogVersion};
use model_registry_server::openapi::reference;
use model_registry_server::openapi::responses::{self, ALWAYS, ErrorResponse};
use serde_json::{Map, Value, json};

use super::{named, parameters};

/// An operation.
struct Operation {
    id: String,
    tag: &'static str,
    path: String,
    /// References to its query parameters, or the parameters.
    query: Vec<Value>,
    /// Component of the successful response.
    response: String,
    summary: String,
}

const PREVIEW: &str = "previewCatalogSource";

/// Path, operation id, components of the query separated by spaces, component of the successful response, summary.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const OF_MODELS: [Row; 5] = [
    ("/labels", "findLabels", "assetType pageSize labelOrderBy sortOrder nextPageToken", "CatalogLabelListResponse", "Lists the descriptions of labels of sources."),
    ("/sources", "findSources", "sourceName assetType pageSize sourceOrderBy sortOrder nextPageToken", "CatalogSourceListResponse", "Lists sources with the result of their last load."),
    ("/sources/preview", PREVIEW, "pageSize nextPageToken filterStatus", "PreviewCatalogSourceResponse", "Lists the names that a source would publish, before it is configured."),
    ("/sources/{source_id}/models/{model_name}/artifacts", "getAllModelArtifacts", "artifactType artifact_type filterQuery pageSize artifactOrderBy sortOrder nextPageToken", "CatalogArtifactListResponse", "Lists the artifacts of a model: its locations and metrics."),
    ("/sources/{source_id}/models/{model_name}/artifacts/performance", "getAllModelPerformanceArtifacts", "targetRPS recommendations rpsProperty latencyProperty hardwareCountProperty hardwareTypeProperty filterQuery pageSize artifactOrderBy sortOrder nextPageToken", "CatalogArtifactListResponse", "Lists the performance metrics of a model, with the replicas that a request rate needs, or only the recommended ones."),
];

#[rustfmt::skip]
const OF_MCP_SERVERS: [Row; 1] = [
    ("/mcp_servers/{server_id}/tools/{tool_name}", "getMCPServerTool", "", "MCPToolWithServerResponse", "Gets a tool of an MCP server by its name."),
];

/// Component, its schema, its description.
const RESPONSES: [(&str, &str, &str); 6] = [
    ("CatalogArtifactListResponse", "CatalogArtifactList", "A page of artifacts."),
    ("CatalogLabelListResponse", "CatalogLabelList", "A page of labels."),
    ("CatalogSourceListResponse", "CatalogSourceList", "A page of sources."),
    ("PreviewCatalogSourceResponse", "PreviewCatalogSourceResponse", "A page of names, and their counts."),
    ("FilterOptionsResponse", "FilterOptionsList", "The fields that filters can use, and the named queries."),
    ("MCPToolWithServerResponse", "MCPToolWithServer", "A tool and its server."),
];

/// Errors of the catalog in addition to those of every server.
pub(super) const ERRORS: [ErrorResponse; 1] = [(
    "422",
    "UnprocessableEntity",
    "The source cannot be read: its configuration is wrong, or its data is not available.",
)];

/// The components of successful responses.
pub(super) fn responses() -> Map<String, Value> {
    let mut all = Map::new();
    let mut add = |name: String, schema: &str, description: &str| {
        all.insert(name, responses::success(description, &reference("schemas", schema)));
    };
    for (name, schema, description) in RESPONSES {
        add(name.to_owned(), schema, description);
    }
    for children in AssetType::ALL.iter().flat_map(|one| one.spec().api.children) {
        let description = format!("A page of {}.", children.collection);
        add(format!("{}Response", children.schema), children.schema, &description);
    }
    all
}

/// The components of the responses with items, in the form of a version.
pub(super) fn item_responses(version: CatalogVersion) -> Map<String, Value> {
    let mut all = Map::new();
    for spec in AssetType::ALL.map(AssetType::spec) {
        for (part, description) in
            [("List", format!("A page of {}.", spec.label_plural)), ("", format!("The {}.", spec.label))]
        {
            let schema = named(&format!("{}{part}", spec.api.schema), version);
            let response = responses::success(&description, &reference("schemas", &schema));
            all.insert(named(&format!("{}{part}Response", spec.api.schema), version), response);
        }
    }
    all
}

/// Every path with its operation.
pub(super) fn paths(version: CatalogVersion) -> Map<String, Value> {
    let mut operations: Vec<Operation> =
        AssetType::ALL.iter().flat_map(|one| of_asset_type(one.spec(), version)).collect();
    let of = |asset_type: AssetType, rows: &'static [Row]| {
        let api = &asset_type.spec().api;
        let base = api.base_path(version);
        rows.iter().map(move |(path, id, query, response, summary)| Operation {
            id: named(id, version),
            tag: api.tag,
            path: format!("{base}{}", path_in(path, version)),
            query: query.split_whitespace().map(|name| reference("parameters", name)).collect(),
            response: (*response).to_owned(),
            summary: (*summary).to_owned(),
        })
    };
    operations.extend(of(AssetType::Models, &OF_MODELS));
    operations.extend(of(AssetType::McpServers, &OF_MCP_SERVERS));
    operations.into_iter().map(describe).collect()
}

/// The list, the filter options, the single item and the children of an asset type.
fn of_asset_type(spec: &'static AssetTypeSpec, version: CatalogVersion) -> Vec<Operation> {
    let api = &spec.api;
    let base = api.base_path(version);
    let list = format!("{base}/{}", api.collection);
    let item = match api.address {
        Address::SourceAndName { parameter } => {
            format!("{base}/sources/{{source_id}}/{}/{{{parameter}+}}", api.collection)
        }
        Address::Id { parameter, .. } => format!("{list}/{{{parameter}}}"),
    };
    let by = match api.address {
        Address::SourceAndName { .. } => "its source and name; the name may contain slashes",
        Address::Id { .. } => "its id",
    };
    let labels = spec.label_plural;
    let operation = |id: String, path: String, query: Vec<Value>, response: String, summary: String| Operation {
        id: named(&id, version),
        tag: api.tag,
        path,
        query,
        response,
        summary,
    };
    let mut operations = vec![
        operation(
            format!("find{}", api.operation_plural),
            list.clone(),
            parameters::of_list(spec),
            named(&format!("{}ListResponse", api.schema), version),
            format!("Lists the {labels} of all sources."),
        ),
        operation(
            format!("find{}FilterOptions", api.operation_plural),
            format!("{list}/filter_options"),
            Vec::new(),
            "FilterOptionsResponse".to_owned(),
            format!("Lists the fields that filters on {labels} can use, with their values."),
        ),
        operation(
            format!("get{}", api.operation),
            item.clone(),
            parameters::of_included(spec),
            named(&format!("{}Response", api.schema), version),
            format!("Gets a single {} by {by}.", spec.label),
        ),
    ];
    operations.extend(api.children.iter().map(|children| {
        operation(
            children.operation.to_owned(),
            format!("{item}/{}", children.collection),
            parameters::of_children(children),
            format!("{}Response", children.schema),
            children.summary.to_owned(),
        )
    }));
    operations
}

/// In v1, the name of a model in a path may contain slashes wherever it is.
fn path_in(path: &str, version: CatalogVersion) -> String {
    match version {
        CatalogVersion::V1Alpha1 => path.to_owned(),
        CatalogVersion::V1 => path.replace("{model_name}", "{model_name+}"),
    }
}

fn describe(operation: Operation) -> (String, Value) {
    let is_preview = operation.id.starts_with(PREVIEW);
    let more: &[&str] = if is_preview { &["413", "422"] } else { &[] };
    let mut responses = Map::from_iter([("200".to_owned(), reference("responses", &operation.response))]);
    for status in ALWAYS.iter().chain(more) {
        responses.insert((*status).to_owned(), reference("responses", error_name(status)));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": responses,
    });
    if !operation.query.is_empty() {
        described["parameters"] = operation.query.into();
    }
    if is_preview {
        described["requestBody"] = preview_form();
    }
    let mut item = json!({if is_preview { "post" } else { "get" }: described});
    let parameters: Vec<Value> = parameters::of_path(&operation.path).collect();
    if !parameters.is_empty() {
        item["parameters"] = parameters.into();
    }
    (operation.path, item)
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
            "config": file("The source in YAML, as an entry of a sources file."),
            "catalogData": file("The data file, for a source of type `yaml`."),
        },
    }}}})
}
