//! Writes within a transaction: an entity with its properties and its change, in a constant number of statements.

mod changes;
mod properties;
mod rows;

use model_registry_api::Kind;
use sea_query::Query;

use crate::db::Transaction;
use crate::document::Document;
use crate::error::Result;
use crate::property::{self, Properties, PropertyChanges, PropertyValue};
use crate::record::Record;
use crate::tables::WORKSPACE;

pub(crate) use changes::{CHANGE_COLUMNS, Changed, Verb};
pub(crate) use properties::{ENTITY_PROPERTY_COLUMNS, EntityPropertyRow, property_rows};
pub use properties::{PROPERTY_COLUMNS, PropertyRow};
pub(crate) use rows::{column_values, stored_value};

use properties::rows_with_filter;
use rows::set_create_time;

/// The author and time of a change.
#[derive(Clone, Debug)]
pub struct Author {
    /// The name of the caller, if callers are authenticated.
    pub actor: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub time: i64,
}

/// Properties and changes of created entities that are not written yet, so that several creations share statements.
#[derive(Default)]
#[must_use = "created entities are incomplete without their properties and changes"]
pub struct PendingRows {
    properties: Vec<EntityPropertyRow>,
    created: Vec<Changed>,
}

/// What happens when a property already exists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OnConflict {
    /// It cannot exist, because its owner is new.
    Fail,
    Replace,
}

impl Transaction {
    /// Creates an entity: its row, its properties and its change. Sets the times in the document.
    pub async fn create(
        &mut self,
        kind: Kind,
        parent_id: Option<i64>,
        document: Document,
        author: &Author,
    ) -> Result<Record> {
        let mut pending = PendingRows::default();
        let record = self.begin_create(kind, parent_id, document, author, &mut pending).await?;
        self.finish_create(pending, author).await?;
        Ok(record)
    }

    /// Inserts the row of a new entity. Its properties and change are added to `pending`, which must be written with
    /// [`Self::finish_create`] in the same transaction.
    pub async fn begin_create(
        &mut self,
        kind: Kind,
        parent_id: Option<i64>,
        mut document: Document,
        author: &Author,
        pending: &mut PendingRows,
    ) -> Result<Record> {
        set_create_time(&mut document, author.time);
        let record = self.insert_row(kind, parent_id, &document, author.time).await?;
        pending.properties.extend(property_rows(kind, record.id, property::properties(kind.spec(), &document)));
        pending.created.push(Changed::of(&record));
        Ok(record)
    }

    /// Writes the properties and changes of created entities.
    pub async fn finish_create(&mut self, pending: PendingRows, author: &Author) -> Result<()> {
        let PendingRows { properties, created } = pending;
        self.write_properties_and_changes(properties, OnConflict::Fail, &created, Verb::Create, author).await
    }

    /// Replaces the document of an entity if its revision is still that of `old` (compare-and-set); `None` if it has changed.
    pub async fn update(&mut self, old: &Record, mut document: Document, author: &Author) -> Result<Option<Record>> {
        let before = old.document()?;
        let Some(record) = self.update_row(old, &mut document, author).await? else { return Ok(None) };
        let spec = old.kind.spec();
        let changes =
            PropertyChanges::between(&property::properties(spec, &before), &property::properties(spec, &document));
        self.delete_properties(old.kind, old.id, &changes.remove).await?;
        let rows = rows_with_filter(old.kind, old.id, changes.write, changes.bloom_filter);
        let changed = [Changed::of(&record)];
        self.write_properties_and_changes(rows, OnConflict::Replace, &changed, Verb::Update, author).await?;
        Ok(Some(record))
    }

    /// Attaches an existing artifact to a further version or run; attaching it again changes nothing.
    pub async fn link_artifact(&mut self, resource_id: i64, artifact_id: i64) -> Result<()> {
        let mut insert = Query::insert();
        insert
            .into_table("artifact_link")
            .columns(["resource_id", "artifact_id", "workspace_id"])
            .values_panic([resource_id.into(), artifact_id.into(), WORKSPACE.into()])
            .on_conflict(
                sea_query::OnConflict::columns(["resource_id", "artifact_id"]).update_column("workspace_id").to_owned(),
            );
        self.execute(&insert).await?;
        Ok(())
    }

    /// Logs a value of a metric of a run: creates or replaces the metric and adds a point to its history.
    ///
    /// `existing` is the run's metric with the same name; the result is `None` if it has been changed since it was read.
    pub async fn log_metric(
        &mut self,
        run_id: i64,
        experiment_id: i64,
        existing: Option<&Record>,
        mut document: Document,
        author: &Author,
    ) -> Result<Option<Record>> {
        let metric = if let Some(old) = existing {
            let Some(record) = self.update_row(old, &mut document, author).await? else { return Ok(None) };
            record
        } else {
            set_create_time(&mut document, author.time);
            self.insert_row(Kind::Metric, Some(run_id), &document, author.time).await?
        };
        let spec = Kind::Metric.spec();
        let properties = property::properties(spec, &document);
        let mut point = document;
        // A point has no external id, and its time of creation is when it was logged.
        point.0.remove("externalId");
        point.set("createTimeSinceEpoch", author.time.to_string());
        let point_id = self.insert_point(run_id, experiment_id, &point, author.time).await?;
        let before = match existing {
            Some(old) => property::properties(spec, &old.document()?),
            None => Properties::new(),
        };
        let point_properties = property::properties(spec, &point);
        let PropertyChanges { mut write, remove, bloom_filter } = PropertyChanges::between(&before, &properties);
        write.extend(remove.into_iter().map(|key| (key, PropertyValue::Erased)));
        let mut rows = rows_with_filter(Kind::Metric, metric.id, write, bloom_filter);
        rows.extend(property_rows(Kind::MetricPoint, point_id, point_properties));
        let verb = if existing.is_some() { Verb::Update } else { Verb::Create };
        self.write_properties_and_changes(rows, OnConflict::Replace, &[Changed::of(&metric)], verb, author).await?;
        Ok(Some(metric))
    }
}

#[cfg(test)]
mod tests;
