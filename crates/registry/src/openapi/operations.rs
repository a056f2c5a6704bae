//! Every operation of the registry's API, one line each, for both versions.

use model_registry_api::ApiVersion;

/// The tag of every operation: generated clients name their class after it.
pub(super) const TAG: &str = "ModelRegistryService";

/// What an operation does. Its method, its bodies and the statuses it answers with follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// GET one entity by name or external id.
    Find,
    /// GET a page of a list; the paging parameters are added.
    List,
    /// GET one entity by the id of its path.
    Get,
    /// POST `<schema>Create`.
    Create,
    /// POST `<schema>Upsert`: creates, or changes the entity that the body means.
    Upsert,
    /// PATCH with `<schema>Update`.
    Update,
    /// POST a model, a version and artifacts at once.
    Register,
    /// GET the change feed.
    Changes,
}

/// A line of the table.
pub(super) struct Operation {
    pub(super) action: Action,
    /// Below the base path of the version.
    pub(super) path: &'static str,
    /// In v1 with the suffix `V1`.
    pub(super) id: &'static str,
    /// Query parameters besides those of paging, separated by blanks.
    pub(super) query: &'static str,
    /// What it is about; the names of request and response schemas derive from it.
    pub(super) schema: &'static str,
    pub(super) summary: &'static str,
}

/// The operations of a version: v1 has none of experiments.
pub(super) fn of(version: ApiVersion) -> impl Iterator<Item = &'static Operation> {
    OPERATIONS.iter().filter(move |line| version == ApiVersion::V1Alpha3 || !line.path.starts_with("/experiment"))
}

use Action::{Changes, Create, Find, Get, List, Register, Update, Upsert};

const fn op(
    action: Action,
    path: &'static str,
    id: &'static str,
    query: &'static str,
    schema: &'static str,
    summary: &'static str,
) -> Operation {
    Operation { action, path, id, query, schema, summary }
}

/// How find operations name what they look for.
const BY_NAME: &str = "name externalId";
const BY_CHILD_NAME: &str = "name externalId parentResourceId";
/// How lists below a parent may be narrowed.
const NAMED: &str = "name externalId";

