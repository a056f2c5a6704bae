use crate::field::Field;
use crate::kind::{CHILD_NAME_LIMIT, Family, Kind, KindSpec};
use crate::kinds::artifact::{EXPERIMENT_ID, EXPERIMENT_RUN_ID, STATE_FIELD, URI};

/// The bytes of a model version.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ModelArtifact,
    family: Family::Artifact,
    schema: "ModelArtifact",
    label: "model artifact",
    label_plural: "model artifacts",
    artifact_type: Some("model-artifact"),
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    parent: None,
    references: &[],
    fields: &[
        URI,
        STATE_FIELD,
        Field::text("modelFormatName", "model_format_name", "Format of the model, for example `onnx`."),
        Field::text("modelFormatVersion", "model_format_version", "Version of the format."),
        Field::text("storageKey", "storage_key", "Name of the storage secret."),
        Field::text("storagePath", "storage_path", "Path of the model in its storage."),
        Field::text("serviceAccountName", "service_account_name", "Service account with the storage secret."),
        Field::text("modelSourceKind", "model_source_kind", "Kind of system the model comes from, for example `kfp`."),
        Field::text("modelSourceClass", "model_source_class", "Class within the source, for example `pipelinerun`."),
        Field::text("modelSourceGroup", "model_source_group", "Group within the source, for example a namespace."),
        Field::text("modelSourceId", "model_source_id", "Id within the source."),
        Field::text("modelSourceName", "model_source_name", "Name within the source."),
        EXPERIMENT_ID,
        EXPERIMENT_RUN_ID,
    ],
};
