use crate::catalog::asset_type::{
    Address, ApiSpec, AssetType, AssetTypeSpec, ItemOrder, ListParameter, ListSpec, OrderSpec, SourceType, SourcesSpec,
};
use crate::catalog::catalog_kind::{CatalogField, CatalogKind, CatalogKindSpec, CatalogShape, CatalogTable};

/// Models, with artifacts: where to get them, and their performance, accuracy and security metrics.
pub(crate) static SPEC: AssetTypeSpec = AssetTypeSpec {
    asset_type: AssetType::Models,
    name: "models",
    label: "model",
    label_plural: "models",
    command_name: "models",
    sources: SourcesSpec {
        keys: &["model_catalogs", "catalogs"],
        label: "model catalog",
        patterns: Some("Models"),
        lists_patterns: true,
        accepts_status: true,
        types: &[SourceType::Yaml, SourceType::Hub],
    },
    data_key: "models",
    item: CatalogKind::Model,
    api: ApiSpec {
        family: "/api/model_catalog",
        collection: "models",
        address: Address::SourceAndName { parameter: "model_name" },
        tag: "ModelCatalogService",
        tag_description: "Sources, models and their artifacts.",
        operation: "Model",
        operation_plural: "Models",
        schema: "CatalogModel",
        children: &[],
    },
    list: ListSpec {
        parameters: &[ListParameter::Source, ListParameter::Recommendations],
        order: OrderSpec {
            default: ItemOrder::Name,
            ignores_case: false,
            by_property: true,
            named: &[("ACCURACY", "overall_average")],
        },
        publishes_named_queries: true,
        included_children: None,
    },
};

const CARD: &str = "\
    The model card: Markdown as its author wrote it. It may contain anything, so viewers have to sanitise it before they \
    show it as HTML.";

pub(crate) static MODEL: CatalogKindSpec = CatalogKindSpec {
    kind: CatalogKind::Model,
    table: CatalogTable::Item,
    artifact_type: None,
    versioned: false,
    fields: &[
        CatalogField::string("name", "Name, unique in its source.").column().required(),
        CatalogField::string("source_id", "Id of its source.").column().hidden().in_v1("sourceId"),
        CatalogField::string("description", "A short description."),
        CatalogField::string("readme", CARD),
        CatalogField::string("maturity", "Maturity, for example `Generally Available`."),
        CatalogField::list("language", "Natural languages that the model supports (ISO 639)."),
        CatalogField::list("tasks", "Tasks that the model is made for."),
        CatalogField::renamed(
            "validatedTasks",
            "validated_tasks",
            CatalogShape::StringList,
            "Tasks that the publisher has tested.",
        ),
        CatalogField::renamed(
            "servingConfig",
            "serving_config",
            CatalogShape::Object("ServingConfig"),
            "How to serve the model.",
        )
        .hidden(),
        CatalogField::new(
            "artifactCounts",
            CatalogShape::Counts,
            "Number of artifacts by `artifactType` or `metricsType`; only of a single model.",
        )
        .unfiltered(),
        CatalogField::string("provider", "Provider of the model."),
        CatalogField::uri("logo", "URL or data URL of a logo.").hidden(),
        CatalogField::string("license", "Display name of the licence."),
        CatalogField::renamed("licenseLink", "license_link", CatalogShape::Uri, "URL of the licence.").hidden(),
        CatalogField::renamed(
            "libraryName",
            "library_name",
            CatalogShape::String,
            "Library that the model is made for.",
        ),
    ],
    search: &["name", "description", "provider", "libraryName", "tasks", "validatedTasks"],
    also_hidden: &[],
    children: &CatalogKind::ARTIFACTS,
    filters_children: true,
};

pub(crate) static MODEL_ARTIFACT: CatalogKindSpec = artifact(CatalogKind::ModelArtifact, "model-artifact");
pub(crate) static PERFORMANCE_METRICS: CatalogKindSpec = artifact(CatalogKind::PerformanceMetrics, "metrics-artifact");
pub(crate) static ACCURACY_METRICS: CatalogKindSpec = artifact(CatalogKind::AccuracyMetrics, "metrics-artifact");
pub(crate) static SECURITY_METRICS: CatalogKindSpec = artifact(CatalogKind::SecurityMetrics, "metrics-artifact");

/// Values of `artifactType`.
const ARTIFACT_TYPES: &[&str] = &["model-artifact", "metrics-artifact"];
/// Values of `metricsType`.
const METRICS_TYPES: &[&str] = &["performance-metrics", "accuracy-metrics", "security-metrics"];

/// One list for all kinds, because lists and filters mix them.
const ARTIFACT_FIELDS: &[CatalogField] = &[
    CatalogField::new("artifactType", CatalogShape::Enumeration(ARTIFACT_TYPES), "Type of artifact.")
        .required()
        .hidden(),
    // Records of security metrics have a custom property of this name.
    CatalogField::string("description", "A short description.").hidden_as_field(),
    CatalogField::new("metricsType", CatalogShape::Enumeration(METRICS_TYPES), "Type of metrics.").hidden(),
    CatalogField::uri("uri", "Location of the model."),
];

const fn artifact(kind: CatalogKind, artifact_type: &'static str) -> CatalogKindSpec {
    CatalogKindSpec {
        kind,
        table: CatalogTable::Artifact,
        artifact_type: Some(artifact_type),
        versioned: false,
        fields: ARTIFACT_FIELDS,
        search: &[],
        // Performance records name their model.
        also_hidden: &["model_id"],
        children: &[],
        filters_children: false,
    }
}
