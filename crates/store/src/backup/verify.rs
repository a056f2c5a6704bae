//! Checks a whole file before anything is imported: it must be complete, unchanged, in order and consistent.

use std::io::BufRead;

use model_registry_api::{EntityTable, Kind, Shape};

use super::id_offsets::IdOffsets;
use super::line::{End, Entity, Item, Line, LineReader};
use super::{BackupError, Counts, REPORT_EVERY};
use crate::document::Document;

/// The contents of a file.
#[derive(Clone, Debug)]
pub struct Contents {
    pub counts: Counts,
    /// The number of lines before the last.
    pub lines: u64,
    /// SHA-256 of these lines.
    pub digest: String,
    /// The highest ids.
    pub(super) last: IdOffsets,
}

/// Checks a file.
pub fn verify(input: impl BufRead, report: &dyn Fn(u64)) -> Result<Contents, BackupError> {
    let mut reader = LineReader::start(input)?;
    let mut counts = Counts::new();
    let mut last = IdOffsets::default();
    let mut previous = None;
    let end = loop {
        let item = match reader.read()? {
            Line::Item(item) => item,
            Line::End(end) => break end,
        };
        let order = (item.section().rank(), item.key());
        if previous.is_some_and(|previous| order <= previous) {
            return Err(reader.error("this line is out of order: kinds and ids must ascend"));
        }
        previous = Some(order);
        check(&item, &mut last).map_err(|reason| reader.error(reason))?;
        *counts.entry(item.section().name().to_owned()).or_default() += 1;
        if reader.line().is_multiple_of(REPORT_EVERY) {
            report(reader.line());
        }
    };
    let End { counts: expected, lines, sha256 } = end;
    if counts != expected {
        return Err(reader
            .error(format!("the counts are wrong: the last line states {expected:?}, but the file has {counts:?}")));
    }
    reader.finish()?;
    Ok(Contents { counts, lines, digest: sha256, last })
}

fn check(item: &Item, last: &mut IdOffsets) -> Result<(), String> {
    match item {
        Item::Link { resource_id, artifact_id } => {
            refers_to("resource", *resource_id, last.resource)?;
            refers_to("artifact", *artifact_id, last.artifact)
        }
        Item::Entity(entity) => {
            let document = Document::from_json(&entity.document)
                .map_err(|error| format!("the document is not a JSON object: {error}"))?;
            check_entity(entity, &document, last.resource)?;
            let last = match entity.kind.spec().table {
                EntityTable::Resource => &mut last.resource,
                EntityTable::Artifact => &mut last.artifact,
                EntityTable::MetricPoint => &mut last.point,
            };
            *last = (*last).max(entity.id);
            Ok(())
        }
    }
}

fn check_entity(entity: &Entity, document: &Document, last_resource: i64) -> Result<(), String> {
    let spec = entity.kind.spec();
    if document.name().is_empty() {
        return Err("the document has no name".to_owned());
    }
    if document.0.contains_key("id") {
        return Err("the document contains an `id`, which belongs next to it".to_owned());
    }
    let needs_parent = spec.parent.is_some() || entity.kind == Kind::MetricPoint;
    if needs_parent && entity.parent_id.is_none() {
        return Err("`parent` is missing".to_owned());
    }
    if entity.kind == Kind::MetricPoint && document.id("experimentId").is_none() {
        return Err("the document has no `experimentId`".to_owned());
    }
    if let Some(parent_id) = entity.parent_id {
        refers_to("parent", parent_id, last_resource)?;
    }
    for field in spec.all_fields().filter(|field| field.shape == Shape::Id) {
        if let Some(id) = document.id(field.name) {
            refers_to(field.name, id, last_resource)?;
        }
    }
    Ok(())
}

/// Referenced entities precede, so that an id must not exceed the highest so far. A complete check would need all ids in memory.
fn refers_to(field: &str, id: i64, last: i64) -> Result<(), String> {
    if id > last || id <= 0 {
        Err(format!("`{field}` is {id}, which does not precede this line in the file"))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
