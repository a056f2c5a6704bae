use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD, URI};

/// A document about a model version or run.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::DocArtifact,
    table: EntityTable::Artifact,
    schema: "DocArtifact",
    label: "doc artifact",
    label_plural: "doc artifacts",
    artifact_type: Some("doc-artifact"),
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    parent: None,
    references: &[],
    fields: &[URI, STATE_FIELD, EXPERIMENT_ID, EXPERIMENT_RUN_ID],
};
