//! One sources file, read strictly: an unknown key is a mistake, and the message says where.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;

use super::{AssetType, Label, NamedQuery};
use crate::pattern::NameFilter;
use crate::yaml::{self, Problem};

/// A sources file whose entries are valid by themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct SourcesFile {
    pub(crate) sources: Vec<(AssetType, SourceEntry)>,
    pub(crate) labels: Vec<(Label, Option<(u64, u64)>)>,
    pub(crate) named_queries: BTreeMap<String, NamedQuery>,
}

/// A source as one file has it; fields that are not set come from an earlier file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SourceEntry {
    pub(crate) id: String,
    pub(crate) name: Option<String>,
    pub(crate) kind: Option<String>,
    pub(crate) enabled: Option<bool>,
    pub(crate) labels: Option<Vec<String>>,
    pub(crate) included: Option<Vec<String>>,
    pub(crate) excluded: Option<Vec<String>>,
    pub(crate) listed_as: Option<AssetType>,
    pub(crate) properties: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default)]
    catalogs: Option<Vec<Spanned<RawModelSource>>>,
    #[serde(default)]
    model_catalogs: Option<Vec<Spanned<RawModelSource>>>,
    #[serde(default)]
    mcp_catalogs: Option<Vec<Spanned<RawServerSource>>>,
    #[serde(default)]
    labels: Option<Vec<Spanned<BTreeMap<String, Value>>>>,
    #[serde(default, rename = "namedQueries")]
    named_queries: Option<BTreeMap<String, Spanned<Value>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct RawModelSource {
    #[serde(default)]
    id: Option<String>,
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
    _status: Option<Value>,
    #[serde(rename = "error")]
    _error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawServerSource {
    #[serde(default)]
    id: Option<String>,
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

impl SourcesFile {
    pub(crate) fn read(path: &Path, text: &str) -> Result<Self, Problem> {
        let raw: Raw = yaml::read(path, text)?;
        let mut file = Self::default();
        let mut seen: HashMap<String, AssetType> = HashMap::new();
        let current = raw.model_catalogs.unwrap_or_default();
        let known: Vec<String> = current.iter().filter_map(|source| source.value.id.clone()).collect();
        // The old key gives way to the new one where both have a source.
        let old = raw.catalogs.unwrap_or_default().into_iter();
        let old = old.filter(|source| source.value.id.as_ref().is_none_or(|id| !known.contains(id)));
        for Spanned { value: source, referenced: location, .. } in current.into_iter().chain(old) {
            let problem = |reason: String| Problem::at(path, location, reason);
            let entry = entry(source.id, "model catalog source").map_err(problem)?;
            claim(&mut seen, &entry.id, AssetType::Models).map_err(problem)?;
            let included = source.included_models;
            let excluded = source.excluded_models;
            check_patterns("Models", included.as_deref(), excluded.as_deref()).map_err(problem)?;
            let entry = SourceEntry {
                name: source.name,
                kind: source.kind,
                enabled: source.enabled,
                labels: source.labels,
                included,
                excluded,
                listed_as: asset_type(source.asset_type.as_deref()).map_err(problem)?,
                properties: source.properties,
                ..entry
            };
            file.sources.push((AssetType::Models, entry));
        }
        for Spanned { value: source, referenced: location, .. } in raw.mcp_catalogs.unwrap_or_default() {
            let problem = |reason: String| Problem::at(path, location, reason);
            let entry = entry(source.id, "MCP catalog source").map_err(problem)?;
            claim(&mut seen, &entry.id, AssetType::McpServers).map_err(problem)?;
            let included = source.included_servers;
            let excluded = source.excluded_servers;
            check_patterns("Servers", included.as_deref(), excluded.as_deref()).map_err(problem)?;
            let entry = SourceEntry {
                name: source.name,
                kind: source.kind,
                enabled: source.enabled,
                labels: source.labels,
                included,
                excluded,
                listed_as: asset_type(source.asset_type.as_deref()).map_err(problem)?,
                properties: source.properties,
                ..entry
            };
            file.sources.push((AssetType::McpServers, entry));
        }
        for Spanned { value: label, referenced: location, .. } in raw.labels.unwrap_or_default() {
            let label = Label::read(label).map_err(|reason| Problem::at(path, location, reason))?;
            if file.labels.iter().any(|(other, _)| other.name() == label.name()) {
                let reason = format!("duplicate label name '{}'", label.name().unwrap_or("null"));
                return Err(Problem::at(path, location, reason));
            }
            file.labels.push((label, Some((location.line(), location.column()))));
        }
        for (name, Spanned { value, referenced: location, .. }) in raw.named_queries.unwrap_or_default() {
            let query = NamedQuery::read(&name, value).map_err(|reason| Problem::at(path, location, reason))?;
            file.named_queries.insert(name, query);
        }
        Ok(file)
    }
}

fn entry(id: Option<String>, what: &str) -> Result<SourceEntry, String> {
    let id = id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| format!("{what} missing id"))?;
    if id.chars().count() > 255 || id.contains(['\0', '/']) {
        return Err(format!("{what} `{id}`: an id has at most 255 characters and no slash"));
    }
    Ok(SourceEntry { id, ..SourceEntry::default() })
}

fn claim(seen: &mut HashMap<String, AssetType>, id: &str, asset: AssetType) -> Result<(), String> {
    match seen.insert(id.to_owned(), asset) {
        None => Ok(()),
        Some(other) if other != asset => Err(format!("id \"{id}\" used in both model_catalogs and mcp_catalogs")),
        Some(AssetType::Models) => Err(format!("duplicate model catalog id: {id}")),
        Some(AssetType::McpServers) => Err(format!("duplicate MCP catalog id: {id}")),
    }
}

fn check_patterns(field: &str, included: Option<&[String]>, excluded: Option<&[String]>) -> Result<(), String> {
    NameFilter::new(field, included.unwrap_or_default(), excluded.unwrap_or_default()).map(|_| ())
}

fn asset_type(text: Option<&str>) -> Result<Option<AssetType>, String> {
    let Some(text) = text else { return Ok(None) };
    let asset = AssetType::parse(text);
    asset.map(Some).ok_or_else(|| format!("invalid assetType '{text}': valid values are [models mcp_servers]"))
}
