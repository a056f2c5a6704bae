use crate::field::{Enumeration, Field, Shape};
use crate::kind::{CHILD_NAME_LIMIT, EntityTable, Kind, KindSpec, Parent};
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
    table: EntityTable::Resource,
    schema: "ExperimentRun",
    label: "experiment run",
    label_plural: "experiment runs",
    artifact_type: None,
    name_required: false,
    name_limit: CHILD_NAME_LIMIT,
    parent: Some(Parent { kind: Kind::Experiment, field: Some("experimentId") }),
    references: &[],
    fields: &[
        Field::parent("experimentId", "experiment_id", "Id of the experiment this is a run of."),
        Field::new(
            "startTimeSinceEpoch",
            "start_time_since_epoch",
            Shape::EpochMillis,
            "When the run started, in milliseconds since the Unix epoch.",
        )
        .immutable(),
        Field::new(
            "endTimeSinceEpoch",
            "end_time_since_epoch",
            Shape::EpochMillis,
            "When the run ended, in milliseconds since the Unix epoch; not before its start.",
        ),
        Field::new("status", "status", Shape::Enumeration(&STATUS), "What the run is doing.").or("RUNNING"),
        Field::state(&STATE).or("LIVE"),
        Field::string("owner", "owner", "Who owns the run."),
    ],
};
