//! Import through the API.
//!
//! The file is read twice: first everything but the metrics of runs and the links, then these. The values of a metric are
//! logged one by one, so that the history keeps its order; the metric itself then gets its remaining fields.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;

use anyhow::Context;
use model_registry_api::{EntityTable, Kind, Shape};
use model_registry_client::{Client, Error as ClientError, Place};
use model_registry_store::backup::line::{Entity, Item, Line, LineReader};
use model_registry_store::backup::{Contents, verify};
use model_registry_store::{BackupError, Counts, OnProgress, Progress};
use serde_json::{Map, Value};

use super::journal::Journal;
use crate::backup;

/// Lines between two reports of progress.
const REPORT_EVERY: u64 = 100;

#[derive(Clone, Copy, Debug)]
pub(crate) struct ApiImportOptions {
    /// Entities whose names are taken are kept, and what belongs to them is imported.
    pub(crate) keep_existing: bool,
}

#[derive(Debug, Default)]
pub(crate) struct ApiImportReport {
    pub(crate) imported: Counts,
    /// Entities that existed under the same name.
    pub(crate) kept: u64,
    /// Lines imported by a previous run.
    pub(crate) resumed: u64,
    pub(crate) failed: u64,
    /// Lines that refer to failed ones.
    pub(crate) skipped: u64,
    pub(crate) lines: u64,
    /// The file with the new ids.
    pub(crate) journal: std::path::PathBuf,
}

/// Why a line was not imported.
enum LineError {
    /// The import cannot go on.
    Fatal(anyhow::Error),
    Failed(String),
    /// The line refers to this entity, which was not imported.
    Missing(String),
}

impl From<ClientError> for LineError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Invalid(_) | ClientError::NotFound(_) | ClientError::Conflict(_) | ClientError::Failed(_) => {
                Self::Failed(error.to_string())
            }
            error => Self::Fatal(error.into()),
        }
    }
}

struct Import<'a> {
    client: &'a Client,
    options: ApiImportOptions,
    contents: Contents,
    journal: Journal,
    /// The new ids of metrics by run (in the file) and name.
    metrics: HashMap<(i64, String), String>,
    report: ApiImportReport,
    on_error: &'a dyn Fn(&str),
}

/// Imports a file. The whole file is checked before anything is written.
pub(crate) async fn import(
    client: &Client,
    server: &str,
    path: &Path,
    options: ApiImportOptions,
    on_progress: OnProgress<'_>,
    on_error: &dyn Fn(&str),
) -> anyhow::Result<ApiImportReport> {
    let mut file = backup::open(path)?;
    let contents = match verify(rewound(&mut file)?, &|lines| on_progress(Progress::Checking { lines })) {
        Err(error @ BackupError::Line { .. }) => {
            return Err(error).with_context(|| format!("{} is invalid, nothing was imported", path.display()));
        }
        contents => contents?,
    };
    let journal = Journal::open(path, &contents.digest, server)?;
    let report =
        ApiImportReport { journal: journal.path.clone(), lines: contents.lines - 1, ..ApiImportReport::default() };
    let mut import = Import { client, options, contents, journal, metrics: HashMap::new(), report, on_error };
    for is_second in [false, true] {
        let mut reader = LineReader::start(rewound(&mut file)?)?;
        while let Line::Item(item) = reader.read()? {
            let line = reader.line();
            if import.is_second(&item) == is_second {
                import.line(line, &item).await?;
            }
            if line.is_multiple_of(REPORT_EVERY) {
                on_progress(Progress::Importing { lines: line, of: import.contents.lines });
            }
        }
    }
    Ok(import.report)
}

/// The file from its start.
fn rewound(file: &mut File) -> std::io::Result<BufReader<&mut File>> {
    file.rewind()?;
    Ok(BufReader::with_capacity(1 << 16, file))
}

