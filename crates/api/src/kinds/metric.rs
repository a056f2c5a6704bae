use crate::ApiVersion;
use crate::field::{Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, Check, EntityTable, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD};

pub(super) const FIELDS: &[Field] = &[
    Field::new("value", "value", Shape::Double, "The measured value.").column("value"),
    Field::new(
        "timestamp",
        "timestamp",
        Shape::EpochMillis,
        "Time of the measurement, in milliseconds since the Unix epoch.",
    )
    .column("timestamp"),
    Field::new("step", "step", Shape::Integer, "Training step of the measurement.").column("step"),
    STATE_FIELD,
    EXPERIMENT_ID,
    EXPERIMENT_RUN_ID,
];

/// A named number. Under a run it is the latest value, and a history keeps all values.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::Metric,
    code: 14,
    name: "metric",
    collection: None,
    versions: &ApiVersion::ALL,
    command: Some("artifacts"),
    table: EntityTable::Artifact,
    schema: "Metric",
    label: "metric artifact",
    label_plural: "metric artifacts",
    artifact_type: Some("metric"),
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 1,
    parent: None,
    has_artifacts: false,
    upsert_by_name: true,
    history: Some(Kind::MetricPoint),
    references: &[],
    checks: &[Check::Required { field: "value", message: "metric value is required" }],
    fields: FIELDS,
};
