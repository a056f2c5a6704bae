use crate::field::{Enumeration, Field, Shape};
use crate::kind::{Family, Kind, KindSpec, NAME_LIMIT};
use crate::kinds::LIVE_OR_ARCHIVED;

static STATE: Enumeration =
    Enumeration { name: "RegisteredModelState", members: LIVE_OR_ARCHIVED, default: Some("LIVE") };

/// A model, the parent of its versions.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::RegisteredModel,
    family: Family::Resource,
    schema: "RegisteredModel",
    label: "registered model",
    label_plural: "registered models",
    artifact_type: None,
    name_required: true,
    name_limit: NAME_LIMIT,
    parent: None,
    references: &[],
    fields: &[
        Field::text("owner", "owner", "Who owns the model."),
        Field::state(&STATE).or("LIVE"),
        Field::text("readme", "readme", "A model card in Markdown; viewers have to sanitise it."),
        Field::text("maturity", "maturity", "Maturity, for example `Generally Available`."),
        Field::new("language", "language", Shape::TextList, "Natural languages the model works in (ISO 639)."),
        Field::new("tasks", "tasks", Shape::TextList, "Tasks the model is made for, for example `text-generation`."),
        Field::text("provider", "provider", "Who provides the model."),
        Field::new("logo", "logo", Shape::Uri, "A URL or data URL of a logo."),
        Field::text("license", "license", "Short name of the licence, for example `apache-2.0`."),
        Field::new("licenseLink", "license_link", Shape::Uri, "Where the licence's text is."),
        Field::text("libraryName", "library_name", "Library the model is made for, for example `transformers`."),
    ],
};