// One line per operation reads as the table it is.
#[rustfmt::skip]
static OPERATIONS: &[Operation] = &[
    op(List,     "/registered_models",                               "getRegisteredModels",              "",            "RegisteredModel",    "Lists registered models."),
    op(Create,   "/registered_models",                               "createRegisteredModel",            "",            "RegisteredModel",    "Creates a registered model."),
    op(Register, "/registered_models:register",                      "registerModel",                    "",            "Registration",       "Finds or creates a model and creates a version of it with its artifacts: all or nothing."),
    op(Get,      "/registered_models/{registeredmodelId}",           "getRegisteredModel",               "",            "RegisteredModel",    "Gets a registered model."),
    op(Update,   "/registered_models/{registeredmodelId}",           "updateRegisteredModel",            "",            "RegisteredModel",    "Changes a registered model."),
    op(List,     "/registered_models/{registeredmodelId}/versions",  "getRegisteredModelVersions",       NAMED,         "ModelVersion",       "Lists the versions of a registered model."),
    op(Upsert,   "/registered_models/{registeredmodelId}/versions",  "createRegisteredModelVersion",     "",            "ModelVersion",       "Creates a version of a registered model, or changes the one whose id the body carries."),
    op(Find,     "/registered_model",                                "findRegisteredModel",              BY_NAME,       "RegisteredModel",    "Finds a registered model by name or external id."),

    op(List,     "/model_versions",                                  "getModelVersions",                 "",            "ModelVersion",       "Lists model versions."),
    op(Create,   "/model_versions",                                  "createModelVersion",               "",            "ModelVersion",       "Creates a model version."),
    op(Get,      "/model_versions/{modelversionId}",                 "getModelVersion",                  "",            "ModelVersion",       "Gets a model version."),
    op(Update,   "/model_versions/{modelversionId}",                 "updateModelVersion",               "",            "ModelVersion",       "Changes a model version."),
    op(List,     "/model_versions/{modelversionId}/artifacts",       "getModelVersionArtifacts",         "name externalId artifactType", "Artifact", "Lists the artifacts of a model version."),
    op(Upsert,   "/model_versions/{modelversionId}/artifacts",       "upsertModelVersionArtifact",       "",            "Artifact",           "Creates an artifact of a model version, or changes or attaches the one that the body means."),
    op(Find,     "/model_version",                                   "findModelVersion",                 BY_CHILD_NAME, "ModelVersion",       "Finds a model version by name and model, or by external id."),

    op(List,     "/artifacts",                                       "getArtifacts",                     "artifactType", "Artifact",          "Lists artifacts of every kind."),
    op(Create,   "/artifacts",                                       "createArtifact",                   "",            "Artifact",           "Creates an artifact that belongs to nothing yet."),
    op(Get,      "/artifacts/{id}",                                  "getArtifact",                      "",            "Artifact",           "Gets an artifact."),
    op(Update,   "/artifacts/{id}",                                  "updateArtifact",                   "",            "Artifact",           "Changes an artifact; the body has to carry its `artifactType`."),
    op(Find,     "/artifact",                                        "findArtifact",                     BY_CHILD_NAME, "Artifact",           "Finds an artifact by name and version or run, or by external id."),

    op(List,     "/model_artifacts",                                 "getModelArtifacts",                "",            "ModelArtifact",      "Lists model artifacts."),
    op(Create,   "/model_artifacts",                                 "createModelArtifact",              "",            "ModelArtifact",      "Creates a model artifact that belongs to nothing yet."),
    op(Get,      "/model_artifacts/{modelartifactId}",               "getModelArtifact",                 "",            "ModelArtifact",      "Gets a model artifact."),
    op(Update,   "/model_artifacts/{modelartifactId}",               "updateModelArtifact",              "",            "ModelArtifact",      "Changes a model artifact."),
    op(Find,     "/model_artifact",                                  "findModelArtifact",                BY_CHILD_NAME, "ModelArtifact",      "Finds a model artifact by name and version or run, or by external id."),

    op(List,     "/serving_environments",                            "getServingEnvironments",           "",            "ServingEnvironment", "Lists serving environments."),
    op(Create,   "/serving_environments",                            "createServingEnvironment",         "",            "ServingEnvironment", "Creates a serving environment."),
    op(Get,      "/serving_environments/{servingenvironmentId}",     "getServingEnvironment",            "",            "ServingEnvironment", "Gets a serving environment."),
    op(Update,   "/serving_environments/{servingenvironmentId}",     "updateServingEnvironment",         "",            "ServingEnvironment", "Changes a serving environment."),
    op(List,     "/serving_environments/{servingenvironmentId}/inference_services", "getEnvironmentInferenceServices",   NAMED, "InferenceService", "Lists the inference services of a serving environment."),
    op(Create,   "/serving_environments/{servingenvironmentId}/inference_services", "createEnvironmentInferenceService", "",    "InferenceService", "Creates an inference service in a serving environment."),
    op(Find,     "/serving_environment",                             "findServingEnvironment",           BY_NAME,       "ServingEnvironment", "Finds a serving environment by name or external id."),

    op(List,     "/inference_services",                              "getInferenceServices",             "",            "InferenceService",   "Lists inference services."),
    op(Create,   "/inference_services",                              "createInferenceService",           "",            "InferenceService",   "Creates an inference service."),
    op(Get,      "/inference_services/{inferenceserviceId}",         "getInferenceService",              "",            "InferenceService",   "Gets an inference service."),
    op(Update,   "/inference_services/{inferenceserviceId}",         "updateInferenceService",           "",            "InferenceService",   "Changes an inference service."),
    op(Get,      "/inference_services/{inferenceserviceId}/model",   "getInferenceServiceModel",         "",            "RegisteredModel",    "Gets the registered model that an inference service serves."),
    op(Get,      "/inference_services/{inferenceserviceId}/version", "getInferenceServiceVersion",       "",            "ModelVersion",       "Gets the model version that an inference service serves: the one it names, or the model's newest."),
    op(List,     "/inference_services/{inferenceserviceId}/serves",  "getInferenceServiceServes",        NAMED,         "ServeModel",         "Lists what an inference service has served."),
    op(Create,   "/inference_services/{inferenceserviceId}/serves",  "createInferenceServiceServe",      "",            "ServeModel",         "Records that an inference service serves a model version."),
    op(Find,     "/inference_service",                               "findInferenceService",             BY_CHILD_NAME, "InferenceService",   "Finds an inference service by name and environment, or by external id."),

    op(List,     "/experiments",                                     "getExperiments",                   "",            "Experiment",         "Lists experiments."),
    op(Create,   "/experiments",                                     "createExperiment",                 "",            "Experiment",         "Creates an experiment."),
    op(Get,      "/experiments/{experimentId}",                      "getExperiment",                    "",            "Experiment",         "Gets an experiment."),
    op(Update,   "/experiments/{experimentId}",                      "updateExperiment",                 "",            "Experiment",         "Changes an experiment."),
    op(List,     "/experiments/{experimentId}/experiment_runs",      "getExperimentExperimentRuns",      NAMED,         "ExperimentRun",      "Lists the runs of an experiment."),
    op(Upsert,   "/experiments/{experimentId}/experiment_runs",      "createExperimentExperimentRun",    "",            "ExperimentRun",      "Creates a run of an experiment, or changes the one whose id the body carries."),
    op(Find,     "/experiment",                                      "findExperiment",                   BY_NAME,       "Experiment",         "Finds an experiment by name or external id."),

    op(List,     "/experiment_runs",                                 "getExperimentRuns",                "",            "ExperimentRun",      "Lists experiment runs."),
    op(Create,   "/experiment_runs",                                 "createExperimentRun",              "",            "ExperimentRun",      "Creates an experiment run."),
    op(Get,      "/experiment_runs/{experimentrunId}",               "getExperimentRun",                 "",            "ExperimentRun",      "Gets an experiment run."),
    op(Update,   "/experiment_runs/{experimentrunId}",               "updateExperimentRun",              "",            "ExperimentRun",      "Changes an experiment run."),
    op(List,     "/experiment_runs/{experimentrunId}/artifacts",     "getExperimentRunArtifacts",        "name externalId artifactType", "Artifact", "Lists the artifacts of an experiment run."),
    op(Upsert,   "/experiment_runs/{experimentrunId}/artifacts",     "upsertExperimentRunArtifact",      "",            "Artifact",           "Logs an artifact to an experiment run: creates it, or changes or attaches the one that the body means."),
    op(List,     "/experiment_runs/{experimentrunId}/metric_history", "getExperimentRunMetricHistory",   "name stepIds", "Metric",            "Lists every value that an experiment run logged."),
    op(List,     "/experiment_runs/metric_history",                  "getExperimentRunsMetricHistory",   "name stepIds", "Metric",            "Lists every value that all experiment runs logged."),
    op(Find,     "/experiment_run",                                  "findExperimentRun",                BY_CHILD_NAME, "ExperimentRun",      "Finds an experiment run by name and experiment, or by external id."),

    op(Changes,  "/changes",                                         "getChanges",                       "after limit wait", "Change",         "Lists the mutations behind a sequence, waits for the next ones, or streams them."),
];
