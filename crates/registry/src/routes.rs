//! Every route of the registry, one line each, for both versions of the API.

mod artifacts;
mod changes;
mod entity;
mod inference_services;
mod list;
mod metric_history;
mod register;
mod request;

use std::sync::Arc;

use axum::Router;
use axum::routing::{MethodRouter, get, post};
use http::HeaderMap;
use model_registry_api::{ApiVersion, Kind};
use model_registry_server::openapi::ServedDocument;

pub(crate) use changes::WaitingRoom;

use crate::{Registry, openapi};

/// What a handler needs to know besides the request.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) registry: Arc<Registry>,
    pub(crate) version: ApiVersion,
}

/// The routes of the registry, to be completed with the server crate's fallbacks.
pub fn router(registry: Registry) -> Router {
    let document = ServedDocument::new(&openapi::document());
    let registry = Arc::new(registry);
    ApiVersion::ALL
        .into_iter()
        .fold(Router::new(), |router, version| {
            let context = Context { registry: Arc::clone(&registry), version };
            router.nest(version.base_path(), routes(version).with_state(context))
        })
        .route("/openapi.json", get(async move |headers: HeaderMap| document.answer(&headers)))
}

fn routes(version: ApiVersion) -> Router<Context> {
    let router = Router::new()
        .route("/registered_models", collection(Kind::RegisteredModel))
        .route("/registered_models:register", post(register::register))
        .route("/registered_models/{id}", entity(Kind::RegisteredModel))
        .route("/registered_models/{id}/versions", children(Kind::ModelVersion))
        .route("/registered_model", find(Kind::RegisteredModel))
        .route("/model_versions", collection(Kind::ModelVersion))
        .route("/model_versions/{id}", entity(Kind::ModelVersion))
        .route("/model_versions/{id}/artifacts", artifacts_of(Kind::ModelVersion))
        .route("/model_version", find(Kind::ModelVersion))
        .route("/artifacts", get(artifacts::list).post(artifacts::create))
        .route("/artifacts/{id}", get(artifacts::get_one).patch(artifacts::update))
        .route("/artifact", get(artifacts::find))
        .route("/model_artifacts", get(artifacts::list_model_artifacts).post(artifacts::create_model_artifact))
        .route("/model_artifacts/{id}", get(artifacts::get_model_artifact).patch(artifacts::update_model_artifact))
        .route("/model_artifact", get(artifacts::find_model_artifact))
        .route("/serving_environments", collection(Kind::ServingEnvironment))
        .route("/serving_environments/{id}", entity(Kind::ServingEnvironment))
        .route("/serving_environments/{id}/inference_services", children(Kind::InferenceService))
        .route("/serving_environment", find(Kind::ServingEnvironment))
        .route("/inference_services", collection(Kind::InferenceService))
        .route("/inference_services/{id}", entity(Kind::InferenceService))
        .route("/inference_services/{id}/model", get(inference_services::model))
        .route("/inference_services/{id}/version", get(inference_services::version))
        .route("/inference_services/{id}/serves", children(Kind::ServeModel))
        .route("/inference_service", find(Kind::InferenceService))
        .route("/changes", get(changes::list));
    match version {
        ApiVersion::V1 => router,
        ApiVersion::V1Alpha3 => router
            .route("/experiments", collection(Kind::Experiment))
            .route("/experiments/{id}", entity(Kind::Experiment))
            .route("/experiments/{id}/experiment_runs", children(Kind::ExperimentRun))
            .route("/experiment", find(Kind::Experiment))
            .route("/experiment_runs", collection(Kind::ExperimentRun))
            .route("/experiment_runs/metric_history", get(metric_history::of_all_runs))
            .route("/experiment_runs/{id}", entity(Kind::ExperimentRun))
            .route("/experiment_runs/{id}/artifacts", artifacts_of(Kind::ExperimentRun))
            .route("/experiment_runs/{id}/metric_history", get(metric_history::of_run))
            .route("/experiment_run", find(Kind::ExperimentRun)),
    }
}

/// List and create.
fn collection(kind: Kind) -> MethodRouter<Context> {
    get(move |request| entity::list(kind, request)).post(move |request, body| entity::create(kind, request, body))
}

/// Read and change.
fn entity(kind: Kind) -> MethodRouter<Context> {
    get(move |request, id| entity::get_one(kind, request, id))
        .patch(move |request, id, body| entity::update(kind, request, id, body))
}

/// List and create below a parent.
fn children(kind: Kind) -> MethodRouter<Context> {
    get(move |request, parent| entity::list_children(kind, request, parent))
        .post(move |request, parent, body| entity::create_child(kind, request, parent, body))
}

fn find(kind: Kind) -> MethodRouter<Context> {
    get(move |request| entity::find(kind, request))
}

/// List and upsert the artifacts of a version or run.
fn artifacts_of(parent: Kind) -> MethodRouter<Context> {
    get(move |request, id| artifacts::list_of(parent, request, id))
        .post(move |request, id, body| artifacts::upsert(parent, request, id, body))
}
