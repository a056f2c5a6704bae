//! Ids moved into a free range: every id of a table and every reference to it by the same distance.

use model_registry_api::{EntityTable, Shape};

use super::line::{Entity, Item};
use crate::document::Document;

/// The distance for each table's ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) resource: i64,
    pub(super) artifact: i64,
    pub(super) point: i64,
}

impl Shift {
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }

    pub(super) fn back(self) -> Self {
        Self { resource: -self.resource, artifact: -self.artifact, point: -self.point }
    }

    pub(super) fn of(self, table: EntityTable) -> i64 {
        match table {
            EntityTable::Resource => self.resource,
            EntityTable::Artifact => self.artifact,
            EntityTable::MetricPoint => self.point,
        }
    }

    pub(super) fn move_link(self, resource_id: &mut i64, artifact_id: &mut i64) {
        *resource_id += self.resource;
        *artifact_id += self.artifact;
    }

    /// Moves the ids beside the document and those in it.
    pub(super) fn move_entity(self, entity: &mut Entity, document: &mut Document) {
        entity.id += self.of(entity.kind.spec().table);
        // Parents are resources, as is everything that a field refers to.
        entity.parent_id = entity.parent_id.map(|id| id + self.resource);
        if self.resource == 0 {
            return;
        }
        for field in entity.kind.spec().all_fields().filter(|field| field.shape == Shape::Id) {
            if let Some(id) = document.id(field.name) {
                document.set(field.name, (id + self.resource).to_string());
            }
        }
    }

    /// Moves a whole item, its document included.
    pub(super) fn move_item(self, item: &mut Item) -> Result<(), serde_json::Error> {
        if self.is_none() {
            return Ok(());
        }
        match item {
            Item::Link { resource_id, artifact_id } => self.move_link(resource_id, artifact_id),
            Item::Entity(entity) => {
                let mut document = Document::from_text(&entity.document)?;
                self.move_entity(entity, &mut document);
                entity.document = document.to_text();
            }
        }
        Ok(())
    }
}
