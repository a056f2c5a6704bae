use crate::ApiVersion;
use crate::field::{Enumeration, Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec, Parent, Reference, ReferenceCheck};

static EXECUTION_STATE: Enumeration = Enumeration {
    name: "ExecutionState",
    members: &["UNKNOWN", "NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED", "CANCELED"],
    default: Some("UNKNOWN"),
};

/// A record that an inference service serves a model version.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ServeModel,
    code: 5,
    name: "serve_model",
    collection: None,
    versions: &ApiVersion::ALL,
    command: None,
    table: EntityTable::Resource,
    schema: "ServeModel",
    label: "serve model",
    label_plural: "serve models",
    artifact_type: None,
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 2,
    parent: Some(Parent {
        kind: Kind::InferenceService,
        field: None,
        filter_names: &["inferenceServiceId", "inference_service_id"],
        segment: "serves",
        operation: "InferenceServiceServe",
        upsert: false,
        list_checks_parent: false,
        malformed_id_is_not_found: false,
    }),
    has_artifacts: false,
    upsert_by_name: false,
    history: None,
    references: &[Reference {
        field: "modelVersionId",
        kind: Kind::ModelVersion,
        check: Some(ReferenceCheck::HubAccess),
    }],
    checks: &[],
    fields: &[
        Field::new("modelVersionId", "model_version_id", Shape::Id, "Id of the version that is served.")
            .required()
            .immutable(),
        Field::new(
            "lastKnownState",
            "last_known_state",
            Shape::Enumeration(&EXECUTION_STATE),
            "Last known state of the deployment.",
        )
        .or("UNKNOWN"),
    ],
};
