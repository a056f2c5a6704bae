//! Schemas of sources, labels, models, artifacts, filters and previews.

use model_registry_api::OrderBy;
use model_registry_api::catalog::{AssetType, CatalogField, CatalogKind, CatalogStorage, CatalogVersion, RECOMMENDED};
use model_registry_server::openapi::schemas::custom_properties;
use serde_json::{Map, Value, json};

use super::build::{
    all_of, array_of, artifact_type, boolean, boolean_or, described, enumeration, map_of, named, object, object_of,
    one_of_artifacts, page_of, schema, string, strings, uri,
};

/// The schemas of the previews of models and of other assets.
const MODEL_PREVIEW: &str = "CatalogSourcePreviewResponse";
const ASSET_PREVIEW: &str = "AssetSourcePreviewResponse";

pub(super) fn all() -> Map<String, Value> {
    let mut all = named([
        ("ArtifactTypeQueryParam", enumeration(&super::ARTIFACT_TYPES, "A type of artifact.")),
        ("OrderByField", order_by()),
        ("CatalogAssetType", asset_type()),
        ("CatalogSource", source()),
        ("CatalogSourceList", page_of("CatalogSource")),
        (
            "CatalogSourceStatus",
            enumeration(
                &["available", "partially-available", "error", "disabled"],
                "Result of the last load of a source.",
            ),
        ),
        ("CatalogLabel", label()),
        ("CatalogLabelList", page_of("CatalogLabel")),
        ("BaseModel", base_model()),
        ("ServingConfig", serving_config()),
        ("ToolCallingConfig", tool_calling_config()),
        ("CatalogArtifact", artifact()),
        ("CatalogArtifactList", page_of("CatalogArtifact")),
        ("CatalogModelArtifact", model_artifact()),
        ("CatalogMetricsArtifact", metrics_artifact()),
        ("PreviewCatalogSourceResponse", any_preview()),
        (MODEL_PREVIEW, preview("Models", "ModelPreviewResult")),
        (ASSET_PREVIEW, preview("Assets", "AssetPreviewResult")),
        ("ModelPreviewResult", previewed()),
        ("AssetPreviewResult", previewed()),
    ]);
    all.extend(filter_options());
    all
}

/// The orders of the registry, the name, and the order of recommendations, which only models have.
fn order_by() -> Value {
    let members: Vec<&str> = OrderBy::NAMES.into_iter().chain(["NAME", RECOMMENDED]).collect();
    json!({"type": "string", "enum": members})
}

fn asset_type() -> Value {
    let mut schema = enumeration(&AssetType::ALL.map(AssetType::as_str), "A type of asset that sources publish.");
    schema["default"] = AssetType::default().as_str().into();
    schema
}

fn source() -> Value {
    let mut error = string("Error of the last load.");
    error["nullable"] = true.into();
    described(
        "A source of assets.",
        object(
            "id name labels",
            [
                ("id", string("Unique id.")),
                ("name", string("Display name.")),
                ("enabled", boolean_or(true, "Whether it is loaded.")),
                ("labels", strings("Labels; `/labels` may describe them.")),
                ("status", schema("CatalogSourceStatus")),
                ("error", error),
                ("includedModels", strings("Patterns of the names that are published; all names without it.")),
                ("excludedModels", strings("Patterns of the names that are not published.")),
                ("assetType", schema("CatalogAssetType")),
            ],
        ),
    )
}

fn label() -> Value {
    let mut name = string("The label; null describes the sources without labels.");
    name["nullable"] = true.into();
    let mut label = object("name", [("name", name), ("displayName", string("Display name."))]);
    label["additionalProperties"] = json!({"type": "string"});
    described("The description of a label of sources, with any further string fields.", label)
}

/// Fields of the catalog's models that are not in `BaseModel`, in addition to its columns.
const OWN_MODEL_FIELDS: [&str; 3] = ["validatedTasks", "servingConfig", "artifactCounts"];

fn is_own_of_model(field: &CatalogField) -> bool {
    field.storage == CatalogStorage::Column || OWN_MODEL_FIELDS.contains(&field.path)
}

/// The fields of a model except its identity.
fn base_model() -> Value {
    let fields = CatalogKind::Model.spec().fields.iter();
    let mut schema = object_of(fields.filter(|field| !is_own_of_model(field)), CatalogVersion::default());
    schema["properties"]["customProperties"] = custom_properties();
    described("The description of a model.", schema)
}

