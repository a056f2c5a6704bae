use crate::ApiVersion;
use crate::field::Field;
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD, URI};

/// A model file of a version: location and format.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ModelArtifact,
    code: 11,
    name: "model_artifact",
    collection: Some("model_artifacts"),
    versions: &ApiVersion::ALL,
    command: Some("artifacts"),
    table: EntityTable::Artifact,
    schema: "ModelArtifact",
    label: "model artifact",
    label_plural: "model artifacts",
    artifact_type: Some("model-artifact"),
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
        Field::string("modelFormatName", "model_format_name", "Format of the model, for example `onnx`."),
        Field::string("modelFormatVersion", "model_format_version", "Version of the format."),
        Field::string("storageKey", "storage_key", "Name of the storage secret."),
        Field::string("storagePath", "storage_path", "Path of the model in its storage."),
        Field::string("serviceAccountName", "service_account_name", "Service account with the storage secret."),
        Field::string(
            "modelSourceKind",
            "model_source_kind",
            "Kind of system the model comes from, for example `kfp`.",
        ),
        Field::string("modelSourceClass", "model_source_class", "Class within the source, for example `pipelinerun`."),
        Field::string("modelSourceGroup", "model_source_group", "Group within the source, for example a namespace."),
        Field::string("modelSourceId", "model_source_id", "Id within the source."),
        Field::string("modelSourceName", "model_source_name", "Name within the source."),
        EXPERIMENT_ID,
        EXPERIMENT_RUN_ID,
    ],
};
