//! Parameters of paths and queries.

use model_registry_api::catalog::{
    Address, AssetType, AssetTypeSpec, ChildList, ItemOrder, ListParameter, RECOMMENDED,
};
use model_registry_api::page::MAX_PAGE_SIZE;
use model_registry_server::openapi::{if_none_match, reference};
use serde_json::{Map, Value, json};

use super::build::{boolean_or, enumeration, string, string_like, strings};

/// The parameters of a path template.
pub(super) fn of_path(path: &str) -> impl Iterator<Item = Value> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    names.map(|name| {
        let description = match name {
            "source_id" => "Id of the source.".to_owned(),
            "tool_name" => "Name of the tool.".to_owned(),
            _ => of_item(path, name.trim_end_matches('+')),
        };
        json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}})
    })
}

/// The description of the path parameter that names an item.
fn of_item(path: &str, name: &str) -> String {
    let mut specs = AssetType::ALL.into_iter().map(AssetType::spec);
    let spec = specs.find(|spec| path.starts_with(spec.api.family));
    match spec.map(|spec| (spec.api.address, spec.label)) {
        Some((Address::SourceAndName { parameter }, label)) if parameter == name => format!("Name of the {label}."),
        Some((Address::Id { parameter, .. }, label)) if parameter == name => format!("Id of the {label}."),
        _ => String::new(),
    }
}

/// The query of the list of an asset type.
pub(super) fn of_list(spec: &AssetTypeSpec) -> Vec<Value> {
    let list = &spec.list;
    let component = |name: &str| reference("parameters", name);
    let if_declared = |is_declared: bool, names: &'static str| {
        names.split_whitespace().filter(move |_| is_declared).map(component).collect::<Vec<_>>()
    };
    let mut query = if_declared(list.has(ListParameter::NamePattern), "namePattern");
    query.extend(if_declared(list.has(ListParameter::Source), "source"));
    query.extend(["sourceLabel", "q", "filterQuery"].map(component));
    query.extend(if_declared(list.has(ListParameter::NamedQuery), "namedQuery"));
    query.extend(if_declared(
        list.has(ListParameter::Recommendations),
        "recommendations targetRPS latencyProperty rpsProperty hardwareCountProperty hardwareTypeProperty",
    ));
    query.extend(of_included(spec));
    query.push(component("pageSize"));
    query.push(if list.order.by_property { order_by_property(spec) } else { component("orderBy") });
    query.extend(["sortOrder", "nextPageToken"].map(component));
    query
}

/// The query of a list of the children of an item.
pub(super) fn of_children(children: &ChildList) -> Vec<Value> {
    let component = |name: &str| reference("parameters", name);
    let types = children.artifact_type.map(|schema| {
        let items = reference("schemas", schema);
        let values = json!({"type": "array", "items": items, "description": "Only artifacts of these types."});
        parameter("artifactType", values)
    });
    let mut query: Vec<Value> = types.into_iter().collect();
    query.extend(children.is_filtered.then(|| component("filterQuery")));
    query.extend(["pageSize", "orderBy", "sortOrder", "nextPageToken"].map(component));
    query
}

/// The query that decides which children are included in an item.
pub(super) fn of_included(spec: &AssetTypeSpec) -> Vec<Value> {
    let included = spec.list.included_children.iter();
    included
        .flat_map(|children| [children.parameter, children.limit_parameter])
        .map(|name| reference("parameters", name))
        .collect()
}

fn order_by_property(spec: &AssetTypeSpec) -> Value {
    let default = spec.list.order.default;
    let others = ItemOrder::ALL.into_iter().filter(|order| *order != default).map(ItemOrder::as_str);
    let others = others.chain(spec.list.has(ListParameter::Recommendations).then_some(RECOMMENDED));
    let others: Vec<String> =
        others.chain(spec.list.order.named.iter().map(|(name, _)| *name)).map(|name| format!("`{name}`")).collect();
    let description = format!(
        "`{}` (the default), {}, or a property with its type, such as `artifacts.ttft_p90.double_value`. Any other value \
         means `ID`.",
        default.as_str(),
        others.join(", ")
    );
    parameter("orderBy", string(&description))
}

/// A query parameter; the description of its schema becomes that of the parameter.
fn parameter(name: &str, mut schema: Value) -> Value {
    let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
    let mut parameter = json!({"name": name, "in": "query", "required": false, "schema": schema});
    if let Some(description) = description {
        parameter["description"] = description;
    }
    parameter
}

