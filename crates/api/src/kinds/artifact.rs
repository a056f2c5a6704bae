//! What all artifacts share.

use crate::field::{Enumeration, Field, Shape};

static STATE: Enumeration = Enumeration {
    name: "ArtifactState",
    members: &["UNKNOWN", "PENDING", "LIVE", "MARKED_FOR_DELETION", "DELETED", "ABANDONED", "REFERENCE"],
    default: Some("UNKNOWN"),
};

/// The default is applied by `POST …/model_artifacts` alone (parity, registry-server 1.3).
pub(crate) const STATE_FIELD: Field = Field::state(&STATE);
pub(crate) const URI: Field = Field::string("uri", "uri", "Where the artifact is.");
pub(crate) const EXPERIMENT_ID: Field =
    Field::new("experimentId", "experiment_id", Shape::Id, "Id of the experiment it was logged in; set by the server.")
        .read_only()
        .column("experiment_id");
pub(crate) const EXPERIMENT_RUN_ID: Field =
    Field::new("experimentRunId", "experiment_run_id", Shape::Id, "Id of the run it was logged in; set by the server.")
        .read_only()
        .column("experiment_run_id");
