use crate::ApiVersion;
use crate::field::{Enumeration, Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, Check, EntityTable, Kind, KindSpec, Parent};
use crate::kinds::LIVE_OR_ARCHIVED;

static STATE: Enumeration =
    Enumeration { name: "ExperimentRunState", members: LIVE_OR_ARCHIVED, default: Some("LIVE") };

static STATUS: Enumeration = Enumeration {
    name: "ExperimentRunStatus",
    members: &["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"],
    default: Some("RUNNING"),
};

/// A run of an experiment, the parent of its artifacts, metrics and parameters.
pub(crate) static SPEC: KindSpec = KindSpec {
    kind: Kind::ExperimentRun,
    code: 7,
    name: "experiment_run",
    collection: Some("experiment_runs"),
    versions: &[ApiVersion::V1Alpha3],
    command: Some("runs"),
    table: EntityTable::Resource,
    schema: "ExperimentRun",
    label: "experiment run",
    label_plural: "experiment runs",
    artifact_type: None,
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    external_id_scope: 1,
    parent: Some(Parent {
        kind: Kind::Experiment,
        field: Some("experimentId"),
        filter_names: &[],
        segment: "experiment_runs",
        operation: "ExperimentExperimentRun",
        upsert: true,
        list_checks_parent: true,
        malformed_id_is_not_found: false,
    }),
    has_artifacts: true,
    upsert_by_name: false,
    history: None,
    references: &[],
    checks: &[Check::TimeOrder { start: "startTimeSinceEpoch", end: "endTimeSinceEpoch" }],
    fields: &[
        Field::parent("experimentId", "experiment_id", "Id of the experiment of the run."),
        Field::new(
            "startTimeSinceEpoch",
            "start_time_since_epoch",
            Shape::EpochMillis,
            "Start of the run, in milliseconds since the Unix epoch.",
        )
        .immutable(),
        Field::new(
            "endTimeSinceEpoch",
            "end_time_since_epoch",
            Shape::EpochMillis,
            "End of the run, in milliseconds since the Unix epoch; not before its start.",
        ),
        Field::new("status", "status", Shape::Enumeration(&STATUS), "Status of the run.").or("RUNNING"),
        Field::state(&STATE).or("LIVE"),
        Field::string("owner", "owner", "Owner of the run."),
    ],
};