/// The components that operations refer to.
pub(super) fn all() -> Map<String, Value> {
    let query = |key: &str, name: &str, schema: Value| (key.to_owned(), parameter(name, schema));
    let with = |mut schema: Value, key: &str, value: Value| {
        schema[key] = value;
        schema
    };
    let same = |name: &str, description: &str| with(reference("schemas", name), "description", description.into());
    let artifact_types = |description: &str| {
        let items = reference("schemas", "ArtifactTypeQueryParam");
        json!({"type": "array", "items": items, "description": description})
    };
    let property = |default: &str, meaning: &str| {
        let description = format!("Custom property of performance metrics that holds {meaning}.");
        with(string(&description), "default", default.into())
    };
    let rate = json!({
        "type": "integer", "format": "int32", "minimum": i32::MIN, "maximum": i32::MAX,
        "description": "Target rate in requests per second; 0 and less mean no target.",
    });
    let tool_limit = json!({
        "type": "integer", "format": "int32", "default": 10, "minimum": 0, "maximum": 100,
        "description": "Maximum number of tools included per server; 0 means all.",
    });
    let page_size = format!("Items on a page: 10 by default, {MAX_PAGE_SIZE} at most.");
    let asset_type = "Asset type of the sources; models by default.";
    let mut all = Map::from_iter([
        ("ifNoneMatch".to_owned(), if_none_match()),
        query("source", "source", strings("Only items of these sources; cannot be used together with `sourceLabel`.")),
        query(
            "sourceLabel",
            "sourceLabel",
            strings("Only items of sources with one of these labels; `null` means sources without labels."),
        ),
        query(
            "q",
            "q",
            string(
                "Only items that contain this string in a searched field, such as name or description; case is ignored.",
            ),
        ),
        query("filterQuery", "filterQuery", string(FILTER)),
        query(
            "recommendations",
            "recommendations",
            boolean_or(false, "Whether to return recommendations. Of models, the same as `orderBy=RECOMMENDED`."),
        ),
        query("targetRPS", "targetRPS", rate),
        query("latencyProperty", "latencyProperty", property("ttft_p90", "the latency")),
        query("rpsProperty", "rpsProperty", property("requests_per_second", "the requests per second")),
        query("hardwareCountProperty", "hardwareCountProperty", property("hardware_count", "the number of devices")),
        query("hardwareTypeProperty", "hardwareTypeProperty", property("hardware_type", "the type of device")),
        query("pageSize", "pageSize", with(string_like("^[1-9][0-9]{0,8}$", &page_size), "format", "int32".into())),
        query("nextPageToken", "nextPageToken", string("`nextPageToken` of the previous page of the same list.")),
        query("sortOrder", "sortOrder", same("SortOrder", "Direction of the order; ascending by default.")),
        query("orderBy", "orderBy", same("OrderByField", "Order of the list; by id by default.")),
        query("sourceOrderBy", "orderBy", enumeration(&["ID", "NAME"], "Order of the list; by id by default.")),
        query("artifactOrderBy", "orderBy", string(ARTIFACT_ORDER)),
        query("labelOrderBy", "orderBy", string("A key of the labels; the order of the configuration by default.")),
        query("sourceName", "name", string("Only sources whose name contains this string; case is ignored.")),
        query(
            "namePattern",
            "name",
            string("Only items whose name matches this pattern, in which `%` matches any string."),
        ),
        query("assetType", "assetType", same("CatalogAssetType", asset_type)),
        query("artifactType", "artifactType", artifact_types("Only artifacts of these types.")),
        query("artifact_type", "artifact_type", artifact_types("Use `artifactType`.")),
        query("namedQuery", "namedQuery", string("Name of a named query of the filter options.")),
        query("includeTools", "includeTools", boolean_or(false, "Whether tools are included.")),
        query("toolLimit", "toolLimit", tool_limit),
        query(
            "filterStatus",
            "filterStatus",
            with(
                enumeration(
                    &["all", "included", "excluded"],
                    "Only names that would be published, or only names that would not.",
                ),
                "default",
                "all".into(),
            ),
        ),
    ]);
    all["artifact_type"]["deprecated"] = true.into();
    all
}

const FILTER: &str = "\
    A condition on items, such as `provider = 'Northwind' AND artifacts.ttft_p90 < 100`. It compares fields and custom \
    properties by name with =, !=, <>, <, <=, >, >=, LIKE, ILIKE, IN, BETWEEN and IS [NOT] NULL. Names with other \
    characters are written in back-quotes. A suffix such as `.int_value` selects the type of the property.";

const ARTIFACT_ORDER: &str = "\
    `ID` (the default), `NAME`, `CREATE_TIME`, `LAST_UPDATE_TIME`, or a custom property with its type, such as \
    `score.double_value`. Any other value means `ID`.";
