//! What a source publishes, and what tells one state of it from another.

use sha2::{Digest, Sha256};

use super::CatalogKind;
use crate::document::Document;
use crate::filter::fold;
use crate::hex::hex;

/// A thing that a source publishes, with what hangs below it.
#[derive(Clone, Debug)]
pub struct CatalogItem {
    pub kind: CatalogKind,
    /// Unique within kind and parent (or source), at most 255 characters.
    pub key: String,
    pub name: Option<String>,
    /// Without id and times.
    pub document: Document,
    /// Milliseconds since the Unix epoch; otherwise the time of the first load.
    pub create_time: Option<i64>,
    /// Otherwise the time of the load that changed something.
    pub update_time: Option<i64>,
    /// Artifacts of a model, tools of a server.
    pub children: Vec<CatalogItem>,
}

/// Folded, then as written: names that differ in case only have an order too.
pub(super) fn sort_name(item: &CatalogItem) -> String {
    // The key of a server holds its version as well; that of an artifact is no name.
    let name = match item.kind {
        CatalogKind::McpServer => Some(item.key.as_str()),
        _ => item.name.as_deref(),
    };
    name.map_or_else(String::new, |name| format!("{}\u{1}{name}", fold(name)))
}

/// A digest of all that a load writes for an item, except times that the item does not state.
pub(super) fn digest(item: &CatalogItem) -> String {
    let mut digest = Sha256::new();
    feed(&mut digest, item);
    hex(&digest.finalize()[..16])
}

fn feed(digest: &mut Sha256, item: &CatalogItem) {
    let times = format!("{} {:?} {:?}", item.kind.code(), item.create_time, item.update_time);
    for part in [times.as_str(), &item.key, item.name.as_deref().unwrap_or_default(), &item.document.to_text()] {
        digest.update(part.len().to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.update(item.children.len().to_le_bytes());
    for child in &item.children {
        feed(digest, child);
    }
}
