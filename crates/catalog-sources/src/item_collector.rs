//! Collects the items of a source from the entries of its files. An entry with a mistake is left out; the rest is published.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use model_registry_api::catalog::{AssetType, CatalogKind};
use model_registry_catalog_store::CatalogItem;

use crate::item_reader::{EntryReading, ItemReader, ReadItems, Remark, ValidItem, about, item_reader, key, name};
use crate::name_filter::NameFilter;
use crate::performance_metrics::PerformanceMetrics;
use crate::yaml::{Entry, IGNORED, Violation};

pub(crate) struct ItemCollector<'a> {
    asset_type: AssetType,
    reader: &'static ItemReader,
    source_id: &'a str,
    filter: &'a NameFilter,
    /// Measurements of the items; `None` for asset types without.
    metrics: Option<&'a PerformanceMetrics>,
    /// The files of the entries, in the order of their first entry.
    files: Vec<PathBuf>,
    /// Where the items are, by key.
    items: HashMap<String, Place>,
    /// Where the items are, by `externalId`.
    external_ids: HashMap<String, Place>,
    read: ReadItems,
}

/// The place of an entry.
#[derive(Clone, Copy)]
struct Place {
    /// Index of the file.
    file: usize,
    line: usize,
}

impl<'a> ItemCollector<'a> {
    pub(crate) fn new(
        asset_type: AssetType,
        source_id: &'a str,
        filter: &'a NameFilter,
        metrics: Option<&'a PerformanceMetrics>,
    ) -> Self {
        let has_metrics = asset_type.spec().item.spec().children.contains(&CatalogKind::PerformanceMetrics);
        Self {
            asset_type,
            reader: item_reader(asset_type),
            source_id,
            filter,
            metrics: metrics.filter(|_| has_metrics),
            files: Vec::new(),
            items: HashMap::new(),
            external_ids: HashMap::new(),
            read: ReadItems::default(),
        }
    }

    /// What was collected so far, for problems that are not those of an entry.
    pub(crate) fn read_items(&mut self) -> &mut ReadItems {
        &mut self.read
    }

    /// Adds the item of an entry, or the problem with it.
    pub(crate) fn add(&mut self, entry: Entry<'_>) {
        let asset_type = self.asset_type;
        let name = name(asset_type, entry);
        // Mistakes in what is not published do not matter.
        if !name.is_empty() && !self.filter.allows(name) {
            return;
        }
        let EntryReading { unknown, item } = (self.reader.read)(entry, self.source_id);
        let ValidItem { mut item, mut notices } = match item {
            Ok(valid) => valid,
            Err(remark) => {
                self.read.kept.extend(key(asset_type, entry));
                self.read.problems.push(about(asset_type, entry, remark));
                return;
            }
        };
        let place = self.place(entry);
        if let Some(first) = self.items.get(&item.key) {
            let message = format!("is left out: duplicate of {}", self.shown(*first, place));
            self.read.problems.push(about(asset_type, entry, Remark::new(entry.node.position, message)));
            return;
        }
        self.items.insert(item.key.clone(), place);
        notices.extend(self.repeated_external_id(&mut item, entry, place));
        if let Some(metrics) = self.metrics
            && !metrics.attach(name, &mut item, &mut self.read)
        {
            self.read.kept_if_stored.push(item.key.clone());
        }
        self.read.items.push(&item);
        let unknown = unknown.iter().map(|key| Remark::new(key.position, format!("has the {}", key.with(IGNORED))));
        for remark in unknown.chain(notices) {
            let is_logged_only = remark.is_logged_only;
            let problem = about(asset_type, entry, remark);
            if !is_logged_only {
                self.read.ignored.push(problem.clone());
            }
            self.read.notices.push(problem);
        }
    }

    /// Takes the `externalId` from an item if an earlier one has it.
    fn repeated_external_id(&mut self, item: &mut CatalogItem, entry: Entry<'_>, place: Place) -> Option<Remark> {
        if !self.reader.has_unique_external_ids {
            return None;
        }
        let id = item.document.0.get(EXTERNAL_ID)?.as_str().filter(|id| !id.is_empty())?.to_owned();
        if let Some(first) = self.external_ids.get(&id) {
            let first = self.shown(*first, place);
            item.document.0.remove(EXTERNAL_ID);
            let reason = format!("is published without its {EXTERNAL_ID}: `{id}` is that of {first}");
            return Some(Remark::of(Violation::from(reason).in_key(EXTERNAL_ID), entry));
        }
        self.external_ids.insert(id, place);
        None
    }

    fn place(&mut self, entry: Entry<'_>) -> Place {
        // Files are read one after the other.
        if self.files.last().is_none_or(|file| file != entry.file) {
            self.files.push(entry.file.to_owned());
        }
        let file = self.files.len().saturating_sub(1);
        Place { file, line: entry.node.position.line }
    }

    /// A place as a problem of an entry at another place names it.
    fn shown(&self, place: Place, other: Place) -> String {
        let file = self.files.get(place.file).filter(|_| place.file != other.file).map(PathBuf::as_path);
        let file = file.map(Path::display).map(|file| format!(" of {file}")).unwrap_or_default();
        format!("line {}{file}", place.line)
    }

    pub(crate) fn finish(self) -> ReadItems {
        let Self { mut read, items, .. } = self;
        read.kept.retain(|key| !items.contains_key(key));
        read
    }
}

const EXTERNAL_ID: &str = "externalId";
