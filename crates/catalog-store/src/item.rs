//! What a source publishes, and what tells one state of it from another.

use memchr::memmem;
use model_registry_base::hex;
use model_registry_filter::fold;
use model_registry_store::{Document, Result, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::CatalogKind;

/// How much packed text is kept in the first piece.
const CHUNK: usize = 1 << 20;
/// … and in each of the others. What is not used of it is no memory yet, and the allocators of Linux give pieces of this size
/// back to the system as soon as they are freed; smaller ones would stay with the process from load to load.
const LARGE_CHUNK: usize = 64 << 20;

/// How items become rows. With another number the next load writes all of them again: to be raised whenever the same item
/// becomes other rows than before, such as properties or texts that searches look in.
const FORMAT: u8 = 1;

/// A thing that a source publishes, with what hangs below it.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// All items of a source, packed: a hundred thousand of them as maps of values would take a gigabyte.
#[derive(Clone, Default)]
pub struct CatalogItems {
    entries: Vec<PackedItem>,
    chunks: Vec<Vec<u8>>,
}

/// Where an item is, and what a load has to know before it looks at it.
#[derive(Clone)]
pub(super) struct PackedItem {
    pub(super) kind: CatalogKind,
    pub(super) key: Box<str>,
    digest: [u8; 16],
    chunk: usize,
    start: usize,
    end: usize,
}

impl PackedItem {
    /// Of all that a load writes for the item, except times that the item does not state.
    pub(super) fn digest(&self) -> String {
        hex(&self.digest)
    }
}

impl CatalogItems {
    pub fn push(&mut self, item: &CatalogItem) {
        // Maps of JSON values always serialise.
        let text = without_nulls(serde_json::to_vec(item).unwrap_or_default());
        let mut digest = [0; 16];
        digest.copy_from_slice(&Sha256::new().chain_update([FORMAT]).chain_update(&text).finalize()[..16]);
        if self.chunks.last().is_none_or(|chunk| chunk.capacity() - chunk.len() < text.len()) {
            let usual = if self.chunks.is_empty() { CHUNK } else { LARGE_CHUNK };
            self.chunks.push(Vec::with_capacity(usual.max(text.len())));
        }
        let chunk = self.chunks.len() - 1;
        let Some(last) = self.chunks.last_mut() else { return };
        let start = last.len();
        last.extend_from_slice(&text);
        let end = last.len();
        let key = item.key.replace('\0', REPLACEMENT).into();
        self.entries.push(PackedItem { kind: item.kind, key, digest, chunk, start, end });
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn entries(&self) -> &[PackedItem] {
        &self.entries
    }

    /// The packed text of an item.
    pub(super) fn packed(&self, entry: &PackedItem) -> &[u8] {
        self.chunks.get(entry.chunk).and_then(|chunk| chunk.get(entry.start..entry.end)).unwrap_or_default()
    }
}

/// For a null character, which PostgreSQL does not take: one in what somebody else publishes must not keep a load from
/// being written.
pub(super) const REPLACEMENT: &str = "\u{fffd}";

/// Replaces null characters in the strings of a JSON text, where they are always escaped.
fn without_nulls(json: Vec<u8>) -> Vec<u8> {
    const NULL: &[u8] = b"\\u0000";
    if memmem::find(&json, NULL).is_none() {
        return json;
    }
    let mut clean = Vec::with_capacity(json.len());
    let mut rest = json.as_slice();
    while let Some((first, after)) = rest.split_first() {
        if let Some(after) = rest.strip_prefix(NULL) {
            clean.extend_from_slice(REPLACEMENT.as_bytes());
            rest = after;
            continue;
        }
        clean.push(*first);
        rest = after;
        // What a backslash escapes, another one above all, begins no escape.
        if *first == b'\\'
            && let Some((escaped, after)) = rest.split_first()
        {
            clean.push(*escaped);
            rest = after;
        }
    }
    clean
}

pub(super) fn unpack(packed: &[u8]) -> Result<CatalogItem> {
    serde_json::from_slice(packed).map_err(|error| StoreError::Corrupt {
        table: "catalog_item",
        id: 0,
        reason: error.to_string(),
    })
}

impl std::fmt::Debug for CatalogItems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} items", self.len())
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn item(key: &str, readme: &str) -> CatalogItem {
        let mut document = Document::default();
        document.set("readme", readme);
        document.set("score", json!(0.1));
        let (kind, name) = (CatalogKind::Model, Some(key.to_owned()));
        CatalogItem {
            kind,
            key: key.to_owned(),
            name,
            document,
            create_time: None,
            update_time: None,
            children: vec![],
        }
    }

    #[test]
    fn items_come_out_as_they_went_in_whatever_their_size() {
        let long = "x".repeat(CHUNK);
        let given = [item("a", "short"), item("b", &long), item("c", ""), item("c", "")];
        let mut items = CatalogItems::default();
        for item in &given {
            items.push(item);
        }
        assert_eq!(items.len(), 4);
        for (entry, item) in items.entries().iter().zip(&given) {
            let unpacked = unpack(items.packed(entry)).unwrap();
            assert_eq!((&*entry.key, &unpacked.document), (item.key.as_str(), &item.document));
        }
        let digests: Vec<String> = items.entries().iter().map(PackedItem::digest).collect();
        assert_eq!(digests[2], digests[3]);
        // With another format, or none, everything would be written again.
        let text = serde_json::to_vec(&given[0]).unwrap();
        assert_ne!(digests[0], hex(&Sha256::digest(&text)[..16]));
        assert!(digests[0] != digests[1] && digests[1] != digests[2]);
    }

    #[test]
    fn null_characters_are_replaced_and_nothing_else_is() {
        let value = json!({"a\0": ["\0\0", "\\u0000", "\\\0\"\n", "plain"]});
        let clean = without_nulls(serde_json::to_vec(&value).unwrap());
        let clean: Value = serde_json::from_slice(&clean).unwrap();
        assert_eq!(clean, json!({"a\u{fffd}": ["\u{fffd}\u{fffd}", "\\u0000", "\\\u{fffd}\"\n", "plain"]}));
    }
}
