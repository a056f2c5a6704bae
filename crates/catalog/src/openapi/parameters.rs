//! Parameters of paths and queries.

use model_registry_api::page::MAX_PAGE_SIZE;
use model_registry_server::openapi::{if_none_match, reference};
use serde_json::{Map, Value, json};

use super::build::{choice, flag_or, formed, text};

/// The parameters of a path template.
pub(super) fn of_path(path: &str) -> impl Iterator<Item = Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.map(|name| {
        let description = match name {
            "source_id" => "Id of the source.",
            "server_id" => "Id of the MCP server.",
            "tool_name" => "Name of the tool.",
            _ => "Name of the model.",
        };
        json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}})
    })
}

/// Every parameter that operations refer to.
pub(super) fn all() -> Map<String, Value> {
    let query = |key: &str, name: &str, mut schema: Value| {
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let mut parameter = json!({"name": name, "in": "query", "required": false, "schema": schema});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        (key.to_owned(), parameter)
    };
    let with = |mut schema: Value, key: &str, value: Value| {
        schema[key] = value;
        schema
    };
    let texts = |description: &str| json!({"type": "array", "items": {"type": "string"}, "description": description});
    let same = |name: &str, description: &str| with(reference("schemas", name), "description", description.into());
    let artifact_types = |description: &str| {
        let items = reference("schemas", "ArtifactTypeQueryParam");
        json!({"type": "array", "items": items, "description": description})
    };
    let property = |default: &str, what: &str| {
        with(text(&format!("The custom property of measurements that holds {what}.")), "default", default.into())
    };
    let rate = json!({
        "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX,
        "description": "Requests per second to be served; 0 and less stand for none.",
    });
    let tool_limit = json!({
        "type": "integer", "format": "int32", "default": 10, "minimum": 0, "maximum": 100,
        "description": "Tools that come with a server at most; 0 stands for all.",
    });
    let page_size = format!("Items on a page: 10 by default, {MAX_PAGE_SIZE} at most.");
    let mut all = Map::from_iter([
        ("ifNoneMatch".to_owned(), if_none_match()),
        query("source", "source", texts("Only models of these sources; not together with `sourceLabel`.")),
        query("sourceLabel", "sourceLabel", texts("Only of sources with one of these labels; `null`: without any.")),
        query("q", "q", text("A text that occurs in the name, the description or the provider, in any case.")),
        query("filterQuery", "filterQuery", text(FILTER)),
        query("recommendations", "recommendations", flag_or(false, "Whether to choose what is worth choosing.")),
        query("targetRPS", "targetRPS", rate),
        query("latencyProperty", "latencyProperty", property("ttft_p90", "the latency")),
        query("rpsProperty", "rpsProperty", property("requests_per_second", "the requests per second")),
        query("hardwareCountProperty", "hardwareCountProperty", property("hardware_count", "the number of devices")),
        query("hardwareTypeProperty", "hardwareTypeProperty", property("hardware_type", "the type of device")),
        query("pageSize", "pageSize", with(formed("^[1-9][0-9]{0,8}$", &page_size), "format", "int32".into())),
        query("nextPageToken", "nextPageToken", text("`nextPageToken` of the previous page of the same list.")),
        query("sortOrder", "sortOrder", same("SortOrder", "Direction of the list; ascending by default.")),
        query("orderBy", "orderBy", same("OrderByField", "What the list is ordered by; the id by default.")),
        query("sourceOrderBy", "orderBy", choice(&["ID", "NAME"], "What the list is ordered by; the id by default.")),
        query("modelOrderBy", "orderBy", text(MODEL_ORDER)),
        query("artifactOrderBy", "orderBy", text(ARTIFACT_ORDER)),
        query("labelOrderBy", "orderBy", text("A key of the labels; the order of the configuration by default.")),
        query("sourceName", "name", text("A part of the source's name, in any case.")),
        query("serverName", "name", text("A pattern of the server's name, in which `%` stands for any text.")),
        query("assetType", "assetType", same("CatalogAssetType", "What the sources publish; models by default.")),
        query("artifactType", "artifactType", artifact_types("Only artifacts of these types.")),
        query("artifact_type", "artifact_type", artifact_types("The old name of `artifactType`.")),
        query("namedQuery", "namedQuery", text("The name of a filter, as the filter options tell it.")),
        query("includeTools", "includeTools", flag_or(false, "Whether tools come along.")),
        query("toolLimit", "toolLimit", tool_limit),
        query(
            "filterStatus",
            "filterStatus",
            with(
                choice(&["all", "included", "excluded"], "Only names that would be published, or only the others."),
                "default",
                "all".into(),
            ),
        ),
    ]);
    all["artifact_type"]["deprecated"] = true.into();
    all
}

const FILTER: &str = "\
    A condition that items have to meet, such as `provider = 'Northwind' AND artifacts.ttft_p90 < 100`. It compares \
    fields and custom properties by name with =, !=, <>, <, <=, >, >=, LIKE, ILIKE, IN, BETWEEN and IS [NOT] NULL; \
    other names are written in back-quotes, and `.int_value` and the like behind a name choose a type.";

const MODEL_ORDER: &str = "\
    `NAME` (the default), `ID`, `CREATE_TIME`, `LAST_UPDATE_TIME`, `ACCURACY`, or a property with its type, such as \
    `artifacts.ttft_p90.double_value`; anything else is the id.";

const ARTIFACT_ORDER: &str = "\
    `ID` (the default), `NAME`, `CREATE_TIME`, `LAST_UPDATE_TIME`, or a custom property with its type, such as \
    `score.double_value`; anything else is the id.";
