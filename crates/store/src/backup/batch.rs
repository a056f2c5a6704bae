//! Writes items of a file in batches, many rows per statement.

use model_registry_api::{EntityTable, Kind};
use sea_query::Expr;

use super::id_offsets::IdOffsets;
use super::line::{Entity, Item};
use crate::db::Transaction;
use crate::document::Document;
use crate::error::Result;
use crate::property;
use crate::tables::{NOT_FINITE, WORKSPACE, external_id_scope, folded, table};
use crate::write::{
    CHANGE_COLUMNS, Changed, ENTITY_PROPERTY_COLUMNS, EntityPropertyRow, Verb, column_values, property_rows,
    stored_value,
};

/// Items per batch.
const MAX_ITEMS: usize = 500;
/// Bytes of documents per batch: a statement must fit into MySQL's `max_allowed_packet`, 16 MiB by default.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The actor of imports in the change log.
const ACTOR: &str = "import";

const LINK_COLUMNS: [&str; 3] = ["resource_id", "artifact_id", "workspace_id"];

/// Items that are written in one transaction.
#[derive(Default)]
pub(super) struct Batch {
    items: Vec<Item>,
    bytes: usize,
}

impl Batch {
    pub(super) fn add(&mut self, item: Item) {
        if let Item::Entity(entity) = &item {
            self.bytes += entity.document.len();
        }
        self.items.push(item);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= MAX_ITEMS || self.bytes >= MAX_BYTES
    }

    /// Writes the items with new ids, and a change for each entity.
    pub(super) async fn write(&self, tx: &mut Transaction, offsets: IdOffsets, now: i64) -> Result<(), WriteError> {
        let mut resources = Rows::new("resource");
        let mut artifacts = Rows::new("artifact");
        let mut points = Rows::new("metric_point");
        let mut links = Rows::new("artifact_link");
        let mut properties = Rows::new("property");
        let mut changes = Rows::new("change_log");
        for item in &self.items {
            let entity = match item {
                Item::Entity(entity) => entity,
                Item::Link { resource_id, artifact_id } => {
                    let (mut resource_id, mut artifact_id) = (*resource_id, *artifact_id);
                    offsets.shift_link(&mut resource_id, &mut artifact_id);
                    links.add(LINK_COLUMNS, [resource_id.into(), artifact_id.into(), WORKSPACE.into()]);
                    continue;
                }
            };
            let mut document = Document::from_json(&entity.document).map_err(WriteError::Document)?;
            let mut entity = entity.clone();
            offsets.shift_entity(&mut entity, &mut document);
            entity.document = document.to_json();
            let rows = match entity.kind.spec().table {
                EntityTable::Resource => &mut resources,
                EntityTable::Artifact => &mut artifacts,
                EntityTable::MetricPoint => &mut points,
            };
            let (columns, values): (Vec<_>, Vec<_>) = entity_row(&entity, &document).into_iter().unzip();
            rows.add(columns, values);
            for row in property_rows(entity.kind, entity.id, property::properties(entity.kind.spec(), &document)) {
                properties.add(ENTITY_PROPERTY_COLUMNS, EntityPropertyRow::values(row));
            }
            if entity.kind != Kind::MetricPoint {
                let changed = Changed { kind: entity.kind, id: entity.id, revision: entity.revision };
                changes.add(CHANGE_COLUMNS, changed.row(Verb::Import, Some(ACTOR), now));
            }
        }
        for rows in [resources, artifacts, points, links, properties, changes] {
            rows.insert(tx).await?;
        }
        Ok(())
    }
}

/// Why a batch could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("a document is not valid JSON")]
    Document(#[source] serde_json::Error),
    #[error(transparent)]
    Store(#[from] crate::error::StoreError),
}

fn entity_row(entity: &Entity, document: &Document) -> Vec<(&'static str, Expr)> {
    let spec = entity.kind.spec();
    let columns = property::columns(spec, document);
    let name = document.name();
    let mut row: Vec<(&'static str, Expr)> = vec![
        ("id", entity.id.into()),
        ("workspace_id", WORKSPACE.into()),
        ("name", name.into()),
        ("name_folded", folded(name).into()),
        ("create_time", entity.create_time.into()),
        ("update_time", entity.update_time.into()),
        ("document", entity.document.as_str().into()),
    ];
    if spec.table == EntityTable::MetricPoint {
        let (value, not_finite) = stored_value(columns.value);
        row.extend([
            ("experiment_id", columns.experiment_id.unwrap_or_default().into()),
            ("experiment_run_id", entity.parent_id.unwrap_or_default().into()),
            ("state", columns.state.into()),
            ("value", value.unwrap_or_default().into()),
            (NOT_FINITE, not_finite.into()),
            ("step", columns.step.into()),
            ("timestamp", columns.timestamp.into()),
        ]);
        return row;
    }
    row.extend([("kind", entity.kind.code().into()), ("revision", entity.revision.into())]);
    if spec.table == EntityTable::Resource {
        row.push(("family", external_id_scope(entity.kind).into()));
        row.push(("parent_id", entity.parent_id.unwrap_or(0).into()));
    } else {
        row.push(("parent_id", entity.parent_id.into()));
    }
    row.extend(column_values(spec.table, columns));
    debug_assert_ne!(table(entity.kind), "metric_point");
    row
}

/// Rows of one table.
struct Rows {
    table: &'static str,
    columns: Vec<&'static str>,
    values: Vec<Vec<Expr>>,
}

impl Rows {
    fn new(table: &'static str) -> Self {
        Self { table, columns: Vec::new(), values: Vec::new() }
    }

    fn add(&mut self, columns: impl AsRef<[&'static str]>, values: impl Into<Vec<Expr>>) {
        if self.columns.is_empty() {
            self.columns = columns.as_ref().to_vec();
        }
        self.values.push(values.into());
    }

    async fn insert(self, tx: &mut Transaction) -> Result<()> {
        tx.insert_rows(self.table, &self.columns, self.values).await
    }
}
