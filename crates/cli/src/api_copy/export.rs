//! Export through the API.
//!
//! It is not a snapshot: entities that are created meanwhile are left out, so that no reference in the file is dangling, and
//! other changes are noticed in the change feed.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Write;

use anyhow::{Context, bail};
use futures::{StreamExt, TryStreamExt, stream};
use model_registry_api::EntityTable;
use model_registry_client::{After, Client, Items, Kind, ListOptions, Place, SortOrder};
use model_registry_store::backup::line::{End, Entity, Item, LineWriter, Section};
use model_registry_store::{OnProgress, Progress};
use serde_json::Value;

/// Entities per request.
const PAGE: u32 = 1_000;
/// Concurrent requests for the artifacts of versions and runs.
const CONCURRENT: usize = 8;
/// Lines between two reports of progress.
const REPORT_EVERY: u64 = 1_000;

pub(crate) struct ApiExportReport {
    pub(crate) end: End,
    /// Whether the registry changed meanwhile; `None` if the server has no change feed.
    pub(crate) has_changed: Option<bool>,
}

/// The parents of an artifact, in ascending order.
type Owners = HashMap<i64, Vec<i64>>;

struct Export<'a, W> {
    client: &'a Client,
    writer: LineWriter<W>,
    /// The highest id of each collection at the start.
    newest: HashMap<&'static str, i64>,
    /// The exported entities that others refer to.
    resources: HashSet<i64>,
    on_progress: OnProgress<'a>,
}

pub(crate) async fn export(
    client: &Client,
    out: impl Write,
    on_progress: OnProgress<'_>,
) -> anyhow::Result<ApiExportReport> {
    let before = newest_change(client).await;
    let newest = newest_ids(client).await?;
    let mut export = Export { client, writer: LineWriter::start(out)?, newest, resources: HashSet::new(), on_progress };
    let mut links: BTreeSet<(i64, i64)> = BTreeSet::new();
    let mut owners = None;
    for section in Section::all() {
        match section {
            Section::Links => {
                for (resource_id, artifact_id) in links.iter().copied() {
                    export.write(&Item::Link { resource_id, artifact_id })?;
                }
            }
            Section::Entities(Kind::MetricPoint) => export.metric_points().await?,
            Section::Entities(Kind::ServeModel) => export.serve_models().await?,
            Section::Entities(kind) if kind.spec().table == EntityTable::Artifact => {
                if owners.is_none() {
                    owners = Some(export.owners().await?);
                }
                export.artifacts(kind, owners.as_ref().context("owners")?, &mut links).await?;
            }
            Section::Entities(kind) => export.resources(kind).await?,
        }
    }
    let end = export.writer.end()?;
    let after = newest_change(client).await;
    Ok(ApiExportReport { end, has_changed: before.zip(after).map(|(before, after)| before != after) })
}

/// The sequence of the newest change; `None` without a change feed, or without the right to read it.
async fn newest_change(client: &Client) -> Option<i64> {
    client.changes().page(After::Newest, 1).await.ok().map(|page| page.next)
}

/// The highest id of each collection. Those of children are read first, so that their parents are not newer than the highest
/// id of the parents.
async fn newest_ids(client: &Client) -> anyhow::Result<HashMap<&'static str, i64>> {
    let options = ListOptions { sort_order: SortOrder::Descending, page_size: Some(1), ..ListOptions::default() };
    let mut newest = HashMap::new();
    let points = client.json().page(&Place::MetricHistory, &options, "").await?.items;
    newest.insert(Kind::MetricPoint.name(), points.first().map(id).transpose()?.unwrap_or_default());
    let artifacts = client.json().page(&Place::All(Kind::ModelArtifact), &options, "").await?.items;
    newest.insert(ARTIFACTS, artifacts.first().map(id).transpose()?.unwrap_or_default());
    for kind in Kind::ALL.into_iter().rev().filter(|kind| kind.spec().collection.is_some()) {
        if kind.spec().artifact_type.is_none() {
            let found = client.json().page(&Place::All(kind), &options, "").await?.items;
            newest.insert(kind.name(), found.first().map(id).transpose()?.unwrap_or_default());
        }
    }
    Ok(newest)
}

const ARTIFACTS: &str = "artifacts";

