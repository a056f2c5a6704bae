use crate::ApiVersion;
use crate::field::{Enumeration, Field, Shape};
use crate::kind::{EntityTable, Kind, KindSpec, NAME_LIMIT};
use crate::kinds::LIVE_OR_ARCHIVED;

static STATE: Enumeration =
    Enumeration { name: "RegisteredModelState", members: LIVE_OR_ARCHIVED, default: Some("LIVE") };

/// A model, the parent of its versions.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::RegisteredModel,
    code: 1,
    name: "registered_model",
    collection: Some("registered_models"),
    versions: &ApiVersion::ALL,
    command: Some("models"),
    table: EntityTable::Resource,
    schema: "RegisteredModel",
    label: "registered model",
    label_plural: "registered models",
    artifact_type: None,
    name_required: true,
    name_limit: NAME_LIMIT,
    external_id_scope: 1,
    parent: None,
    has_artifacts: false,
    upsert_by_name: false,
    history: None,
    references: &[],
    checks: &[],
    fields: &[
        Field::string("owner", "owner", "Owner of the model."),
        Field::state(&STATE).or("LIVE"),
        Field::string("readme", "readme", "A model card in Markdown; viewers have to sanitise it.").also_custom(),
        Field::string("maturity", "maturity", "Maturity, for example `Generally Available`.").also_custom(),
        Field::new("language", "language", Shape::StringList, "Natural languages the model works in (ISO 639).")
            .also_custom(),
        Field::new("tasks", "tasks", Shape::StringList, "Tasks the model is made for, for example `text-generation`.")
            .also_custom(),
        Field::string("provider", "provider", "Provider of the model.").also_custom(),
        Field::new("logo", "logo", Shape::Uri, "A URL or data URL of a logo.").also_custom(),
        Field::string("license", "license", "Short name of the licence, for example `apache-2.0`.").also_custom(),
        Field::new("licenseLink", "license_link", Shape::Uri, "Location of the licence's full text.").also_custom(),
        Field::string("libraryName", "library_name", "Library the model is made for, for example `transformers`.")
            .also_custom(),
    ],
};
