//! One file per kind with its declaration, and the one list of all of them.

pub(crate) mod artifact;
mod data_set;
mod doc_artifact;
mod experiment;
mod experiment_run;
mod inference_service;
mod metric;
mod metric_point;
mod model_artifact;
mod model_version;
mod parameter;
mod registered_model;
mod serve_model;
mod serving_environment;

use crate::kind::{EntityTable, Kind, KindSpec};

/// Every declaration, in the order of [`Kind`].
pub(crate) static SPECS: &[&KindSpec] = &[
    &registered_model::SPEC,
    &model_version::SPEC,
    &serving_environment::SPEC,
    &inference_service::SPEC,
    &serve_model::SPEC,
    &experiment::SPEC,
    &experiment_run::SPEC,
    &model_artifact::SPEC,
    &doc_artifact::SPEC,
    &data_set::SPEC,
    &metric::SPEC,
    &parameter::SPEC,
    &metric_point::SPEC,
];

/// Every kind; does not compile unless the declarations are in the order of [`Kind`].
pub(crate) const ALL: [Kind; SPECS.len()] = {
    let mut kinds = [Kind::RegisteredModel; SPECS.len()];
    let mut index = 0;
    while index < kinds.len() {
        kinds[index] = SPECS[index].kind;
        assert!(kinds[index] as usize == index, "the declarations are not in the order of the members of `Kind`");
        index += 1;
    }
    kinds
};

/// The kinds of the artifact table.
pub(crate) const ARTIFACTS: [Kind; count_artifacts()] = {
    let mut kinds = [Kind::ModelArtifact; count_artifacts()];
    let (mut index, mut found) = (0, 0);
    while index < SPECS.len() {
        if matches!(SPECS[index].table, EntityTable::Artifact) {
            kinds[found] = SPECS[index].kind;
            found += 1;
        }
        index += 1;
    }
    kinds
};

const fn count_artifacts() -> usize {
    let (mut index, mut count) = (0, 0);
    while index < SPECS.len() {
        if matches!(SPECS[index].table, EntityTable::Artifact) {
            count += 1;
        }
        index += 1;
    }
    count
}

/// States of everything that is archived instead of deleted.
const LIVE_OR_ARCHIVED: &[&str] = &["LIVE", "ARCHIVED"];
