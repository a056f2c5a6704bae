//! A sources file. A mistake in an entry makes only that entry unusable, and an unknown section or key is ignored with a
//! notice. A file that says nothing is not used; a section of which it is unclear which sources it has keeps those that it had.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;

use model_registry_api::catalog::AssetType;
use model_registry_base::nearest_name;
use serde_json::Value;

use super::source_entry::{SourceEntry, id};
use super::{Label, NamedQuery};
use crate::problem::{Position, Problem};
use crate::yaml::{self, Entry, IGNORED, UnknownKey};

/// Longest id of a source that the database stores.
const LONGEST_ID: usize = 255;

const LABELS: &str = "labels";
const NAMED_QUERIES: &str = "namedQueries";

/// The content of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct SourcesFile {
    pub(super) sources: Vec<(AssetType, SourceEntry)>,
    pub(super) labels: Vec<(Label, Position)>,
    pub(super) named_queries: BTreeMap<String, NamedQuery>,
    /// Entries that were left out, and keys that are ignored.
    pub(super) problems: Vec<Problem>,
    /// Sections that cannot be read completely: sources that they had before stay.
    unclear: BTreeSet<Section>,
}

/// A part of the file that stays as it was if it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Section {
    Sources(AssetType),
    Labels,
    NamedQueries,
}

impl SourcesFile {
    pub(super) fn read(path: &Path, text: &str) -> Result<Self, Problem> {
        let mut file = Self::default();
        let advice = "nothing is changed; write `model_catalogs: []` to remove its sources";
        let empty = || Problem::of_file(path, format!("is empty: {advice}"));
        let node = yaml::document(path, text)?.ok_or_else(empty)?;
        let root = Entry { file: path, node: &node };
        if node.entries().is_none() {
            // Without its content: the path may lead to any file of the machine.
            let found = if node.elements().is_some() { "a list" } else { "a scalar" };
            return Err(root.problem(format!("expected a map, found {found}: {advice}")));
        }
        let sections = AssetType::ALL.into_iter().flat_map(|asset_type| asset_type.spec().sources.keys).copied();
        let known: Vec<&str> = sections.chain([LABELS, NAMED_QUERIES]).collect();
        let unknown = root.unknown_keys(&known);
        if known.iter().all(|key| root.get(key).is_none()) {
            // Words only: the path may lead to any file of the machine.
            let words = unknown.iter().filter(|unknown| unknown.is_word());
            let found: Vec<String> = words.map(ToString::to_string).collect();
            let found = if found.is_empty() { String::new() } else { format!(" ({})", found.join("; ")) };
            let reason = format!("has none of the sections {}{found}: {advice}", known.join(", "));
            return Err(root.problem_at(unknown.first().map(|unknown| unknown.position), reason));
        }
        root.check_keys().map_err(|error| root.problem_at(error.position(), &error))?;
        for unknown in &unknown {
            file.problems.push(root.problem_at(Some(unknown.position), unknown.with(IGNORED)));
        }
        file.add_misspelt_sections(root, &known);
        let mut seen = HashMap::new();
        for asset_type in AssetType::ALL {
            // A deprecated key gives way to the current one where both have a source.
            let mut current: HashSet<&str> = HashSet::new();
            for key in asset_type.spec().sources.keys {
                let sources = file.elements(root, key, Section::Sources(asset_type));
                for source in &sources {
                    if id(*source).is_none_or(|id| !current.contains(id)) {
                        file.add(*source, asset_type, &mut seen);
                    }
                }
                current.extend(sources.iter().filter_map(|source| id(*source)));
            }
        }
        let mut names = HashSet::new();
        for label in file.elements(root, LABELS, Section::Labels) {
            if let Err(problem) = file.add_label(label, &mut names) {
                file.problems.push(problem);
            }
        }
        if let Some(queries) = root.get(NAMED_QUERIES) {
            file.add_named_queries(queries);
        }
        Ok(file)
    }

