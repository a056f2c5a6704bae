//! The entry point of every operation.

use std::sync::Arc;

use model_registry_api::entities::{
    Artifact, Experiment, ExperimentRun, InferenceService, ModelArtifact, ModelVersion, RegisterRequest,
    RegisterResponse, RegisteredModel, SearchPage, ServeModel, ServingEnvironment,
};

use crate::builder::ClientBuilder;
use crate::call::{Call, entity_path};
use crate::catalog::Catalog;
use crate::changes::ChangeFeed;
use crate::children::{ArtifactsOf, Children, MetricHistory};
use crate::collection::Collection;
use crate::error::Result;
use crate::json::Json;
use crate::options::SearchOptions;
use crate::resource::Resource;
use crate::transport::Transport;

const REGISTER: &str = "registered_models:register";

/// A client of one server. Clones are cheap and share connections.
#[derive(Clone, Debug)]
pub struct Client {
    pub(crate) transport: Arc<Transport>,
}

impl Client {
    /// Creates a client with default limits and without a token, for an address such as `http://127.0.0.1:8080`.
    pub fn new(server: &str) -> Result<Self> {
        Self::builder(server).build()
    }

    /// Starts to build a client for a server.
    pub fn builder(server: &str) -> ClientBuilder {
        ClientBuilder::new(server)
    }

    /// The URL of an entity.
    pub fn entity_url<R: Resource>(&self, id: &str) -> Result<String> {
        Ok(self.transport.url(&entity_path(R::COLLECTION, id)?))
    }

    /// The collection of a kind given as type parameter.
    pub fn collection<R: Resource>(&self) -> Collection<R> {
        Collection::new(self.clone())
    }

    /// The registered models.
    pub fn registered_models(&self) -> Collection<RegisteredModel> {
        Collection::new(self.clone())
    }

    /// The versions of all models.
    pub fn model_versions(&self) -> Collection<ModelVersion> {
        Collection::new(self.clone())
    }

    /// The artifacts of every kind.
    pub fn artifacts(&self) -> Collection<Artifact> {
        Collection::new(self.clone())
    }

    /// The model artifacts.
    pub fn model_artifacts(&self) -> Collection<ModelArtifact> {
        Collection::new(self.clone())
    }

    /// The serving environments.
    pub fn serving_environments(&self) -> Collection<ServingEnvironment> {
        Collection::new(self.clone())
    }

    /// The inference services of all serving environments.
    pub fn inference_services(&self) -> Collection<InferenceService> {
        Collection::new(self.clone())
    }

    /// The experiments.
    pub fn experiments(&self) -> Collection<Experiment> {
        Collection::new(self.clone())
    }

    /// The runs of all experiments.
    pub fn experiment_runs(&self) -> Collection<ExperimentRun> {
        Collection::new(self.clone())
    }

    /// The versions of a model.
    pub fn versions_of(&self, registered_model_id: &str) -> Children<ModelVersion> {
        Children::new(self.clone(), registered_model_id)
    }

    /// The runs of an experiment.
    pub fn runs_of(&self, experiment_id: &str) -> Children<ExperimentRun> {
        Children::new(self.clone(), experiment_id)
    }

    /// The inference services of a serving environment.
    pub fn services_of(&self, serving_environment_id: &str) -> Children<InferenceService> {
        Children::new(self.clone(), serving_environment_id)
    }

    /// The serve models of an inference service.
    pub fn serves_of(&self, inference_service_id: &str) -> Children<ServeModel> {
        Children::new(self.clone(), inference_service_id)
    }

    /// The artifacts of a model version.
    pub fn artifacts_of_version(&self, model_version_id: &str) -> ArtifactsOf {
        ArtifactsOf::new(self.clone(), ModelVersion::COLLECTION, model_version_id)
    }

    /// The artifacts, metrics and parameters of an experiment run.
    pub fn artifacts_of_run(&self, experiment_run_id: &str) -> ArtifactsOf {
        ArtifactsOf::new(self.clone(), ExperimentRun::COLLECTION, experiment_run_id)
    }

    /// Every metric value that was logged in a run.
    pub fn metric_history(&self, experiment_run_id: &str) -> MetricHistory {
        MetricHistory::new(self.clone(), Some(experiment_run_id))
    }

    /// Every metric value that was logged in any run.
    pub fn metric_history_of_all_runs(&self) -> MetricHistory {
        MetricHistory::new(self.clone(), None)
    }

    /// The catalog, if the server has one.
    pub fn catalog(&self) -> Catalog {
        Catalog::new(self.clone())
    }

    /// The change feed. The Kubeflow Model Registry does not have one.
    pub fn changes(&self) -> ChangeFeed {
        ChangeFeed::new(self.clone())
    }

    /// Entities as JSON, for programs that copy them.
    pub fn json(&self) -> Json {
        Json::new(self.clone())
    }

    /// Finds entities of all kinds, the best matches first. The Kubeflow Model Registry does not have it.
    pub async fn search(&self, options: &SearchOptions) -> Result<SearchPage> {
        self.transport.fetch(Call::get("search".to_owned(), options.query())).await
    }

    /// The model that an inference service serves.
    pub async fn model_of_service(&self, inference_service_id: &str) -> Result<RegisteredModel> {
        let path = format!("{}/model", entity_path(InferenceService::COLLECTION, inference_service_id)?);
        self.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// The version that an inference service serves: the one that it refers to, or else the newest of the model.
    pub async fn version_of_service(&self, inference_service_id: &str) -> Result<ModelVersion> {
        let path = format!("{}/version", entity_path(InferenceService::COLLECTION, inference_service_id)?);
        self.transport.fetch(Call::get(path, Vec::new())).await
    }

    /// Registers a model, a version and its artifacts in one transaction. The model is created unless one with its name
    /// exists.
    pub async fn register(&self, request: &RegisterRequest) -> Result<RegisterResponse> {
        self.transport.fetch(Call::post(REGISTER.to_owned(), request)?).await
    }

    /// As [`Self::register`], with an idempotency key that the caller has chosen: a program that was restarted gets the response of its
    /// first request again, for as long as the server keeps it (a day).
    pub async fn register_once(&self, request: &RegisterRequest, idempotency_key: &str) -> Result<RegisterResponse> {
        let mut call = Call::post(REGISTER.to_owned(), request)?;
        call.idempotency_key = Some(idempotency_key.to_owned());
        self.transport.fetch(call).await
    }
}
