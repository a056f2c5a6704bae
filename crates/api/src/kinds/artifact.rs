//! Fields that all artifact kinds share.

use crate::field::{Enumeration, Field, Shape};

static STATE: Enumeration = Enumeration {
    name: "ArtifactState",
    members: &["UNKNOWN", "PENDING", "LIVE", "MARKED_FOR_DELETION", "DELETED", "ABANDONED", "REFERENCE"],
    default: Some("UNKNOWN"),
};

/// Only `POST …/model_artifacts` applies the default (parity).
pub(crate) const STATE_FIELD: Field = Field::state(&STATE);
pub(crate) const URI: Field = Field::string("uri", "uri", "Location of the artifact.");
pub(crate) const EXPERIMENT_ID: Field =
    Field::new("experimentId", "experiment_id", Shape::Id, "Id of that run's experiment; set by the server.")
        .read_only()
        .column("experiment_id");
pub(crate) const EXPERIMENT_RUN_ID: Field =
    Field::new("experimentRunId", "experiment_run_id", Shape::Id, "Id of the run that logged it; set by the server.")
        .read_only()
        .column("experiment_run_id");
