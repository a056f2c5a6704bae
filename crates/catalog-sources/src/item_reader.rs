//! Reads data files: YAML entries become items.
//!
//! Each asset type registers one [`ItemReader`]; everything else about a data file is the same for all: an unknown key is
//! ignored with a notice, so that what a newer publisher adds costs no more than itself.

use std::cell::Cell;
use std::io::Read;
use std::path::Path;

use model_registry_api::catalog::AssetType;
use model_registry_base::Cancellation;
use model_registry_catalog_store::{CatalogItem, CatalogItems};
use serde::de::DeserializeOwned;

use crate::item_collector::ItemCollector;
use crate::name_filter::NameFilter;
use crate::performance_metrics::PerformanceMetrics;
use crate::problem::{Position, Problem};
use crate::problem_list::ProblemList;
use crate::yaml::{Entry, ListFile, TextLimit, UnknownKey, Violation};
use crate::{agents, mcp_servers, models, skills};

/// How the entries of an asset type become items.
pub(crate) struct ItemReader {
    /// Whether white space around names is ignored.
    pub(crate) trims_names: bool,
    /// Whether two items of a source with the same `externalId` are a mistake: the first has it.
    pub(crate) has_unique_external_ids: bool,
    pub(crate) preview: EntryPreview,
    /// Deserializes and validates an entry of the source with this id.
    pub(crate) read: fn(Entry<'_>, &str) -> EntryReading,
}

/// What a preview does with an entry.
pub(crate) enum EntryPreview {
    /// It lists the name, whatever else is in the entry.
    NameOnly,
    /// A mistake that leaves the item out is an error of the preview, and so is an unknown key for which this holds.
    Validated { refuses: fn(&UnknownKey) -> bool },
}

/// The reader of each asset type.
pub(crate) fn item_reader(asset_type: AssetType) -> &'static ItemReader {
    match asset_type {
        AssetType::Models => &models::READER,
        AssetType::McpServers => &mcp_servers::READER,
        AssetType::Agents => &agents::READER,
        AssetType::Skills => &skills::READER,
    }
}

/// The result of reading an entry.
pub(crate) struct EntryReading {
    pub(crate) unknown: Vec<UnknownKey>,
    pub(crate) item: Result<ValidItem, Remark>,
}

/// An item, and notices about it.
pub(crate) struct ValidItem {
    pub(crate) item: CatalogItem,
    pub(crate) notices: Vec<Remark>,
}

/// A message about an item, which starts with the verb: `has the unknown transport …`.
pub(crate) struct Remark {
    pub(crate) position: Position,
    pub(crate) message: String,
    /// Whether it is not part of the `error` of the source.
    pub(crate) is_logged_only: bool,
}

impl Remark {
    pub(crate) fn new(position: Position, message: String) -> Self {
        Self { position, message, is_logged_only: false }
    }

    pub(crate) fn of(violation: Violation, entry: Entry<'_>) -> Self {
        Self::new(violation.position(entry), violation.reason)
    }
}

impl EntryReading {
    /// Deserializes an entry and converts it to an item.
    pub(crate) fn of<T: DeserializeOwned>(
        entry: Entry<'_>,
        convert: impl FnOnce(T) -> Result<ValidItem, Violation>,
    ) -> Self {
        let (read, unknown) = entry.read::<T>();
        let item = match read {
            Ok(value) => convert(value).map_err(|violation| Remark::of(violation, entry)),
            Err(error) => {
                let position = error.position().unwrap_or(entry.node.position);
                Err(Remark::new(position, error.to_string()))
            }
        };
        let item = item.map_err(|remark| Remark { message: format!("is left out: {}", remark.message), ..remark });
        Self { unknown, item }
    }
}

/// The items of a data file.
#[derive(Debug, Default)]
pub(crate) struct ReadItems {
    pub(crate) items: CatalogItems,
    /// Keys of items that cannot be used now: what was published before stays.
    pub(crate) kept: Vec<String>,
    /// Whether other items may exist that could not be read: nothing that was published before is removed.
    pub(crate) is_part: bool,
    /// Keys of items that a stored item of the same key is better than, because their performance metrics cannot be read.
    pub(crate) kept_if_stored: Vec<String>,
    /// One for each item that was left out.
    pub(crate) problems: ProblemList,
    /// One for each record of performance metrics that was left out.
    pub(crate) metrics_problems: ProblemList,
    /// Mistakes for which nothing was left out, and that make the source partially available.
    pub(crate) warnings: ProblemList,
    /// Keys, words and parts of items that were ignored: for the `error` of the source.
    pub(crate) ignored: ProblemList,
    /// The same and further mistakes for which no item was left out: for the log.
    pub(crate) notices: ProblemList,
}