impl Import<'_> {
    /// Whether the second reading imports an item.
    fn is_second(&self, item: &Item) -> bool {
        match item {
            Item::Link { .. } => true,
            Item::Entity(entity) => entity.kind.spec().history.is_some() && self.is_run(entity.parent_id),
        }
    }

    fn is_run(&self, id: Option<i64>) -> bool {
        let owner = id.and_then(|id| self.journal.ids.resources.get(&id));
        owner.is_some_and(|(kind, _)| *kind == Kind::ExperimentRun)
    }

    async fn line(&mut self, line: u64, item: &Item) -> anyhow::Result<()> {
        if self.journal.is_done(line) {
            self.report.resumed += 1;
            return Ok(());
        }
        let result = match item {
            Item::Link { resource_id, artifact_id } => self.link(line, *resource_id, *artifact_id).await,
            Item::Entity(entity) => self.entity(line, entity).await,
        };
        match result {
            Ok(()) => *self.report.imported.entry(item.section().name().to_owned()).or_default() += 1,
            Err(LineError::Fatal(error)) => {
                return Err(error.context(format!("stopped at line {line}; run the command again to continue there")));
            }
            Err(LineError::Failed(reason)) => {
                self.report.failed += 1;
                (self.on_error)(&format!("line {line}: {}: {reason}", described(item)));
            }
            Err(LineError::Missing(reference)) => {
                self.report.skipped += 1;
                (self.on_error)(&format!(
                    "line {line}: {}: skipped, since {reference} was not imported",
                    described(item)
                ));
            }
        }
        Ok(())
    }

    async fn entity(&mut self, line: u64, entity: &Entity) -> Result<(), LineError> {
        let Value::Object(document) =
            serde_json::from_str(&entity.document).map_err(|error| LineError::Failed(error.to_string()))?
        else {
            return Err(LineError::Failed("the document is not an object".to_owned()));
        };
        let name = document.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let body = self.body(entity, &document)?;
        let place = self.place(entity)?;
        if entity.kind == Kind::MetricPoint {
            let logged = self.create(line, &place, &body).await?;
            self.metrics.insert((entity.parent_id.unwrap_or_default(), name), logged);
            return self.journal.line(line).map_err(LineError::Fatal);
        }
        let id = if self.is_second(&Item::Entity(entity.clone())) {
            self.metric_of_run(line, entity, &name, &place, body).await?
        } else {
            match self.create(line, &place, &body).await {
                Ok(id) => id,
                Err(error) => self.existing(entity, &name, error).await?,
            }
        };
        self.journal.entity(line, entity.kind, entity.id, id).map_err(LineError::Fatal)
    }

    /// Creates an entity and returns its id. A repetition of the request, also by another run, has no effect.
    async fn create(&self, line: u64, place: &Place, body: &Map<String, Value>) -> Result<String, LineError> {
        let key = format!("import-{}-{line}", self.contents.digest.get(..32).unwrap_or_default());
        let created = self.client.json().create(place, body, &key).await?;
        id(&created)
    }

    /// The id of an existing entity with the name, if it is to be kept; otherwise the error of the creation.
    async fn existing(&mut self, entity: &Entity, name: &str, error: LineError) -> Result<String, LineError> {
        let is_conflict = matches!(&error, LineError::Failed(message) if message.contains("already exists"));
        if !(self.options.keep_existing && is_conflict) {
            return Err(error);
        }
        let parent = entity.parent_id.and_then(|id| self.journal.ids.resources.get(&id)).map(|(_, id)| id.as_str());
        let Some(found) = self.client.json().find(entity.kind, name, parent).await? else { return Err(error) };
        self.report.kept += 1;
        id(&found)
    }

    /// A metric of a run exists if it has logged values; otherwise it is created.
    async fn metric_of_run(
        &mut self,
        line: u64,
        entity: &Entity,
        name: &str,
        place: &Place,
        mut body: Map<String, Value>,
    ) -> Result<String, LineError> {
        let logged = match self.metrics.get(&(entity.parent_id.unwrap_or_default(), name.to_owned())) {
            Some(id) => Some(id.clone()),
            // A previous run has logged the values.
            None => match place {
                Place::Below { parent_id, .. } => {
                    self.client.json().find(Kind::Metric, name, Some(parent_id)).await?.as_ref().map(id).transpose()?
                }
                _ => None,
            },
        };
        let Some(metric) = logged else { return self.create(line, place, &body).await };
        body.remove("name");
        self.client.json().update(Kind::Metric, &metric, &body).await?;
        Ok(metric)
    }

    async fn link(&mut self, line: u64, resource: i64, artifact: i64) -> Result<(), LineError> {
        let (parent, parent_id) = self.resource(resource)?;
        let artifact_id = self.journal.ids.artifacts.get(&artifact);
        let artifact_id = artifact_id.ok_or_else(|| LineError::Missing(format!("artifact {artifact}")))?.clone();
        let place = Place::Below { kind: Kind::ModelArtifact, parent, parent_id };
        // The body of an upsert with an id attaches the artifact; it repeats the fields that are required.
        let found = self.client.artifacts().get(&artifact_id).await?;
        let Value::Object(mut body) = serde_json::to_value(&found).map_err(|error| LineError::Fatal(error.into()))?
        else {
            return Err(LineError::Failed("the response is not an entity".to_owned()));
        };
        body.retain(|field, _| ["id", "artifactType", "value"].contains(&field.as_str()));
        self.create(line, &place, &body).await?;
        self.journal.line(line).map_err(LineError::Fatal)
    }

    /// The fields that a caller may set, with the new ids of references.
    fn body(&self, entity: &Entity, document: &Map<String, Value>) -> Result<Map<String, Value>, LineError> {
        let spec = entity.kind.spec();
        let mut body = Map::new();
        for (field, value) in document {
            let declared = spec.field(field);
            let is_writable = match declared {
                Some(declared) => declared.on_create(),
                None => ["name", "customProperties"].contains(&field.as_str()),
            };
            if !is_writable {
                continue;
            }
            let value = match declared.map(|declared| declared.shape) {
                Some(Shape::Id) => Value::from(self.new_id(value)?),
                _ => value.clone(),
            };
            body.insert(field.clone(), value);
        }
        if let Some(artifact_type) = spec.artifact_type {
            body.insert("artifactType".to_owned(), artifact_type.into());
        }
        Ok(body)
    }

    fn new_id(&self, old: &Value) -> Result<String, LineError> {
        let id = old.as_str().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| LineError::Failed(format!("{old} is not an id")))?;
        Ok(self.resource(id)?.1)
    }

    /// The kind and the new id of an imported entity.
    fn resource(&self, old: i64) -> Result<(Kind, String), LineError> {
        let found = self.journal.ids.resources.get(&old).cloned();
        found.ok_or_else(|| LineError::Missing(format!("the entity with the id {old}")))
    }

    /// The collection in which an entity is created.
    fn place(&self, entity: &Entity) -> Result<Place, LineError> {
        let kind = entity.kind;
        let Some(parent) = entity.parent_id else { return Ok(Place::All(kind)) };
        let (parent, parent_id) = self.resource(parent)?;
        // Most children are created in the collection of their kind, with the id of the parent in the body.
        let is_below = kind.spec().table != EntityTable::Resource || kind.spec().collection.is_none();
        Ok(if is_below { Place::Below { kind, parent, parent_id } } else { Place::All(kind) })
    }
}

fn id(entity: &Value) -> Result<String, LineError> {
    let id = entity.get("id").and_then(Value::as_str).map(str::to_owned);
    id.ok_or_else(|| LineError::Failed("the response has no id".to_owned()))
}

/// `model_version 7 "v1"`
fn described(item: &Item) -> String {
    match item {
        Item::Link { resource_id, artifact_id } => format!("artifact_link of {artifact_id} to {resource_id}"),
        Item::Entity(entity) => {
            let document: Value = serde_json::from_str(&entity.document).unwrap_or_default();
            format!("{} {} {}", entity.kind.name(), entity.id, document["name"])
        }
    }
}