/// A model: its identity and the fields of `BaseModel`.
pub(super) fn model(description: &str, version: CatalogVersion) -> Value {
    let fields = CatalogKind::Model.spec().fields.iter();
    let own = object_of(fields.filter(|field| is_own_of_model(field)), version);
    all_of(description, own, &["BaseModel", "BaseResource"])
}

fn serving_config() -> Value {
    described("How to serve a model.", object("", [("toolCalling", schema("ToolCallingConfig"))]))
}

fn tool_calling_config() -> Value {
    let fields = [
        ("toolCallParser", string("Parser of tool calls.")),
        ("chatTemplate", string("Path of a template file that is packed with the model.")),
        ("enableAutoToolChoice", boolean_or(true, "Whether the model chooses tools by itself.")),
        ("requiredArgs", strings("Command line arguments, each complete.")),
    ];
    described("The settings of an inference server with which a model calls tools.", object("", fields))
}

fn artifact() -> Value {
    one_of_artifacts(&[("model-artifact", "CatalogModelArtifact"), ("metrics-artifact", "CatalogMetricsArtifact")])
}

fn model_artifact() -> Value {
    let own = object(
        "artifactType uri",
        [
            ("artifactType", artifact_type("model-artifact")),
            ("uri", uri("Location of the model.")),
            ("customProperties", custom_properties()),
        ],
    );
    all_of("The location of a model.", own, &["BaseResource"])
}

fn metrics_artifact() -> Value {
    let metrics_types: Vec<&str> = CatalogKind::METRICS.into_iter().filter_map(CatalogKind::metrics_type).collect();
    let own = object(
        "artifactType metricsType",
        [
            ("artifactType", artifact_type("metrics-artifact")),
            ("metricsType", enumeration(&metrics_types, "Type of metrics.")),
            ("customProperties", custom_properties()),
        ],
    );
    all_of("Metrics of a model, in custom properties.", own, &["BaseResource"])
}

fn filter_options() -> Map<String, Value> {
    let number = |description: &str| json!({"type": "number", "format": "double", "description": description});
    let any_values = json!({"type": "array", "items": {}, "description": "Values that occur."});
    let queries = map_of(
        &map_of(&schema("FieldFilter"), "Conditions by field."),
        "Named queries: filters that an administrator wrote.",
    );
    named([
        (
            "FilterOptionsList",
            object(
                "",
                [("filters", map_of(&schema("FilterOption"), "By name in filters.")), ("namedQueries", queries)],
            ),
        ),
        (
            "FilterOption",
            object(
                "type",
                [
                    ("type", enumeration(&["string", "number"], "`string` has values, `number` has a range.")),
                    ("values", any_values),
                    ("range", schema("FilterOptionRange")),
                ],
            ),
        ),
        (
            "FilterOptionRange",
            object("", [("min", number("Least value that occurs.")), ("max", number("Greatest value that occurs."))]),
        ),
        (
            "FieldFilter",
            object("operator value", [("operator", string("Operator, such as `=` or `IN`.")), ("value", json!({}))]),
        ),
    ])
}

/// The response for every asset type; `assetType` is the discriminator.
fn any_preview() -> Value {
    let of = |asset_type: AssetType| if asset_type == AssetType::default() { MODEL_PREVIEW } else { ASSET_PREVIEW };
    let mapping: Map<String, Value> = AssetType::ALL
        .into_iter()
        .map(|asset_type| (asset_type.as_str().to_owned(), schema(of(asset_type))["$ref"].clone()))
        .collect();
    json!({
        "oneOf": [schema(MODEL_PREVIEW), schema(ASSET_PREVIEW)],
        "discriminator": {"propertyName": "assetType", "mapping": mapping},
    })
}

/// The preview of a source; `counted` is the end of the names of the counts, `result` the schema of a name.
fn preview(counted: &'static str, result: &str) -> Value {
    let [total, included, excluded] = ["total", "included", "excluded"].map(|part| format!("{part}{counted}"));
    let count = |description: &str| json!({"type": "integer", "description": description});
    let summary = json!({
        "type": "object",
        "description": "Counts over all pages.",
        "required": [total, included, excluded],
        "properties": {
            total: count("Names that were found."),
            included: count("Names that would be published."),
            excluded: count("Names that would not be published."),
        },
    });
    let own = object(
        "assetType items summary",
        [("assetType", schema("CatalogAssetType")), ("items", array_of(result, "Names.")), ("summary", summary)],
    );
    all_of("A page of the names in a source, each with whether it would be published.", own, &["BaseResourceList"])
}

fn previewed() -> Value {
    object("name included", [("name", string("A name.")), ("included", boolean("Whether it would be published."))])
}
