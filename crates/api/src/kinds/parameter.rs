use crate::field::{Enumeration, Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD};

static PARAMETER_TYPE: Enumeration =
    Enumeration { name: "ParameterType", members: &["string", "number", "boolean", "object"], default: None };

/// A named setting of a version or run.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::Parameter,
    table: EntityTable::Artifact,
    schema: "Parameter",
    label: "parameter artifact",
    label_plural: "parameter artifacts",
    artifact_type: Some("parameter"),
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    parent: None,
    references: &[],
    fields: &[
        Field::string("value", "value", "The value as text."),
        Field::new("parameterType", "parameter_type", Shape::Enumeration(&PARAMETER_TYPE), "How to read the value."),
        STATE_FIELD,
        EXPERIMENT_ID,
        EXPERIMENT_RUN_ID,
    ],
};
