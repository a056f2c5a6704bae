//! Moves ids into a free range: every id of a table, and every reference to one, by the same offset.

use model_registry_api::{EntityTable, Shape};

use super::line::{Entity, Item};
use crate::document::Document;

/// The offset of the ids of each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct IdOffsets {
    pub(super) resource: i64,
    pub(super) artifact: i64,
    pub(super) point: i64,
}

impl IdOffsets {
    fn is_zero(self) -> bool {
        self == Self::default()
    }

    /// The offsets that undo these.
    pub(super) fn inverse(self) -> Self {
        Self { resource: -self.resource, artifact: -self.artifact, point: -self.point }
    }

    pub(super) fn of(self, table: EntityTable) -> i64 {
        match table {
            EntityTable::Resource => self.resource,
            EntityTable::Artifact => self.artifact,
            EntityTable::MetricPoint => self.point,
        }
    }

    pub(super) fn shift_link(self, resource_id: &mut i64, artifact_id: &mut i64) {
        *resource_id += self.resource;
        *artifact_id += self.artifact;
    }

    /// Moves the ids of an entity and those in its parsed document.
    pub(super) fn shift_entity(self, entity: &mut Entity, document: &mut Document) {
        entity.id += self.of(entity.kind.spec().table);
        // Parents are resources, and fields refer to resources only.
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

    /// Moves the ids of an item, including those in its document.
    pub(super) fn shift_item(self, item: &mut Item) -> Result<(), serde_json::Error> {
        if self.is_zero() {
            return Ok(());
        }
        match item {
            Item::Link { resource_id, artifact_id } => self.shift_link(resource_id, artifact_id),
            Item::Entity(entity) => {
                let mut document = Document::from_json(&entity.document)?;
                self.shift_entity(entity, &mut document);
                entity.document = document.to_json();
            }
        }
        Ok(())
    }
}
