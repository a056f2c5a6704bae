use crate::ApiVersion;
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec};
use crate::kinds::metric::FIELDS;

/// A logged value of a metric.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::MetricPoint,
    code: 21,
    name: "metric_point",
    collection: None,
    versions: &[ApiVersion::V1Alpha3],
    command: None,
    table: EntityTable::MetricPoint,
    schema: "Metric",
    label: "metric history record",
    label_plural: "metric history records",
    artifact_type: Some("metric"),
    name_required: true,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 1,
    parent: None,
    has_artifacts: false,
    upsert_by_name: false,
    history: None,
    references: &[],
    checks: &[],
    fields: FIELDS,
};
