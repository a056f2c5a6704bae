use crate::field::{Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD};

const FIELDS: &[Field] = &[
    Field::new("value", "value", Shape::Double, "The measured value.").column("value"),
    Field::new(
        "timestamp",
        "timestamp",
        Shape::EpochMillis,
        "When it was measured, in milliseconds since the Unix epoch.",
    )
    .column("timestamp"),
    Field::new("step", "step", Shape::Integer, "Step of the training it was measured at.").column("step"),
    STATE_FIELD,
    EXPERIMENT_ID,
    EXPERIMENT_RUN_ID,
];

/// A named number; under a run, the latest one, with a history.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::Metric,
    table: EntityTable::Artifact,
    schema: "Metric",
    label: "metric artifact",
    label_plural: "metric artifacts",
    artifact_type: Some("metric"),
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    parent: None,
    references: &[],
    fields: FIELDS,
};

/// A logged value of a metric.
pub(crate) static POINT_SPEC: KindSpec = KindSpec {
    kind: Kind::MetricPoint,
    table: EntityTable::MetricPoint,
    schema: "Metric",
    label: "metric history record",
    label_plural: "metric history records",
    artifact_type: Some("metric"),
    name_required: true,
    name_limit: CHILD_NAME_LIMIT,
    parent: None,
    references: &[],
    fields: FIELDS,
};
