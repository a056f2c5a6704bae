use crate::field::{Enumeration, Field};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec, Parent};
use crate::kinds::LIVE_OR_ARCHIVED;

static STATE: Enumeration = Enumeration { name: "ModelVersionState", members: LIVE_OR_ARCHIVED, default: Some("LIVE") };

/// A version of a model, the parent of its artifacts.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ModelVersion,
    table: EntityTable::Resource,
    schema: "ModelVersion",
    label: "model version",
    label_plural: "model versions",
    artifact_type: None,
    name_required: true,
    name_limit: CHILD_NAME_LIMIT,
    parent: Some(Parent { kind: Kind::RegisteredModel, field: Some("registeredModelId") }),
    references: &[],
    fields: &[
        Field::parent("registeredModelId", "registered_model_id", "Id of the model this is a version of."),
        Field::state(&STATE).or("LIVE"),
        Field::string("author", "author", "Who made the version."),
    ],
};
