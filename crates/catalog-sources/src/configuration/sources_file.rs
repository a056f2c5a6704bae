//! A sources file. A mistake in an entry makes only that entry unusable; the file is not used if it is unclear which entries it
//! has.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Display;
use std::path::Path;

use model_registry_api::catalog::AssetType;
use serde_json::{Map, Value};

use super::{Label, NamedQuery};
use crate::name_filter::NameFilter;
use crate::problem::{Position, Problem};
use crate::yaml::{self, Entry, IGNORED, ReadError, UnknownKey};

/// Longest id of a source that the database stores.
const LONGEST_ID: usize = 255;

const LABELS: &str = "labels";
const NAMED_QUERIES: &str = "namedQueries";

/// Keys of a source of any asset type.
const SOURCE_KEYS: [&str; 7] = ["id", "name", "type", "enabled", "labels", "assetType", "properties"];
/// Exports of the API have these; the server assigns them.
const STATUS_KEYS: [&str; 2] = ["status", "error"];

/// The content of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct SourcesFile {
    pub(super) sources: Vec<(AssetType, SourceEntry)>,
    pub(super) labels: Vec<(Label, Position)>,
    pub(super) named_queries: BTreeMap<String, NamedQuery>,
    /// Entries that were left out.
    pub(super) problems: Vec<Problem>,
}

/// A source of one file; fields that are not set come from an earlier file.
#[derive(Clone, Debug)]
pub(super) struct SourceEntry {
    pub(super) id: String,
    pub(super) position: Position,
    /// Why the entry cannot be used; its fields are then those of its last valid content, if any.
    pub(super) problem: Option<Problem>,
    pub(super) fields: SourceFields,
    pub(super) property_positions: BTreeMap<String, Position>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SourceFields {
    pub(super) name: Option<String>,
    pub(super) source_type: Option<String>,
    pub(super) enabled: Option<bool>,
    pub(super) labels: Option<Vec<String>>,
    pub(super) included: Option<Vec<String>>,
    pub(super) excluded: Option<Vec<String>>,
    pub(super) states_asset_type: bool,
    pub(super) properties: Option<Map<String, Value>>,
}

impl SourcesFile {
    pub(super) fn read(path: &Path, text: &str) -> Result<Self, Problem> {
        let mut file = Self::default();
        let Some(node) = yaml::document(path, text)? else { return Ok(file) };
        let root = Entry { file: path, node: &node };
        let sections = AssetType::ALL.into_iter().flat_map(|asset_type| asset_type.spec().sources.keys).copied();
        let known: Vec<&str> = sections.chain([LABELS, NAMED_QUERIES]).collect();
        root.check_keys().map_err(|error| root.problem_at(error.position(), &error))?;
        if let Some(unknown) = root.unknown_keys(&known).first() {
            return Err(root.problem_at(Some(unknown.position), unknown));
        }
        let mut seen = HashMap::new();
        for asset_type in AssetType::ALL {
            // A deprecated key gives way to the current one where both have a source.
            let mut current: HashSet<&str> = HashSet::new();
            for key in asset_type.spec().sources.keys {
                let sources = elements(root, key)?;
                for source in &sources {
                    if id(*source).is_none_or(|id| !current.contains(id)) {
                        file.add(*source, asset_type, &mut seen)?;
                    }
                }
                current.extend(sources.iter().filter_map(|source| id(*source)));
            }
        }
        for label in elements(root, LABELS)? {
            if let Err(problem) = file.add_label(label) {
                file.problems.push(problem);
            }
        }
        if let Some(queries) = root.get(NAMED_QUERIES).filter(|queries| !queries.node.is_null()) {
            file.add_named_queries(queries)?;
        }
        Ok(file)
    }

    /// A source without an id makes the file unusable: it is unclear which source is meant.
    fn add(
        &mut self,
        source: Entry<'_>,
        asset_type: AssetType,
        seen: &mut HashMap<String, AssetType>,
    ) -> Result<(), Problem> {
        let label = asset_type.spec().sources.label;
        let id = id(source).ok_or_else(|| source.problem(format!("{label} source missing id")))?;
        if id.chars().count() > LONGEST_ID || id.contains('\0') {
            let reason = format!("an id has at most {LONGEST_ID} characters and no null characters");
            self.problems.push(source.problem(format!("{label} source `{id}`: {reason}: this one is left out")));
            return Ok(());
        }
        if let Some(other) = seen.get(id) {
            let reason = if *other == asset_type {
                format!("duplicate {label} id: {id}")
            } else {
                ambiguous_id(id, *other, asset_type)
            };
            self.problems.push(source.problem(format!("{reason}: this one is left out")));
            return Ok(());
        }
        seen.insert(id.to_owned(), asset_type);
        let properties = source.get("properties").and_then(|properties| properties.node.entries()).unwrap_or_default();
        let property_positions =
            properties.iter().filter_map(|(key, value)| Some((key.as_str()?.to_owned(), value.position))).collect();
        let (fields, problem) = match fields(source, id, asset_type) {
            Ok(fields) => (fields, None),
            Err(problem) => (readable_fields(source, asset_type), Some(problem)),
        };
        let position = source.node.position;
        self.sources
            .push((asset_type, SourceEntry { id: id.to_owned(), position, problem, fields, property_positions }));
        Ok(())
    }

