//! Entities as the JSON of the API, for programs that copy entities: no field is lost that this version does not know.

use model_registry_api::Kind;
use model_registry_api::entities::Page;
use serde_json::{Map, Value};

use crate::call::{Call, Query, entity_path};
use crate::client::Client;
use crate::error::Result;
use crate::options::{ListOptions, ListQuery};
use crate::pages::{self, Items};

/// The operations on JSON; see [`Client::json`].
#[derive(Clone, Debug)]
pub struct Json {
    client: Client,
}

/// A collection of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// All entities of a kind; artifacts of all kinds share one collection.
    All(Kind),
    /// The children of a kind below a parent, such as the serve models of an inference service. For an artifact, the
    /// artifacts of a version or run.
    Below { kind: Kind, parent: Kind, parent_id: String },
    /// The metric history of all runs.
    MetricHistory,
}

impl Place {
    fn path(&self) -> Result<String> {
        const ARTIFACTS: &str = "artifacts";
        match self {
            Self::All(kind) => Ok(collection(*kind).to_owned()),
            Self::Below { kind, parent, parent_id } => {
                let segment = kind.spec().parent.as_ref().map_or(ARTIFACTS, |parent| parent.segment);
                Ok(format!("{}/{segment}", entity_path(collection(*parent), parent_id)?))
            }
            Self::MetricHistory => Ok("experiment_runs/metric_history".to_owned()),
        }
    }
}

/// The path of a kind; kinds without their own are artifacts.
fn collection(kind: Kind) -> &'static str {
    if kind.spec().artifact_type.is_some() { "artifacts" } else { kind.spec().collection.unwrap_or("artifacts") }
}

impl Json {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// All entities of a collection; pages are fetched as needed.
    pub fn list(&self, place: &Place, options: ListOptions) -> Items<Value> {
        pages::items(self.client.clone(), place.path(), options)
    }

    /// One page of a collection; the empty token selects the first.
    pub async fn page(&self, place: &Place, options: &ListOptions, token: &str) -> Result<Page<Value>> {
        pages::page(&self.client, place.path()?, options, token).await
    }

    /// How the server reads the first page of a collection; for administrators.
    pub async fn explain(&self, place: &Place, options: &ListOptions) -> Result<Value> {
        let mut query = options.query();
        query.push(("explain", "true".to_owned()));
        self.client.transport.fetch(Call::get(place.path()?, query)).await
    }

    /// Creates an entity in a collection. Repetitions with the same idempotency key get the response of the first request.
    pub async fn create(&self, place: &Place, body: &Map<String, Value>, idempotency_key: &str) -> Result<Value> {
        let mut call = Call::post(place.path()?, body)?;
        call.idempotency_key = Some(idempotency_key.to_owned());
        self.client.transport.fetch(call).await
    }

    /// Updates an entity.
    pub async fn update(&self, kind: Kind, id: &str, body: &Map<String, Value>) -> Result<Value> {
        self.client.transport.fetch(Call::patch(entity_path(collection(kind), id)?, body, None)?).await
    }

    /// Finds an entity by its name and the id of its parent, if it has one.
    pub async fn find(&self, kind: Kind, name: &str, parent_id: Option<&str>) -> Result<Option<Value>> {
        let path = if kind.spec().artifact_type.is_some() { "artifact" } else { kind.spec().name };
        let mut query: Query = vec![("name", name.to_owned())];
        query.extend(parent_id.map(|id| ("parentResourceId", id.to_owned())));
        match self.client.transport.fetch(Call::get(path.to_owned(), query)).await {
            Ok(entity) => Ok(Some(entity)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_has_the_path_of_the_api() {
        let path = |place: Place| place.path().unwrap();
        let below = |kind, parent| path(Place::Below { kind, parent, parent_id: "7".to_owned() });
        assert_eq!(path(Place::All(Kind::ModelVersion)), "model_versions");
        assert_eq!(path(Place::All(Kind::ModelArtifact)), "artifacts");
        assert_eq!(path(Place::All(Kind::Metric)), "artifacts");
        assert_eq!(below(Kind::ServeModel, Kind::InferenceService), "inference_services/7/serves");
        assert_eq!(below(Kind::Metric, Kind::ExperimentRun), "experiment_runs/7/artifacts");
    }
}