/// Reads the data file of a source. An item with a mistake is left out; the rest is published.
pub(crate) fn read_items(
    asset_type: AssetType,
    file: &Path,
    reader: impl Read,
    source_id: &str,
    filter: &NameFilter,
    metrics: &PerformanceMetrics,
) -> Result<ReadItems, Problem> {
    let mut collector = ItemCollector::new(asset_type, source_id, filter, Some(metrics));
    let last_byte = Cell::new(None);
    let reader = LastByte { reader, last: &last_byte };
    let mut cut_off = None;
    let notices = read_entries(asset_type, file, reader, TextLimit::Source, |entry| {
        cut_off = entry.node.entries().is_none().then_some(entry.node.position);
        collector.add(entry);
        Ok(())
    })?;
    // A list in block style is valid wherever it is cut off.
    if let Some(position) = cut_off
        && last_byte.get() != Some(b'\n')
    {
        let reason = "the file ends within an item: it is cut off, or still being written";
        return Err(Problem::at(file, position, reason));
    }
    let mut read = collector.finish();
    read.ignored.extend(notices.iter().cloned());
    read.notices.extend(notices);
    Ok(read)
}

/// Remembers the last byte that was read.
struct LastByte<'a, R> {
    reader: R,
    last: &'a Cell<Option<u8>>,
}

impl<R: Read> Read for LastByte<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let last = count.checked_sub(1).and_then(|last| buffer.get(last));
        self.last.set(last.copied().or(self.last.get()));
        Ok(count)
    }
}

/// Reads the names in a data file that a client sent, in their order; names may repeat. Except where only names matter, an
/// item that `read_items` would leave out is an error with the same message.
pub(crate) fn item_names(
    asset_type: AssetType,
    file: &Path,
    text: &str,
    work: &Cancellation,
) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    let reader = item_reader(asset_type);
    read_entries(asset_type, file, work.reader(text.as_bytes()), TextLimit::Request, |entry| {
        let name = name(asset_type, entry);
        match reader.preview {
            EntryPreview::NameOnly if name.is_empty() => return Err(nameless(asset_type, entry)),
            EntryPreview::NameOnly => {}
            EntryPreview::Validated { refuses } => {
                let EntryReading { unknown, item } = (reader.read)(entry, "");
                if let Some(key) = unknown.iter().find(|key| refuses(key)) {
                    return Err(entry.problem_at(Some(key.position), key));
                }
                item.map_err(|remark| about(asset_type, entry, remark))?;
            }
        }
        names.push(name.to_owned());
        Ok(())
    })?;
    Ok(names)
}

/// The error of a preview in which an item has no name.
pub(crate) fn nameless(asset_type: AssetType, entry: Entry<'_>) -> Problem {
    entry.problem(format!("a {} without a name", asset_type.spec().label))
}

/// Returns notices about unknown keys next to the list.
fn read_entries(
    asset_type: AssetType,
    file: &Path,
    reader: impl Read,
    limit: TextLimit,
    each: impl FnMut(Entry<'_>) -> Result<(), Problem>,
) -> Result<Vec<Problem>, Problem> {
    let list_file = ListFile { list: asset_type.spec().data_key, other_keys: &["source"] };
    list_file.read(file, reader, limit, each)
}

pub(crate) fn name(asset_type: AssetType, entry: Entry<'_>) -> &str {
    let name = entry.node.get("name").and_then(|name| name.as_str()).unwrap_or_default();
    if item_reader(asset_type).trims_names { name.trim() } else { name }
}

/// The key under which the entry would be stored if it were valid; `None` if it has no name.
pub(crate) fn key(asset_type: AssetType, entry: Entry<'_>) -> Option<String> {
    let name = name(asset_type, entry);
    let version = entry.node.get("version").and_then(|version| version.as_str()).filter(|version| !version.is_empty());
    match version.filter(|_| asset_type.spec().item.spec().versioned) {
        _ if name.is_empty() => None,
        Some(version) => Some(format!("{name}@{version}")),
        None => Some(name.to_owned()),
    }
}

/// The problem that a remark about an item is.
pub(crate) fn about(asset_type: AssetType, entry: Entry<'_>, Remark { position, message, .. }: Remark) -> Problem {
    let (label, name) = (asset_type.spec().label, name(asset_type, entry));
    entry.problem_at(Some(position), format!("{label} \"{name}\" {message}"))
}
