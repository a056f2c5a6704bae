//! One sources file. A mistake in an entry spoils that entry alone, and the message says where it is; a mistake that leaves
//! open what the file is about spoils the file.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use model_registry_api::catalog::AssetType;

use super::{Label, NamedQuery};
use crate::pattern::NameFilter;
use crate::yaml::{self, DOES_NOTHING, Entry, Place, Problem, UnknownKey};

/// The longest id of a source that the database keeps.
const LONGEST_ID: usize = 255;

/// A sources file whose entries are valid by themselves.
#[derive(Clone, Debug, Default)]
pub(super) struct SourcesFile {
    pub sources: Vec<(AssetType, SourceEntry)>,
    pub labels: Vec<(Label, Place)>,
    pub named_queries: BTreeMap<String, NamedQuery>,
    /// What was left out of it.
    pub problems: Vec<Problem>,
}

/// A source as one file has it; fields that are not set come from an earlier file.
#[derive(Clone, Debug)]
pub(super) struct SourceEntry {
    pub id: String,
    pub place: Place,
    /// Why the entry cannot be used; its fields are those that it had before, if any.
    pub broken: Option<Problem>,
    pub fields: SourceFields,
    /// Where each property is.
    pub property_places: BTreeMap<String, Place>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct SourceFields {
    pub name: Option<String>,
    pub kind: Option<String>,
    pub enabled: Option<bool>,
    pub labels: Option<Vec<String>>,
    pub included: Option<Vec<String>>,
    pub excluded: Option<Vec<String>>,
    pub listed_as: Option<AssetType>,
    pub properties: Option<Map<String, Value>>,
}

/// The keys of a file.
#[derive(Deserialize)]
struct Keys {
    #[serde(rename = "catalogs")]
    _catalogs: Option<IgnoredAny>,
    #[serde(rename = "model_catalogs")]
    _model_catalogs: Option<IgnoredAny>,
    #[serde(rename = "mcp_catalogs")]
    _mcp_catalogs: Option<IgnoredAny>,
    #[serde(rename = "labels")]
    _labels: Option<IgnoredAny>,
    #[serde(rename = "namedQueries")]
    _named_queries: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelSource {
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    enabled: Option<bool>,
    labels: Option<Vec<String>>,
    included_models: Option<Vec<String>>,
    excluded_models: Option<Vec<String>>,
    asset_type: Option<String>,
    properties: Option<Map<String, Value>>,
    // Accepted, since exports of the API have them; this server decides both.
    #[serde(rename = "status")]
    _status: Option<IgnoredAny>,
    #[serde(rename = "error")]
    _error: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerSource {
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    enabled: Option<bool>,
    labels: Option<Vec<String>>,
    included_servers: Option<Vec<String>>,
    excluded_servers: Option<Vec<String>>,
    asset_type: Option<String>,
    properties: Option<Map<String, Value>>,
}

/// Either of the two.
trait Written: DeserializeOwned {
    /// The end of the names of both lists of patterns.
    const PATTERNS: &'static str;

    /// The fields, and the asset type as it is written.
    fn into_fields(self) -> (SourceFields, Option<String>);
}

impl Written for ModelSource {
    const PATTERNS: &'static str = "Models";

    fn into_fields(self) -> (SourceFields, Option<String>) {
        let Self { name, kind, enabled, labels, included_models: included, excluded_models: excluded, .. } = self;
        let properties = self.properties;
        (SourceFields { name, kind, enabled, labels, included, excluded, listed_as: None, properties }, self.asset_type)
    }
}

impl Written for ServerSource {
    const PATTERNS: &'static str = "Servers";

    fn into_fields(self) -> (SourceFields, Option<String>) {
        let Self { name, kind, enabled, labels, included_servers: included, excluded_servers: excluded, .. } = self;
        let properties = self.properties;
        (SourceFields { name, kind, enabled, labels, included, excluded, listed_as: None, properties }, self.asset_type)
    }
}

impl SourcesFile {
    pub(super) fn read(path: &Path, text: &str) -> Result<Self, Problem> {
        let mut file = Self::default();
        let Some(node) = yaml::document(path, text)? else { return Ok(file) };
        let root = Entry { file: path, node: &node };
        let (keys, unknown) = root.read::<Keys>();
        keys.map_err(|mistake| root.problem_at(mistake.place(), &mistake))?;
        refuse_unknown(root, &unknown).map_or(Ok(()), Err)?;

        let mut seen: HashMap<String, AssetType> = HashMap::new();
        let current = elements(root, "model_catalogs")?;
        let known: Vec<&str> = current.iter().filter_map(|source| id(*source)).collect();
        // The old key gives way to the new one where both have a source.
        let mut old = elements(root, "catalogs")?;
        old.retain(|source| id(*source).is_none_or(|id| !known.contains(&id)));
        for source in current.iter().chain(&old) {
            file.add::<ModelSource>(*source, AssetType::Models, &mut seen)?;
        }
        for source in elements(root, "mcp_catalogs")? {
            file.add::<ServerSource>(source, AssetType::McpServers, &mut seen)?;
        }
        for label in elements(root, "labels")? {
            if let Err(problem) = file.add_label(label) {
                file.problems.push(problem);
            }
        }
        if let Some(queries) = root.get("namedQueries").filter(|queries| !queries.node.is_null()) {
            file.add_named_queries(queries)?;
        }
        Ok(file)
    }

    /// A source without an id spoils the file: nobody knows which one is meant.
    fn add<T: Written>(
        &mut self,
        source: Entry<'_>,
        asset: AssetType,
        seen: &mut HashMap<String, AssetType>,
    ) -> Result<(), Problem> {
        let what = match asset {
            AssetType::Models => "model catalog source",
            AssetType::McpServers => "MCP catalog source",
        };
        let id = id(source).ok_or_else(|| source.problem(format!("{what} missing id")))?;
        if id.chars().count() > LONGEST_ID || id.contains('\0') {
            let reason = format!("an id has at most {LONGEST_ID} characters, none of them null: this one is left out");
            self.problems.push(source.problem(format!("{what} `{id}`: {reason}")));
            return Ok(());
        }
        if let Some(other) = seen.insert(id.to_owned(), asset) {
            seen.insert(id.to_owned(), other);
            let reason = match (other, asset) {
                (AssetType::Models, AssetType::Models) => format!("duplicate model catalog id: {id}"),
                (AssetType::McpServers, AssetType::McpServers) => format!("duplicate MCP catalog id: {id}"),
                _ => format!("id \"{id}\" used in both model_catalogs and mcp_catalogs"),
            };
            self.problems.push(source.problem(format!("{reason}: this one is left out")));
            return Ok(());
        }
        let properties = source.get("properties").and_then(|properties| properties.node.entries()).unwrap_or_default();
        let property_places =
            properties.iter().filter_map(|(key, value)| Some((key.text()?.to_owned(), value.place))).collect();
        let (fields, broken) = match fields::<T>(source, id) {
            Ok(fields) => (fields, None),
            Err(problem) => (readable::<T>(source), Some(problem)),
        };
        let place = source.node.place;
        self.sources.push((asset, SourceEntry { id: id.to_owned(), place, broken, fields, property_places }));
        Ok(())
    }

    fn add_label(&mut self, entry: Entry<'_>) -> Result<(), Problem> {
        let (label, _) = entry.read::<BTreeMap<String, Value>>();
        let label = label.map_err(|mistake| entry.problem_at(mistake.place(), format!("invalid label: {mistake}")))?;
        let label = Label::read(label).map_err(|breach| entry.problem_of(&breach))?;
        if self.labels.iter().any(|(other, _)| other.name() == label.name()) {
            let name = label.name().unwrap_or("null");
            return Err(entry.problem(format!("duplicate label name '{name}': this one is left out")));
        }
        self.labels.push((label, entry.node.place));
        Ok(())
    }

    fn add_named_queries(&mut self, queries: Entry<'_>) -> Result<(), Problem> {
        let entries = queries.node.entries();
        let entries = entries.ok_or_else(|| queries.problem("`namedQueries`: expected a map of queries"))?;
        for (key, node) in entries {
            let entry = Entry { node, ..queries };
            let name = key.text().unwrap_or_default();
            if self.named_queries.contains_key(name) {
                let reason = format!("duplicate named query '{name}': this one is left out");
                self.problems.push(entry.problem_at(Some(key.place), reason));
                continue;
            }
            let (value, _) = entry.read::<Value>();
            let query = value.map_err(|mistake| {
                entry.problem_at(mistake.place(), format!("named query '{name}' is left out: {mistake}"))
            });
            match query.and_then(|value| NamedQuery::read(name, value).map_err(|breach| entry.problem_of(&breach))) {
                Ok(query) => {
                    self.named_queries.insert(name.to_owned(), query);
                    self.problems.extend(unknown_keys(entry, name));
                }
                Err(problem) => self.problems.push(problem),
            }
        }
        Ok(())
    }

    /// Lets entries that cannot be used keep what an earlier reading of the same file said.
    pub(super) fn keep_from(&mut self, earlier: &Self) {
        for (asset, entry) in self.sources.iter_mut().filter(|(_, entry)| entry.broken.is_some()) {
            let same = |(of, other): &&(AssetType, SourceEntry)| of == asset && other.id == entry.id;
            if let Some((_, before)) = earlier.sources.iter().find(same) {
                entry.fields = before.fields.clone();
            }
        }
    }
}

fn id(source: Entry<'_>) -> Option<&str> {
    let id = source.node.get("id")?.text()?.trim();
    (!id.is_empty()).then_some(id)
}

/// The elements of a list that may be missing or null.
fn elements<'a>(root: Entry<'a>, key: &str) -> Result<Vec<Entry<'a>>, Problem> {
    let Some(list) = root.get(key).filter(|list| !list.node.is_null()) else { return Ok(Vec::new()) };
    let elements = list.node.elements();
    let elements = elements.ok_or_else(|| list.problem(format!("`{key}`: expected a list")))?;
    Ok(elements.iter().map(|node| Entry { node, ..root }).collect())
}

/// The keys of a named query that mean nothing.
fn unknown_keys(query: Entry<'_>, name: &str) -> Vec<Problem> {
    let of = |entry: Entry<'_>, known: &[&'static str]| -> Vec<Problem> {
        let keys = entry.node.entries().unwrap_or_default().iter().map(|(key, _)| key);
        let unknown = keys.filter(|key| key.text().is_none_or(|text| !known.contains(&text)));
        let told = unknown.map(|key| {
            let unknown = UnknownKey::new(key.place, key.text().unwrap_or_default(), known);
            entry.problem_at(Some(key.place), format!("named query '{name}' has the {}", unknown.with(DOES_NOTHING)))
        });
        told.collect()
    };
    let filters = query.get("filters");
    let mut told = if filters.is_some() { of(query, &["assetType", "filters"]) } else { Vec::new() };
    let fields = filters.unwrap_or(query).node.entries().unwrap_or_default();
    told.extend(fields.iter().flat_map(|(_, node)| of(Entry { node, ..query }, &["operator", "value"])));
    told
}

