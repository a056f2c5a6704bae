use crate::ApiVersion;
use crate::field::{Enumeration, Field};
use crate::kind::{EntityTable, Kind, KindSpec, NAME_LIMIT};
use crate::kinds::LIVE_OR_ARCHIVED;

static STATE: Enumeration = Enumeration { name: "ExperimentState", members: LIVE_OR_ARCHIVED, default: Some("LIVE") };

/// An experiment, the parent of its runs.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::Experiment,
    code: 6,
    name: "experiment",
    collection: Some("experiments"),
    versions: &[ApiVersion::V1Alpha3],
    command: Some("experiments"),
    table: EntityTable::Resource,
    schema: "Experiment",
    label: "experiment",
    label_plural: "experiments",
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
    fields: &[Field::string("owner", "owner", "Owner of the experiment."), Field::state(&STATE).or("LIVE")],
};
