//! Schemas of sources, labels, models, artifacts, filters and previews.

use model_registry_api::OrderBy;
use model_registry_server::openapi::schemas::custom_properties;
use serde_json::{Map, Value, json};

use super::build::{
    all_of, choice, described, flag, flag_or, list_of, map_of, named, object, page_of, schema, text, texts, uri,
};

const CARD: &str = "\
    The model card: Markdown as its author wrote it, which may contain anything. Viewers have to sanitise it before they \
    show it as HTML.";

pub(super) fn all() -> Map<String, Value> {
    let mut all = named([
        ("ArtifactTypeQueryParam", choice(&["model-artifact", "metrics-artifact"], "A type of artifact.")),
        ("OrderByField", order_by()),
        ("CatalogAssetType", asset_type()),
        ("CatalogSource", source()),
        ("CatalogSourceList", page_of("CatalogSource")),
        (
            "CatalogSourceStatus",
            choice(&["available", "partially-available", "error", "disabled"], "How the last load of a source went."),
        ),
        ("CatalogLabel", label()),
        ("CatalogLabelList", page_of("CatalogLabel")),
        ("BaseModel", base_model()),
        ("CatalogModel", model()),
        ("CatalogModelList", page_of("CatalogModel")),
        ("CatalogArtifact", artifact()),
        ("CatalogArtifactList", page_of("CatalogArtifact")),
        ("CatalogModelArtifact", model_artifact()),
        ("CatalogMetricsArtifact", metrics_artifact()),
        ("CatalogSourcePreviewResponse", preview()),
        ("ModelPreviewResult", previewed()),
    ]);
    all.extend(filter_options());
    all
}

/// Beyond the registry's orders there is that of names.
fn order_by() -> Value {
    let members: Vec<&str> = OrderBy::NAMES.into_iter().chain(["NAME"]).collect();
    json!({"type": "string", "enum": members})
}

fn asset_type() -> Value {
    let mut schema = choice(&["models", "mcp_servers"], "What a source publishes.");
    schema["default"] = "models".into();
    schema
}

fn source() -> Value {
    let mut error = text("What went wrong with the last load.");
    error["nullable"] = true.into();
    described(
        "Where models or MCP servers come from.",
        object(
            "id name labels",
            [
                ("id", text("Unique id.")),
                ("name", text("Name for people.")),
                ("enabled", flag_or(true, "Whether it is read.")),
                ("labels", texts("Labels, which `/labels` may explain.")),
                ("status", schema("CatalogSourceStatus")),
                ("error", error),
                ("includedModels", texts("Patterns of the names that are published.")),
                ("excludedModels", texts("Patterns of the names that are not.")),
                ("assetType", schema("CatalogAssetType")),
            ],
        ),
    )
}

fn label() -> Value {
    let mut name = text("The label; null describes the sources without any.");
    name["nullable"] = true.into();
    let mut label = object("name", [("name", name), ("displayName", text("Name for people."))]);
    label["additionalProperties"] = json!({"type": "string"});
    described("What a label of sources means, with any further texts.", label)
}

fn base_model() -> Value {
    described(
        "What is told of a model.",
        object(
            "",
            [
                ("description", text("A short description.")),
                ("readme", text(CARD)),
                ("maturity", text("Maturity, for example `Generally Available`.")),
                ("language", texts("Natural languages the model works in (ISO 639).")),
                ("tasks", texts("Tasks the model is made for.")),
                ("provider", text("Who provides the model.")),
                ("logo", uri("A URL or data URL of a logo.")),
                ("license", text("The licence's name for people.")),
                ("licenseLink", uri("Where the licence's text is.")),
                ("libraryName", text("Library the model is made for.")),
                ("customProperties", custom_properties()),
            ],
        ),
    )
}

fn model() -> Value {
    let own = object("name", [("name", text("Name, unique in its source.")), ("source_id", text("Id of its source."))]);
    all_of("A model that a source publishes.", own, &["BaseModel", "BaseResource"])
}

/// The types are told apart by `artifactType`.
fn artifact() -> Value {
    let members = [("model-artifact", "CatalogModelArtifact"), ("metrics-artifact", "CatalogMetricsArtifact")];
    let mapping: Map<String, Value> =
        members.iter().map(|(kind, name)| ((*kind).to_owned(), schema(name)["$ref"].clone())).collect();
    json!({
        "oneOf": members.map(|(_, name)| schema(name)),
        "discriminator": {"propertyName": "artifactType", "mapping": mapping},
    })
}

/// Answers always carry it, and only this one.
fn artifact_type(name: &str) -> Value {
    json!({"type": "string", "default": name, "enum": [name], "description": "The type of artifact."})
}

fn model_artifact() -> Value {
    let own = object(
        "artifactType uri",
        [
            ("artifactType", artifact_type("model-artifact")),
            ("uri", uri("Where the model is.")),
            ("customProperties", custom_properties()),
        ],
    );
    all_of("Where to get a model.", own, &["BaseResource"])
}

fn metrics_artifact() -> Value {
    let own = object(
        "artifactType metricsType",
        [
            ("artifactType", artifact_type("metrics-artifact")),
            ("metricsType", choice(&["performance-metrics", "accuracy-metrics"], "What was measured.")),
            ("customProperties", custom_properties()),
        ],
    );
    all_of("What was measured of a model, in custom properties.", own, &["BaseResource"])
}

fn filter_options() -> Map<String, Value> {
    let number = |description: &str| json!({"type": "number", "format": "double", "description": description});
    let any_values = json!({"type": "array", "items": {}, "description": "The texts that occur."});
    let queries = map_of(&map_of(&schema("FieldFilter"), "Conditions by field."), "Filters that have a name.");
    named([
        (
            "FilterOptionsList",
            object(
                "",
                [("filters", map_of(&schema("FilterOption"), "By the name in filters.")), ("namedQueries", queries)],
            ),
        ),
        (
            "FilterOption",
            object(
                "type",
                [
                    ("type", choice(&["string", "number"], "`string` comes with values, `number` with a range.")),
                    ("values", any_values),
                    ("range", schema("FilterOptionRange")),
                ],
            ),
        ),
        (
            "FilterOptionRange",
            object("", [("min", number("The smallest that occurs.")), ("max", number("The largest."))]),
        ),
        ("FieldFilter", object("operator value", [("operator", text("Such as `=` or `IN`.")), ("value", json!({}))])),
    ])
}

fn preview() -> Value {
    let count = |description: &str| json!({"type": "integer", "description": description});
    let summary = described(
        "Over all names, on every page.",
        object(
            "totalModels includedModels excludedModels",
            [
                ("totalModels", count("Names that were found.")),
                ("includedModels", count("Those that would be published.")),
                ("excludedModels", count("Those that would not.")),
            ],
        ),
    );
    let own = object("items summary", [("items", list_of("ModelPreviewResult", "Names.")), ("summary", summary)]);
    all_of("What a source would publish.", own, &["BaseResourceList"])
}

fn previewed() -> Value {
    object("name included", [("name", text("A name.")), ("included", flag("Whether it would be published."))])
}