    /// A section whose key is most likely misspelt keeps what it had. An unknown section of another name is a new one.
    fn add_misspelt_sections(&mut self, root: Entry<'_>, known: &[&str]) {
        for (key, _) in root.node.entries().unwrap_or_default() {
            let Some(key) = key.as_str().filter(|key| !known.contains(key)) else { continue };
            let Some(meant) = nearest_name(key, known.iter().copied()) else { continue };
            let begins_alike = key.get(..3).is_some_and(|start| meant.starts_with(&start.to_ascii_lowercase()));
            if !begins_alike || root.get(meant).is_some() {
                continue;
            }
            let of_sources = AssetType::ALL.into_iter().find(|known| known.spec().sources.keys.contains(&meant));
            self.unclear.insert(match of_sources {
                Some(asset_type) => Section::Sources(asset_type),
                None if meant == LABELS => Section::Labels,
                None => Section::NamedQueries,
            });
        }
    }

    /// The elements of a section. Where it is not a list, it keeps what it had.
    fn elements<'a>(&mut self, root: Entry<'a>, key: &str, section: Section) -> Vec<Entry<'a>> {
        let Some(list) = root.get(key) else { return Vec::new() };
        let Some(elements) = list.node.elements() else {
            self.problems.push(list.problem(kept(key, "a list", list.node, "[]")));
            self.unclear.insert(section);
            return Vec::new();
        };
        elements.iter().map(|node| Entry { node, ..root }).collect()
    }

    /// Adds a source. Without an id it is unclear which source is meant, so that all of the section stay.
    fn add(&mut self, source: Entry<'_>, asset_type: AssetType, seen: &mut HashMap<String, AssetType>) {
        let label = asset_type.spec().sources.label;
        let Some(id) = id(source) else {
            let hint = source.unknown_keys(&["id"]).into_iter().find(|unknown| unknown.nearest() == Some("id"));
            let hint = hint.map(|unknown| format!(" ({unknown})")).unwrap_or_default();
            let reason = format!("{label} source missing id{hint}: it is left out");
            self.problems.push(source.problem(reason));
            self.unclear.insert(Section::Sources(asset_type));
            return;
        };
        if id.chars().count() > LONGEST_ID || id.contains('\0') {
            let reason = format!("an id has at most {LONGEST_ID} characters and no null characters");
            self.problems.push(source.problem(format!("{label} source `{id}`: {reason}: this one is left out")));
            return;
        }
        if let Some(other) = seen.get(id) {
            let reason = if *other == asset_type {
                format!("duplicate {label} id: {id}")
            } else {
                ambiguous_id(id, *other, asset_type)
            };
            self.problems.push(source.problem(format!("{reason}: this one is left out")));
            return;
        }
        seen.insert(id.to_owned(), asset_type);
        let entry = SourceEntry::read(source, id, asset_type);
        self.problems.extend(entry.notices.iter().cloned());
        self.sources.push((asset_type, entry));
    }

    fn add_label(&mut self, entry: Entry<'_>, names: &mut HashSet<Option<String>>) -> Result<(), Problem> {
        let (label, notices) = Label::read(entry)?;
        if !names.insert(label.name().map(str::to_owned)) {
            let name = label.name().unwrap_or("null");
            return Err(entry.problem(format!("duplicate label name '{name}': this one is left out")));
        }
        self.problems.extend(notices);
        self.labels.push((label, entry.node.position));
        Ok(())
    }

    fn add_named_queries(&mut self, queries: Entry<'_>) {
        let Some(entries) = queries.node.entries() else {
            self.problems.push(queries.problem(kept(NAMED_QUERIES, "a map of queries", queries.node, "{}")));
            self.unclear.insert(Section::NamedQueries);
            return;
        };
        for (key, node) in entries {
            let entry = Entry { node, ..queries };
            let name = key.as_str().unwrap_or_default();
            if self.named_queries.contains_key(name) {
                let reason = format!("duplicate named query '{name}': this one is left out");
                self.problems.push(entry.problem_at(Some(key.position), reason));
                continue;
            }
            let (value, _) = entry.read::<Value>();
            let value = value.map_err(|error| {
                entry.problem_at(error.position(), format!("named query '{name}' is left out: {error}"))
            });
            let query =
                value.and_then(|value| NamedQuery::read(name, value).map_err(|violation| entry.problem_of(&violation)));
            match query {
                Ok(query) => {
                    self.named_queries.insert(name.to_owned(), query);
                    self.problems.extend(unknown_query_keys(entry, name));
                }
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    /// Restores what the same file had when it was read earlier: the fields of entries that cannot be used, and the entries of
    /// sections that cannot be read completely.
    pub(super) fn restore(&mut self, earlier: &Self) {
        let known: HashMap<(AssetType, &str), &SourceEntry> =
            earlier.sources.iter().map(|(asset_type, entry)| ((*asset_type, entry.id.as_str()), entry)).collect();
        for (asset_type, entry) in self.sources.iter_mut().filter(|(_, entry)| entry.problem.is_some()) {
            if let Some(before) = known.get(&(*asset_type, entry.id.as_str())) {
                entry.fields = before.fields.clone();
            }
        }
        let ids: HashSet<String> = self.sources.iter().map(|(_, entry)| entry.id.clone()).collect();
        let missing = earlier.sources.iter().filter(|(asset_type, entry)| {
            self.unclear.contains(&Section::Sources(*asset_type)) && !ids.contains(&entry.id)
        });
        self.sources.extend(missing.cloned());
        if self.unclear.contains(&Section::Labels) {
            self.labels.clone_from(&earlier.labels);
        }
        if self.unclear.contains(&Section::NamedQueries) {
            self.named_queries.clone_from(&earlier.named_queries);
        }
        self.unclear.retain(|section| earlier.unclear.contains(section));
    }

    /// Whether all sources of the file are known, from this or an earlier reading.
    pub(super) fn is_complete(&self) -> bool {
        !self.unclear.iter().any(|section| matches!(section, Section::Sources(_)))
    }
}

/// The message about a section that is not of its type.
fn kept(key: &str, expected: &str, found: &yaml::Node, empty: &str) -> String {
    let found = found.describe();
    format!("`{key}`: expected {expected}, found {found}: what it had stays; write `{key}: {empty}` to remove it")
}

/// The message about an id that two asset types use.
pub(super) fn ambiguous_id(id: &str, first: AssetType, second: AssetType) -> String {
    let section = |asset_type: AssetType| asset_type.spec().sources.keys.first().copied().unwrap_or_default();
    format!("id \"{id}\" used in both {} and {}", section(first.min(second)), section(first.max(second)))
}

fn unknown_query_keys(query: Entry<'_>, name: &str) -> Vec<Problem> {
    let message = |unknown: &UnknownKey| format!("named query '{name}' has the {}", unknown.with(IGNORED));
    let problems = |entry: Entry<'_>, known: &[&str]| -> Vec<Problem> {
        let unknown = entry.unknown_keys(known);
        unknown.iter().map(|unknown| entry.problem_at(Some(unknown.position), message(unknown))).collect()
    };
    let filters = query.get("filters");
    let mut all = if filters.is_some() { problems(query, &["assetType", "filters"]) } else { Vec::new() };
    let fields = filters.unwrap_or(query).node.entries().unwrap_or_default();
    if filters.is_none() {
        // In the older form the keys are the fields of the filter.
        let others = fields.iter().filter(|(key, node)| node.entries().is_none() && key.as_str() != Some("assetType"));
        let unknown =
            others.map(|(key, _)| UnknownKey::new(key.position, key.as_str().unwrap_or_default(), &["filters"]));
        all.extend(unknown.map(|unknown| query.problem_at(Some(unknown.position), message(&unknown))));
    }
    all.extend(fields.iter().flat_map(|(_, node)| problems(Entry { node, ..query }, &["operator", "value"])));
    all
}
