use crate::ApiVersion;
use crate::field::{Enumeration, Field};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec, Parent};
use crate::kinds::LIVE_OR_ARCHIVED;

static STATE: Enumeration = Enumeration { name: "ModelVersionState", members: LIVE_OR_ARCHIVED, default: Some("LIVE") };

/// A version of a model, the parent of its artifacts.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ModelVersion,
    code: 2,
    name: "model_version",
    collection: Some("model_versions"),
    versions: &ApiVersion::ALL,
    command: Some("versions"),
    table: EntityTable::Resource,
    schema: "ModelVersion",
    label: "model version",
    label_plural: "model versions",
    artifact_type: None,
    name_required: true,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 1,
    parent: Some(Parent {
        kind: Kind::RegisteredModel,
        field: Some("registeredModelId"),
        filter_names: &[],
        segment: "versions",
        operation: "RegisteredModelVersion",
        upsert: true,
        list_checks_parent: false,
        malformed_id_is_not_found: false,
    }),
    has_artifacts: true,
    upsert_by_name: false,
    history: None,
    references: &[],
    checks: &[],
    fields: &[
        Field::parent("registeredModelId", "registered_model_id", "Id of the model of the version."),
        Field::state(&STATE).or("LIVE"),
        Field::string("author", "author", "Author of the version."),
    ],
};