fn refuse_unknown(entry: Entry<'_>, unknown: &[UnknownKey]) -> Option<Problem> {
    unknown.first().map(|key| entry.problem_at(Some(key.place), key))
}

/// What can be read of a source with a mistake, so that it is shown as the one that it is.
fn readable<T: Written>(source: Entry<'_>) -> SourceFields {
    let texts = |key: &str| -> Option<Vec<String>> {
        source.node.get(key)?.elements()?.iter().map(|node| node.text().map(str::to_owned)).collect()
    };
    SourceFields {
        name: source.node.get("name").and_then(|name| name.text()).map(str::to_owned),
        labels: texts("labels"),
        included: texts(&format!("included{}", T::PATTERNS)),
        excluded: texts(&format!("excluded{}", T::PATTERNS)),
        ..SourceFields::default()
    }
}

fn fields<T: Written>(source: Entry<'_>, id: &str) -> Result<SourceFields, Problem> {
    let about = |reason: &dyn std::fmt::Display| format!("source `{id}`: {reason}");
    let (read, unknown) = source.read::<T>();
    if let Some(key) = unknown.first() {
        return Err(source.problem_at(Some(key.place), about(key)));
    }
    let read = read.map_err(|mistake| source.problem_at(mistake.place(), about(&mistake)))?;
    let (fields, asset_type) = read.into_fields();
    NameFilter::new(
        T::PATTERNS,
        fields.included.as_deref().unwrap_or_default(),
        fields.excluded.as_deref().unwrap_or_default(),
    )
    .map_err(|empty| {
        let list = source.get(&empty.list).and_then(|list| list.node.elements());
        let place = list.and_then(|list| list.get(empty.index)).map(|pattern| pattern.place);
        source.problem_at(place, about(&empty))
    })?;
    let listed_as = match asset_type {
        None => None,
        Some(text) => Some(AssetType::from_name(&text).ok_or_else(|| {
            let place = source.get("assetType").map(|value| value.node.place);
            let reason = format!("invalid assetType '{text}': valid values are [models mcp_servers]");
            source.problem_at(place, about(&reason))
        })?),
    };
    Ok(SourceFields { listed_as, ..fields })
}
