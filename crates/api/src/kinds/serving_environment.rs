use crate::ApiVersion;
use crate::kind::{EntityTable, Kind, KindSpec, NAME_LIMIT};

/// An environment that models are served in, for example a Kubernetes namespace.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ServingEnvironment,
    code: 3,
    name: "serving_environment",
    collection: Some("serving_environments"),
    versions: &ApiVersion::ALL,
    command: Some("environments"),
    table: EntityTable::Resource,
    schema: "ServingEnvironment",
    label: "serving environment",
    label_plural: "serving environments",
    artifact_type: None,
    name_required: true,
    name_limit: NAME_LIMIT,
    external_id_scope: 1,
    parent: None,
    has_artifacts: false,
    upsert_by_name: false,
    history: None,
    references: &[],
    checks: &[],
    fields: &[],
};
