use crate::kind::{EntityTable, Kind, KindSpec, NAME_LIMIT};

/// A place where models are served, for example a Kubernetes namespace.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ServingEnvironment,
    table: EntityTable::Resource,
    schema: "ServingEnvironment",
    label: "serving environment",
    label_plural: "serving environments",
    artifact_type: None,
    name_required: true,
    name_limit: NAME_LIMIT,
    parent: None,
    references: &[],
    fields: &[],
};
