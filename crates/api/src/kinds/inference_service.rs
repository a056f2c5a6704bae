use crate::field::{Enumeration, Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec, Parent, Reference};

static DESIRED_STATE: Enumeration =
    Enumeration { name: "InferenceServiceState", members: &["DEPLOYED", "UNDEPLOYED"], default: Some("DEPLOYED") };

/// A deployment of a model, or of one of its versions, in a serving environment.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::InferenceService,
    table: EntityTable::Resource,
    schema: "InferenceService",
    label: "inference service",
    label_plural: "inference services",
    artifact_type: None,
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    parent: Some(Parent { kind: Kind::ServingEnvironment, field: Some("servingEnvironmentId") }),
    references: &[
        Reference { field: "registeredModelId", kind: Kind::RegisteredModel },
        Reference { field: "modelVersionId", kind: Kind::ModelVersion },
    ],
    fields: &[
        Field::new("registeredModelId", "registered_model_id", Shape::Id, "Id of the model that is served.")
            .required()
            .immutable(),
        Field::parent("servingEnvironmentId", "serving_environment_id", "Id of the environment it is served in."),
        Field::new(
            "modelVersionId",
            "model_version_id",
            Shape::Id,
            "Id of the version that is served; without it, the model's newest.",
        ),
        Field::string("runtime", "runtime", "Model runtime."),
        Field::new(
            "desiredState",
            "desired_state",
            Shape::Enumeration(&DESIRED_STATE),
            "Whether it should be deployed.",
        )
        .or("DEPLOYED"),
    ],
};
