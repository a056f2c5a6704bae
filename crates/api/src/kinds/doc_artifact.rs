use crate::ApiVersion;
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD, URI};

/// A document about a model version or run.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::DocArtifact,
    code: 12,
    name: "doc_artifact",
    collection: None,
    versions: &ApiVersion::ALL,
    command: Some("artifacts"),
    table: EntityTable::Artifact,
    schema: "DocArtifact",
    label: "doc artifact",
    label_plural: "doc artifacts",
    artifact_type: Some("doc-artifact"),
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 1,
    parent: None,
    has_artifacts: false,
    upsert_by_name: false,
    history: None,
    references: &[],
    checks: &[],
    fields: &[URI, STATE_FIELD, EXPERIMENT_ID, EXPERIMENT_RUN_ID],
};
