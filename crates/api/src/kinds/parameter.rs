use crate::ApiVersion;
use crate::field::{Enumeration, Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD};

static PARAMETER_TYPE: Enumeration =
    Enumeration { name: "ParameterType", members: &["string", "number", "boolean", "object"], default: None };

/// A named parameter of a version or run.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::Parameter,
    code: 15,
    name: "parameter",
    collection: None,
    versions: &ApiVersion::ALL,
    command: Some("artifacts"),
    table: EntityTable::Artifact,
    schema: "Parameter",
    label: "parameter artifact",
    label_plural: "parameter artifacts",
    artifact_type: Some("parameter"),
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 1,
    parent: None,
    has_artifacts: false,
    upsert_by_name: true,
    history: None,
    references: &[],
    checks: &[],
    fields: &[
        Field::string("value", "value", "The value as a string."),
        Field::new("parameterType", "parameter_type", Shape::Enumeration(&PARAMETER_TYPE), "Type of the value."),
        STATE_FIELD,
        EXPERIMENT_ID,
        EXPERIMENT_RUN_ID,
    ],
};
