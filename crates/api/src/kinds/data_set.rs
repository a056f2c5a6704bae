use crate::ApiVersion;
use crate::field::Field;
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD, URI};

/// A data set used by a version or run.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::DataSet,
    code: 13,
    name: "data_set",
    collection: None,
    versions: &ApiVersion::ALL,
    command: Some("artifacts"),
    table: EntityTable::Artifact,
    schema: "DataSet",
    label: "dataset artifact",
    label_plural: "dataset artifacts",
    artifact_type: Some("dataset-artifact"),
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 1,
    parent: None,
    has_artifacts: false,
    upsert_by_name: false,
    history: None,
    references: &[],
    checks: &[],
    fields: &[
        URI,
        STATE_FIELD,
        Field::string("digest", "digest", "Digest of the data."),
        Field::string("sourceType", "source_type", "Type of the source."),
        Field::string("source", "source", "Origin of the data."),
        Field::string("schema", "schema", "Schema of the data."),
        Field::string("profile", "profile", "Profile of the data, for example counts."),
        EXPERIMENT_ID,
        EXPERIMENT_RUN_ID,
    ],
};
