use crate::ApiVersion;
use crate::field::{Enumeration, Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec, Parent, Reference, ReferenceCheck};

static DESIRED_STATE: Enumeration =
    Enumeration { name: "InferenceServiceState", members: &["DEPLOYED", "UNDEPLOYED"], default: Some("DEPLOYED") };

/// A deployment of a model, or of one of its versions, in a serving environment.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::InferenceService,
    code: 4,
    name: "inference_service",
    collection: Some("inference_services"),
    versions: &ApiVersion::ALL,
    command: Some("services"),
    table: EntityTable::Resource,
    schema: "InferenceService",
    label: "inference service",
    label_plural: "inference services",
    artifact_type: None,
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 1,
    parent: Some(Parent {
        kind: Kind::ServingEnvironment,
        field: Some("servingEnvironmentId"),
        filter_names: &[],
        segment: "inference_services",
        operation: "EnvironmentInferenceService",
        upsert: false,
        list_checks_parent: false,
        malformed_id_is_not_found: true,
    }),
    has_artifacts: false,
    upsert_by_name: false,
    history: None,
    references: &[
        Reference { field: "registeredModelId", kind: Kind::RegisteredModel, check: None },
        Reference {
            field: "modelVersionId",
            kind: Kind::ModelVersion,
            check: Some(ReferenceCheck::ChildOf { field: "registeredModelId" }),
        },
    ],
    checks: &[],
    fields: &[
        Field::new("registeredModelId", "registered_model_id", Shape::Id, "Id of the model that is served.")
            .required()
            .immutable(),
        Field::parent("servingEnvironmentId", "serving_environment_id", "Id of the environment it is served in."),
        Field::new(
            "modelVersionId",
            "model_version_id",
            Shape::Id,
            "Id of the version that is served; the newest version of the model if absent.",
        ),
        Field::string("runtime", "runtime", "Model runtime."),
        Field::new(
            "desiredState",
            "desired_state",
            Shape::Enumeration(&DESIRED_STATE),
            "Whether the service should be deployed.",
        )
        .or("DEPLOYED"),
    ],
};
