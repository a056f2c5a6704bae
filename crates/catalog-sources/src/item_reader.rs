//! Reads data files: YAML entries become items.
//!
//! Each asset type registers one [`ItemReader`]; everything else about a data file is the same for all.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use model_registry_api::catalog::{AssetType, CatalogKind};
use model_registry_catalog_store::{CatalogItem, CatalogItems};
use serde::de::DeserializeOwned;

use crate::name_filter::NameFilter;
use crate::performance_metrics::PerformanceMetrics;
use crate::problem::{Position, Problem};
use crate::problem_list::ProblemList;
use crate::yaml::{Entry, IGNORED, ListFile, TextLimit, UnknownKey, UnknownKeys, Violation};
use crate::{agents, mcp_servers, models};

/// How the entries of an asset type become items.
pub(crate) struct ItemReader {
    /// Treatment of unknown keys at the top of the file and of an entry. Unknown keys inside of its values are ignored with
    /// a notice.
    pub(crate) unknown_keys: UnknownKeys,
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
}

impl Remark {
    pub(crate) fn of(violation: Violation, entry: Entry<'_>) -> Self {
        Self { position: violation.position(entry), message: violation.reason }
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
                Err(Remark { position, message: error.to_string() })
            }
        };
        let item = item
            .map_err(|Remark { position, message }| Remark { position, message: format!("is left out: {message}") });
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
    /// One for each item that was left out.
    pub(crate) problems: ProblemList,
    /// One for each record of performance metrics that was left out.
    pub(crate) metrics_problems: ProblemList,
    /// Mistakes for which nothing was left out.
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
    let has_metrics = asset_type.spec().item.spec().children.contains(&CatalogKind::PerformanceMetrics);
    let mut read = ReadItems::default();
    let mut lines: HashMap<String, usize> = HashMap::new();
    let notices = read_entries(asset_type, file, reader, TextLimit::Source, |entry| {
        let name = name(asset_type, entry);
        // Mistakes in what is not published do not matter, except unknown keys that make the file unusable.
        let is_excluded = !name.is_empty() && !filter.allows(name);
        if is_excluded && item_reader(asset_type).unknown_keys == UnknownKeys::Ignored {
            return Ok(());
        }
        let EntryReading { unknown, item } = read_entry(asset_type, entry, source_id)?;
        if is_excluded {
            return Ok(());
        }
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
            read.problems.push(about(asset_type, entry, Remark { position: entry.node.position, message }));
            return Ok(());
        }
        lines.insert(item.key.clone(), entry.node.position.line);
        if has_metrics {
            metrics.attach(name, &mut item, &mut read);
        }
        read.items.push(&item);
        let unknown = unknown
            .iter()
            .map(|key| Remark { position: key.position, message: format!("has the {}", key.with(IGNORED)) });
        read.notices.extend(unknown.chain(notices).map(|remark| about(asset_type, entry, remark)));
        Ok(())
    })?;
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
        read.problems.push(about(asset_type, entry, Remark { position: entry.node.position, message }));
        return;
    }
    seen.insert(item.key.clone(), place);
    read.items.push(&item);
    let unknown =
        unknown.iter().map(|key| Remark { position: key.position, message: format!("has the {}", key.with(IGNORED)) });
    read.notices.extend(unknown.chain(notices).map(|remark| about(asset_type, entry, remark)));
}

/// Reads the names in a data file that a client sent, in their order; names may repeat. Except where only names matter, an
/// item that `read_items` would leave out is an error with the same message.
pub fn item_names(asset_type: AssetType, file: &Path, text: &str) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    let names_only = item_reader(asset_type).previews_names_only;
    read_entries(asset_type, file, text.as_bytes(), TextLimit::Request, |entry| {
        let name = name(asset_type, entry);
        if !names_only {
            let reading = read_entry(asset_type, entry, "")?;
            reading.item.map_err(|remark| about(asset_type, entry, remark))?;
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
    let list = asset_type.spec().data_key;
    let list_file = ListFile { list, other_keys: &["source"], unknown_keys: item_reader(asset_type).unknown_keys };
    list_file.read(file, reader, limit, each)
}

/// Reads an entry; an unknown key of it is an error where the asset type rejects them.
fn read_entry(asset_type: AssetType, entry: Entry<'_>, source_id: &str) -> Result<EntryReading, Problem> {
    let reader = item_reader(asset_type);
    let reading = (reader.read)(entry, source_id);
    match reading.unknown.iter().find(|key| key.is_own) {
        Some(key) if reader.unknown_keys == UnknownKeys::Rejected => Err(entry.problem_at(Some(key.position), key)),
        _ => Ok(reading),
    }
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

fn about(asset_type: AssetType, entry: Entry<'_>, Remark { position, message }: Remark) -> Problem {
    let (label, name) = (asset_type.spec().label, name(asset_type, entry));
    entry.problem_at(Some(position), format!("{label} \"{name}\" {message}"))
}
