//! Lists below a parent entity.

use std::marker::PhantomData;

use model_registry_api::entities::{Artifact, Metric, Page};

use crate::call::{Call, entity_path};
use crate::client::Client;
use crate::error::Result;
use crate::options::ListOptions;
use crate::pages::{self, Items};
use crate::resource::Child;

/// The versions of a model, the runs of an experiment, the inference services of a serving environment, or the serve
/// models of an inference service.
#[derive(Clone, Debug)]
pub struct Children<C> {
    client: Client,
    parent_id: String,
    kind: PhantomData<fn() -> C>,
}

impl<C: Child> Children<C> {
    pub(crate) fn new(client: Client, parent_id: &str) -> Self {
        Self { client, parent_id: parent_id.to_owned(), kind: PhantomData }
    }

    fn path(&self) -> Result<String> {
        Ok(format!("{}/{}", entity_path(C::PARENTS, &self.parent_id)?, C::BELOW))
    }

    /// All children; pages are fetched as needed.
    pub fn list(&self, options: ListOptions) -> Items<C> {
        pages::items(self.client.clone(), self.path(), options)
    }

    /// One page; the empty token selects the first.
    pub async fn page(&self, options: &ListOptions, token: &str) -> Result<Page<C>> {
        pages::page(&self.client, self.path()?, options, token).await
    }

    /// Creates a child of this parent, overriding the parent in `create`.
    pub async fn create(&self, create: &C::Create) -> Result<C> {
        let mut create = create.clone();
        C::set_parent(&mut create, &self.parent_id);
        self.client.transport.fetch(Call::post(self.path()?, &create)?).await
    }
}

/// The artifacts of a version or run.
#[derive(Clone, Debug)]
pub struct ArtifactsOf {
    client: Client,
    parents: &'static str,
    parent_id: String,
}

impl ArtifactsOf {
    pub(crate) fn new(client: Client, parents: &'static str, parent_id: &str) -> Self {
        Self { client, parents, parent_id: parent_id.to_owned() }
    }

    fn path(&self) -> Result<String> {
        Ok(format!("{}/artifacts", entity_path(self.parents, &self.parent_id)?))
    }

    /// All artifacts; pages are fetched as needed.
    pub fn list(&self, options: ListOptions) -> Items<Artifact> {
        pages::items(self.client.clone(), self.path(), options)
    }

    /// One page; the empty token selects the first.
    pub async fn page(&self, options: &ListOptions, token: &str) -> Result<Page<Artifact>> {
        pages::page(&self.client, self.path()?, options, token).await
    }

    /// Creates, updates or attaches an artifact. One with an `id` is updated and attached to this parent. A metric or
    /// parameter with the name of an existing one sets its value. Any other artifact is created. A metric of a run also adds
    /// a point to the metric history.
    pub async fn upsert(&self, artifact: &Artifact) -> Result<Artifact> {
        self.client.transport.fetch(Call::post(self.path()?, artifact)?).await
    }
}

/// The logged values of metrics, of one run or of all runs.
#[derive(Clone, Debug)]
pub struct MetricHistory {
    client: Client,
    run_id: Option<String>,
}

impl MetricHistory {
    pub(crate) fn new(client: Client, run_id: Option<&str>) -> Self {
        Self { client, run_id: run_id.map(str::to_owned) }
    }

    fn path(&self) -> Result<String> {
        match &self.run_id {
            Some(run_id) => Ok(format!("{}/metric_history", entity_path("experiment_runs", run_id)?)),
            None => Ok("experiment_runs/metric_history".to_owned()),
        }
    }

    /// All points; `name` and `steps` of the options select points.
    pub fn list(&self, options: ListOptions) -> Items<Metric> {
        pages::items(self.client.clone(), self.path(), options)
    }

    /// One page; the empty token selects the first.
    pub async fn page(&self, options: &ListOptions, token: &str) -> Result<Page<Metric>> {
        pages::page(&self.client, self.path()?, options, token).await
    }
}