impl<W: Write> Export<'_, W> {
    fn list(&self, place: &Place, options: ListOptions) -> Items<Value> {
        self.client.json().list(place, ListOptions { page_size: Some(PAGE), ..options })
    }

    fn write(&mut self, item: &Item) -> anyhow::Result<()> {
        self.writer.item(item).context("cannot write the file")?;
        if self.writer.lines().is_multiple_of(REPORT_EVERY) {
            (self.on_progress)(Progress::Exporting { lines: self.writer.lines() });
        }
        Ok(())
    }

    /// Whether an entity existed at the start.
    fn is_old(&self, collection: &str, id: i64) -> bool {
        self.newest.get(collection).is_some_and(|newest| id <= *newest)
    }

    async fn resources(&mut self, kind: Kind) -> anyhow::Result<()> {
        let mut entities = self.list(&Place::All(kind), ListOptions::default());
        while let Some(entity) = entities.try_next().await? {
            let parent = kind.spec().parent.as_ref().and_then(|parent| parent.field);
            let parent_id = parent.map(|field| reference(&entity, field)).transpose()?;
            let id = id(&entity)?;
            if self.is_old(kind.name(), id) && parent_id.is_none_or(|parent| self.resources.contains(&parent)) {
                self.resources.insert(id);
                self.write(&item(kind, entity, parent_id)?)?;
            }
        }
        Ok(())
    }

    /// Serve models have no collection of their own, and need not follow the order of their services.
    async fn serve_models(&mut self) -> anyhow::Result<()> {
        let services = self.list(&Place::All(Kind::InferenceService), ListOptions::default());
        let services: Vec<i64> = services.map(|service| id(&service?)).try_collect().await?;
        let services = services.into_iter().filter(|service| self.resources.contains(service));
        let lists = services.map(|service| {
            let place =
                Place::Below { kind: Kind::ServeModel, parent: Kind::InferenceService, parent_id: service.to_string() };
            let items = self.list(&place, ListOptions::default());
            async move { anyhow::Ok((service, items.try_collect::<Vec<Value>>().await?)) }
        });
        let found: Vec<(i64, Vec<Value>)> =
            stream::iter(lists.collect::<Vec<_>>()).buffered(CONCURRENT).try_collect().await?;
        let mut entities = BTreeMap::new();
        for (service, serve_models) in found {
            for entity in serve_models {
                let version = reference(&entity, "modelVersionId")?;
                if self.resources.contains(&version) {
                    entities.insert(id(&entity)?, item(Kind::ServeModel, entity, Some(service))?);
                }
            }
        }
        for item in entities.into_values() {
            self.write(&item)?;
        }
        Ok(())
    }

    /// The versions and runs of each artifact.
    async fn owners(&self) -> anyhow::Result<Owners> {
        let mut owners = Owners::new();
        for parent in Kind::ALL.into_iter().filter(|kind| kind.spec().has_artifacts) {
            let parents = self.list(&Place::All(parent), ListOptions::default());
            let parents =
                parents.map(|parent| id(&parent?)).try_filter(|id| std::future::ready(self.resources.contains(id)));
            let lists = parents.map_ok(|parent_id| {
                let place = Place::Below { kind: Kind::ModelArtifact, parent, parent_id: parent_id.to_string() };
                let items = self.list(&place, ListOptions::default());
                async move {
                    let ids: Vec<i64> = items.map(|artifact| id(&artifact?)).try_collect().await?;
                    anyhow::Ok((parent_id, ids))
                }
            });
            let mut lists = lists.try_buffered(CONCURRENT);
            while let Some((parent_id, artifacts)) = lists.try_next().await? {
                for artifact in artifacts {
                    owners.entry(artifact).or_default().push(parent_id);
                }
            }
        }
        for owners in owners.values_mut() {
            owners.sort_unstable();
        }
        Ok(owners)
    }

    async fn artifacts(&mut self, kind: Kind, owners: &Owners, links: &mut BTreeSet<(i64, i64)>) -> anyhow::Result<()> {
        let options = ListOptions { artifact_type: Some(kind), ..ListOptions::default() };
        let mut entities = self.list(&Place::All(kind), options);
        while let Some(entity) = entities.try_next().await? {
            let id = id(&entity)?;
            if !self.is_old(ARTIFACTS, id) {
                continue;
            }
            let owners = owners.get(&id).map_or(&[][..], Vec::as_slice);
            // The run in the document is the first owner, unless the artifact was attached to another run later.
            let run = entity.get("experimentRunId").and_then(Value::as_str).and_then(|run| run.parse().ok());
            let first = run.filter(|run| owners.contains(run)).or_else(|| owners.first().copied());
            links.extend(owners.iter().filter(|owner| Some(**owner) != first).map(|owner| (*owner, id)));
            self.write(&item(kind, entity, first)?)?;
        }
        Ok(())
    }

    async fn metric_points(&mut self) -> anyhow::Result<()> {
        let mut points = self.list(&Place::MetricHistory, ListOptions::default());
        while let Some(point) = points.try_next().await? {
            let run = reference(&point, "experimentRunId")?;
            if self.is_old(Kind::MetricPoint.name(), id(&point)?) && self.resources.contains(&run) {
                self.write(&item(Kind::MetricPoint, point, Some(run))?)?;
            }
        }
        Ok(())
    }
}

/// The line of an entity.
fn item(kind: Kind, entity: Value, parent_id: Option<i64>) -> anyhow::Result<Item> {
    let id = id(&entity)?;
    let Value::Object(mut document) = entity else { bail!("the response is not an entity") };
    document.remove("id");
    let time = |field: &str| {
        let millis = document.get(field).and_then(Value::as_str).and_then(|millis| millis.parse().ok());
        millis.with_context(|| format!("{} {id} has no `{field}`", kind.name()))
    };
    let (create_time, update_time) = (time("createTimeSinceEpoch")?, time("lastUpdateTimeSinceEpoch")?);
    let document = serde_json::to_string(&document)?;
    // The API shows revisions only in the response for a single entity.
    Ok(Item::Entity(Entity { kind, id, parent_id, revision: 1, create_time, update_time, document }))
}

fn id(entity: &Value) -> anyhow::Result<i64> {
    reference(entity, "id")
}

/// The id in a field.
fn reference(entity: &Value, field: &str) -> anyhow::Result<i64> {
    let id = entity.get(field).and_then(Value::as_str).and_then(|id| id.parse().ok());
    id.with_context(|| format!("the response contains an entity without the id in `{field}`"))
}
