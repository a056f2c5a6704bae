//! Reads data files: YAML entries become items.
//!
//! Each asset type registers one [`ItemReader`]; everything else about a data file is the same for all: an unknown key is
//! ignored with a notice, so that what a newer publisher adds costs no more than itself.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use model_registry_api::catalog::{AssetType, CatalogKind};
use model_registry_base::Cancellation;
use model_registry_catalog_store::{CatalogItem, CatalogItems};
use serde::de::DeserializeOwned;

use crate::name_filter::NameFilter;
use crate::performance_metrics::PerformanceMetrics;
use crate::problem::{Position, Problem};
use crate::problem_list::ProblemList;
use crate::yaml::{Entry, IGNORED, ListFile, TextLimit, UnknownKey, Violation};
use crate::{agents, mcp_servers, models, skills};

/// How the entries of an asset type become items.
pub(crate) struct ItemReader {
    /// Whether white space around names is ignored.
    pub(crate) trims_names: bool,
    /// Whether a preview lists an item with a mistake by its name; otherwise the mistake is an error of the preview.
    pub(crate) previews_names_only: bool,
    /// Deserializes and validates an entry of the source with this id.
    pub(crate) read: fn(Entry<'_>, &str) -> EntryReading,
}

/// The reader of each asset type.
fn item_reader(asset_type: AssetType) -> &'static ItemReader {
    match asset_type {
        AssetType::Models => &models::READER,
        AssetType::McpServers => &mcp_servers::READER,
        AssetType::Agents => &agents::READER,
        AssetType::Skills => &skills::READER,
    }
}

/// The result of reading an entry.
pub(crate) struct EntryReading {
    unknown: Vec<UnknownKey>,
    item: Result<ValidItem, Remark>,
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

impl ReadItems {
    /// Adds what was ignored in an item that is published.
    fn add_remarks(&mut self, asset_type: AssetType, entry: Entry<'_>, unknown: &[UnknownKey], notices: Vec<Remark>) {
        let unknown = unknown.iter().map(|key| Remark::new(key.position, format!("has the {}", key.with(IGNORED))));
        for remark in unknown.chain(notices) {
            let is_logged_only = remark.is_logged_only;
            let problem = about(asset_type, entry, remark);
            if !is_logged_only {
                self.ignored.push(problem.clone());
            }
            self.notices.push(problem);
        }
    }
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
    let has_metrics = asset_type.spec().item.spec().children.contains(&CatalogKind::PerformanceMetrics);
    let mut read = ReadItems::default();
    let mut lines: HashMap<String, usize> = HashMap::new();
    let last_byte = Cell::new(None);
    let reader = LastByte { reader, last: &last_byte };
    let mut cut_off = None;
    let notices = read_entries(asset_type, file, reader, TextLimit::Source, |entry| {
        let name = name(asset_type, entry);
        cut_off = entry.node.entries().is_none().then_some(entry.node.position);
        // Mistakes in what is not published do not matter.
        if !name.is_empty() && !filter.allows(name) {
            return Ok(());
        }
        let EntryReading { unknown, item } = (item_reader(asset_type).read)(entry, source_id);
        let ValidItem { mut item, notices } = match item {
            Ok(valid) => valid,
            Err(remark) => {
                read.kept.extend(key(asset_type, entry));
                read.problems.push(about(asset_type, entry, remark));
                return Ok(());
            }
        };
        if let Some(first) = lines.get(&item.key) {
            let message = format!("is left out: duplicate of line {first}");
            read.problems.push(about(asset_type, entry, Remark::new(entry.node.position, message)));
            return Ok(());
        }
        lines.insert(item.key.clone(), entry.node.position.line);
        if has_metrics && !metrics.attach(name, &mut item, &mut read) {
            read.kept_if_stored.push(item.key.clone());
        }
        read.items.push(&item);
        read.add_remarks(asset_type, entry, &unknown, notices);
        Ok(())
    })?;
    // A list in block style is valid wherever it is cut off.
    if let Some(position) = cut_off
        && last_byte.get() != Some(b'\n')
    {
        let reason = "the file ends within an item: it is cut off, or still being written";
        return Err(Problem::at(file, position, reason));
    }
    read.ignored.extend(notices.iter().cloned());
    read.notices.extend(notices);
    read.kept.retain(|key| !lines.contains_key(key));
    Ok(read)
}

/// Adds the item of an entry that is not excluded, or the problem with it. `seen` has the places of the items by their keys.
pub(crate) fn add_entry(
    read: &mut ReadItems,
    seen: &mut HashMap<String, String>,
    asset_type: AssetType,
    entry: Entry<'_>,
    source_id: &str,
) {
    let EntryReading { unknown, item } = (item_reader(asset_type).read)(entry, source_id);
    let ValidItem { item, notices } = match item {
        Ok(valid) => valid,
        Err(remark) => {
            read.kept.extend(key(asset_type, entry));
            read.problems.push(about(asset_type, entry, remark));
            return;
        }
    };
    let place = entry.problem("").location;
    if let Some(first) = seen.get(&item.key) {
        let message = format!("is left out: duplicate of {first}");
        read.problems.push(about(asset_type, entry, Remark::new(entry.node.position, message)));
        return;
    }
    seen.insert(item.key.clone(), place);
    read.items.push(&item);
    read.add_remarks(asset_type, entry, &unknown, notices);
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
pub fn item_names(asset_type: AssetType, file: &Path, text: &str, work: &Cancellation) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    let names_only = item_reader(asset_type).previews_names_only;
    read_entries(asset_type, file, work.reader(text.as_bytes()), TextLimit::Request, |entry| {
        let name = name(asset_type, entry);
        if !names_only {
            let EntryReading { unknown, item } = (item_reader(asset_type).read)(entry, "");
            // parity: a preview of models is strict, so that a typing mistake is noticed before the source is configured.
            // Artifacts and custom properties may have more keys.
            let is_strict = |key: &&UnknownKey| key.is_own || key.key().starts_with("servingConfig.");
            if let Some(key) = unknown.iter().find(is_strict).filter(|_| asset_type == AssetType::Models) {
                return Err(entry.problem_at(Some(key.position), key));
            }
            item.map_err(|remark| about(asset_type, entry, remark))?;
        } else if name.is_empty() {
            return Err(entry.problem(format!("a {} without a name", asset_type.spec().label)));
        }
        names.push(name.to_owned());
        Ok(())
    })?;
    Ok(names)
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

fn name(asset_type: AssetType, entry: Entry<'_>) -> &str {
    let name = entry.node.get("name").and_then(|name| name.as_str()).unwrap_or_default();
    if item_reader(asset_type).trims_names { name.trim() } else { name }
}

/// The key under which the entry would be stored if it were valid; `None` if it has no name.
fn key(asset_type: AssetType, entry: Entry<'_>) -> Option<String> {
    let name = name(asset_type, entry);
    let version = entry.node.get("version").and_then(|version| version.as_str()).filter(|version| !version.is_empty());
    match version.filter(|_| asset_type.spec().item.spec().versioned) {
        _ if name.is_empty() => None,
        Some(version) => Some(format!("{name}@{version}")),
        None => Some(name.to_owned()),
    }
}

fn about(asset_type: AssetType, entry: Entry<'_>, Remark { position, message, .. }: Remark) -> Problem {
    let (label, name) = (asset_type.spec().label, name(asset_type, entry));
    entry.problem_at(Some(position), format!("{label} \"{name}\" {message}"))
}
