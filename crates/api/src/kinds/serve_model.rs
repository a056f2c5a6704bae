use crate::field::{Enumeration, Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec, Parent, Reference};

static EXECUTION_STATE: Enumeration = Enumeration {
    name: "ExecutionState",
    members: &["UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED"],
    default: Some("UNKNOWN"),
};

/// One serving of a model version by an inference service.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ServeModel,
    table: EntityTable::Resource,
    schema: "ServeModel",
    label: "serve model",
    label_plural: "serve models",
    artifact_type: None,
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    parent: Some(Parent { kind: Kind::InferenceService, field: None }),
    references: &[Reference { field: "modelVersionId", kind: Kind::ModelVersion }],
    fields: &[
        Field::new("modelVersionId", "model_version_id", Shape::Id, "Id of the version that is served.")
            .required()
            .immutable(),
        Field::new(
            "lastKnownState",
            "last_known_state",
            Shape::Enumeration(&EXECUTION_STATE),
            "State of the serving when it was last looked at.",
        )
        .or("UNKNOWN"),
    ],
};
