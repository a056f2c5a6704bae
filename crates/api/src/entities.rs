//! Typed wire forms: one file per kind with the entity and the bodies that create and update it.
//!
//! Servers may be newer than this code: unknown fields are ignored, unknown members of an enumeration become `Other`.
//! The declarations in `kinds/` are authoritative; a test compares every struct with them.

mod artifact;
mod change;
mod custom_properties;
mod data_set;
mod decimal;
mod doc_artifact;
mod epoch_millis;
mod experiment;
mod experiment_run;
mod filter_options;
mod inference_service;
mod logged_change;
mod metric;
mod model_artifact;
mod model_version;
mod page;
mod parameter;
mod register;
mod registered_model;
mod search;
mod serve_model;
mod serving_environment;
mod state;

pub use artifact::{Artifact, ArtifactCreate, ArtifactUpdate};
pub use change::Change;
pub use custom_properties::{CustomProperties, MetadataValue};
pub use data_set::{DataSet, DataSetCreate, DataSetUpdate};
pub use doc_artifact::{DocArtifact, DocArtifactCreate, DocArtifactUpdate};
pub use epoch_millis::EpochMillis;
pub use experiment::{Experiment, ExperimentCreate, ExperimentUpdate};
pub use experiment_run::{ExperimentRun, ExperimentRunCreate, ExperimentRunStatus, ExperimentRunUpdate};
pub use filter_options::{FilterOption, FilterOptionRange, FilterOptions};
pub use inference_service::{InferenceService, InferenceServiceCreate, InferenceServiceState, InferenceServiceUpdate};
pub use logged_change::{ChangePage, LoggedChange};
pub use metric::{Metric, MetricCreate, MetricUpdate};
pub use model_artifact::{ModelArtifact, ModelArtifactCreate, ModelArtifactUpdate};
pub use model_version::{ModelVersion, ModelVersionCreate, ModelVersionUpdate};
pub use page::Page;
pub use parameter::{Parameter, ParameterCreate, ParameterType, ParameterUpdate};
pub use register::{RegisterRequest, RegisterResponse};
pub use registered_model::{RegisteredModel, RegisteredModelCreate, RegisteredModelUpdate};
pub use search::{SearchPage, SearchParent, SearchResult};
pub use serve_model::{ExecutionState, ServeModel, ServeModelCreate};
pub use serving_environment::{ServingEnvironment, ServingEnvironmentCreate, ServingEnvironmentUpdate};
pub use state::{ArtifactState, State};

#[cfg(test)]
mod tests;
