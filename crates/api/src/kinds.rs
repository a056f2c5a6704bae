//! One file per kind: what it is called, what it has, what it belongs to.

pub(crate) mod artifact;
pub(crate) mod data_set;
pub(crate) mod doc_artifact;
pub(crate) mod experiment;
pub(crate) mod experiment_run;
pub(crate) mod inference_service;
pub(crate) mod metric;
pub(crate) mod model_artifact;
pub(crate) mod model_version;
pub(crate) mod parameter;
pub(crate) mod registered_model;
pub(crate) mod serve_model;
pub(crate) mod serving_environment;

/// States of everything that is archived instead of deleted.
pub(crate) const LIVE_OR_ARCHIVED: &[&str] = &["LIVE", "ARCHIVED"];