    fn add_label(&mut self, entry: Entry<'_>) -> Result<(), Problem> {
        let (label, _) = entry.read::<BTreeMap<String, Value>>();
        let label = label.map_err(|error| entry.problem_at(error.position(), format!("invalid label: {error}")))?;
        let label = Label::read(label).map_err(|violation| entry.problem_of(&violation))?;
        if self.labels.iter().any(|(other, _)| other.name() == label.name()) {
            let name = label.name().unwrap_or("null");
            return Err(entry.problem(format!("duplicate label name '{name}': this one is left out")));
        }
        self.labels.push((label, entry.node.position));
        Ok(())
    }

    fn add_named_queries(&mut self, queries: Entry<'_>) -> Result<(), Problem> {
        let entries = queries.node.entries();
        let entries =
            entries.ok_or_else(|| queries.problem(format!("`{NAMED_QUERIES}`: expected a map of queries")))?;
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
        Ok(())
    }

    /// Gives entries that cannot be used the fields that they had when the same file was read earlier.
    pub(super) fn restore_invalid_entries(&mut self, earlier: &Self) {
        for (asset_type, entry) in self.sources.iter_mut().filter(|(_, entry)| entry.problem.is_some()) {
            let is_same =
                |(other_type, other): &&(AssetType, SourceEntry)| other_type == asset_type && other.id == entry.id;
            if let Some((_, before)) = earlier.sources.iter().find(is_same) {
                entry.fields = before.fields.clone();
            }
        }
    }
}

/// The message about an id that two asset types use.
pub(super) fn ambiguous_id(id: &str, first: AssetType, second: AssetType) -> String {
    let section = |asset_type: AssetType| asset_type.spec().sources.keys.first().copied().unwrap_or_default();
    format!("id \"{id}\" used in both {} and {}", section(first.min(second)), section(first.max(second)))
}

fn id(source: Entry<'_>) -> Option<&str> {
    let id = source.node.get("id")?.as_str()?.trim();
    (!id.is_empty()).then_some(id)
}

/// The elements of a list that may be missing or null.
fn elements<'a>(root: Entry<'a>, key: &str) -> Result<Vec<Entry<'a>>, Problem> {
    let Some(list) = root.get(key).filter(|list| !list.node.is_null()) else { return Ok(Vec::new()) };
    let elements = list.node.elements();
    let elements = elements.ok_or_else(|| list.problem(format!("`{key}`: expected a list")))?;
    Ok(elements.iter().map(|node| Entry { node, ..root }).collect())
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
    all.extend(fields.iter().flat_map(|(_, node)| problems(Entry { node, ..query }, &["operator", "value"])));
    all
}

/// The fields of a source with a mistake that can be read nevertheless, for lists of sources.
fn readable_fields(source: Entry<'_>, asset_type: AssetType) -> SourceFields {
    let strings = |key: &str| -> Option<Vec<String>> {
        source.node.get(key)?.elements()?.iter().map(|node| node.as_str().map(str::to_owned)).collect()
    };
    let patterns = asset_type.spec().sources.pattern_keys();
    let [included, excluded] = patterns.map_or([None, None], |keys| keys.map(|key| strings(&key)));
    SourceFields {
        name: source.node.get("name").and_then(|name| name.as_str()).map(str::to_owned),
        labels: strings("labels"),
        included,
        excluded,
        ..SourceFields::default()
    }
}

fn fields(source: Entry<'_>, id: &str, asset_type: AssetType) -> Result<SourceFields, Problem> {
    let spec = &asset_type.spec().sources;
    let pattern_keys = spec.pattern_keys();
    let about = |reason: &dyn Display| format!("source `{id}`: {reason}");
    let failed = |error: ReadError| source.problem_at(error.position(), about(&error));

    let mut known: Vec<&str> = SOURCE_KEYS.into();
    known.extend(pattern_keys.iter().flatten().map(String::as_str));
    known.extend(STATUS_KEYS.into_iter().filter(|_| spec.accepts_status));
    if let Some(unknown) = source.unknown_keys(&known).first() {
        return Err(source.problem_at(Some(unknown.position), about(unknown)));
    }
    source.check_keys().map_err(failed)?;
    let patterns = |index: usize| match &pattern_keys {
        Some(keys) => source.read_field(&keys[index]).map_err(failed),
        None => Ok(None),
    };
    let fields = SourceFields {
        name: source.read_field("name").map_err(failed)?,
        source_type: source.read_field("type").map_err(failed)?,
        enabled: source.read_field("enabled").map_err(failed)?,
        labels: source.read_field("labels").map_err(failed)?,
        included: patterns(0)?,
        excluded: patterns(1)?,
        states_asset_type: false,
        properties: source.read_field("properties").map_err(failed)?,
    };
    NameFilter::new(
        spec.patterns.unwrap_or_default(),
        fields.included.as_deref().unwrap_or_default(),
        fields.excluded.as_deref().unwrap_or_default(),
    )
    .map_err(|empty| {
        let list = source.get(&empty.list).and_then(|list| list.node.elements());
        let position = list.and_then(|list| list.get(empty.index)).map(|pattern| pattern.position);
        source.problem_at(position, about(&empty))
    })?;
    let stated = source.read_field::<String>("assetType").map_err(failed)?;
    if let Some(stated) = stated.as_deref().filter(|stated| *stated != asset_type.as_str()) {
        let position = source.get("assetType").map(|value| value.node.position);
        let expected = asset_type.as_str();
        let section = spec.keys.first().copied().unwrap_or_default();
        let reason = format!("invalid assetType '{stated}': sources of the section `{section}` have `{expected}`");
        return Err(source.problem_at(position, about(&reason)));
    }
    Ok(SourceFields { states_asset_type: stated.is_some(), ..fields })
}
