//! All items of a source, packed until a load writes them.

use model_registry_base::hex;
use sha2::{Digest, Sha256};

use crate::packing::{clean, pack};
use crate::{CatalogItem, CatalogKind};

/// Bytes of the first chunk.
const CHUNK: usize = 1 << 20;
/// Bytes of each further chunk. Its unused part takes no memory yet, and allocators on Linux return chunks of this size to
/// the system when they are freed; smaller ones would stay with the process from load to load.
const LARGE_CHUNK: usize = 64 << 20;

/// How rows are made from a packed item. With another number the next load writes all items again: increment it whenever
/// the same packed item becomes other rows. Properties and search strings are packed, so changes of those need no new number.
const FORMAT: u8 = 2;

/// All items of a source. A hundred thousand of them as maps of JSON values would take a gigabyte.
#[derive(Clone, Default)]
pub struct CatalogItems {
    entries: Vec<Entry>,
    chunks: Vec<Vec<u8>>,
}

/// Where a packed item is, and what a load compares before it unpacks the item.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) kind: CatalogKind,
    pub(crate) key: Box<str>,
    digest: [u8; 16],
    chunk: usize,
    start: usize,
    end: usize,
}

impl Entry {
    /// Digest of all that a load writes for the item, except times that the item does not state.
    pub(crate) fn digest(&self) -> String {
        hex(&self.digest)
    }
}

impl CatalogItems {
    pub fn push(&mut self, item: &CatalogItem) {
        let packed = pack(item);
        let mut digest = [0; 16];
        digest.copy_from_slice(&Sha256::new().chain_update([FORMAT]).chain_update(&packed).finalize()[..16]);
        if self.chunks.last().is_none_or(|chunk| chunk.capacity() - chunk.len() < packed.len()) {
            let usual = if self.chunks.is_empty() { CHUNK } else { LARGE_CHUNK };
            self.chunks.push(Vec::with_capacity(usual.max(packed.len())));
        }
        let chunk = self.chunks.len() - 1;
        let Some(last) = self.chunks.last_mut() else { return };
        let start = last.len();
        last.extend_from_slice(&packed);
        let end = last.len();
        self.entries.push(Entry { kind: item.kind, key: clean(&item.key).into(), digest, chunk, start, end });
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The bytes of an item.
    pub(crate) fn packed(&self, entry: &Entry) -> &[u8] {
        self.chunks.get(entry.chunk).and_then(|chunk| chunk.get(entry.start..entry.end)).unwrap_or_default()
    }
}

impl std::fmt::Debug for CatalogItems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} items", self.len())
    }
}

#[cfg(test)]
mod tests {
    use model_registry_store::Document;
    use serde_json::json;

    use super::*;
    use crate::packing::unpack;

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
            written: Vec::new(),
            children: vec![],
        }
    }

    #[test]
    fn items_of_any_size_are_packed_and_unpacked() {
        let long = "x".repeat(CHUNK);
        let given = [item("a", "short"), item("b", &long), item("c", ""), item("c", "")];
        let mut items = CatalogItems::default();
        for item in &given {
            items.push(item);
        }
        assert_eq!(items.len(), 4);
        for (entry, item) in items.entries().iter().zip(&given) {
            let unpacked = unpack(items.packed(entry)).unwrap();
            let document: Document = serde_json::from_str(unpacked.document).unwrap();
            assert_eq!((&*entry.key, &document), (item.key.as_str(), &item.document));
        }
        let digests: Vec<String> = items.entries().iter().map(Entry::digest).collect();
        assert_eq!(digests[2], digests[3]);
        assert!(digests[0] != digests[1] && digests[1] != digests[2]);
    }

    #[test]
    fn the_digest_depends_on_the_format() {
        let mut items = CatalogItems::default();
        items.push(&item("a", "short"));
        let entry = &items.entries()[0];
        assert_ne!(entry.digest(), hex(&Sha256::digest(items.packed(entry))[..16]));
    }
}
