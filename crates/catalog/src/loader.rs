//! Reads every source and puts what it publishes into the database, all at once.

use std::path::PathBuf;

use model_registry_store::{CatalogItems, SourceSnapshot};

use crate::configuration::{AssetType, Configuration, Source};
use crate::models::{self, Found};
use crate::pattern::NameFilter;
use crate::performance::Measurements;
use crate::yaml::{self, Problem};
use crate::{hub, mcp};

/// What one source published, and what was wrong with it.
pub(crate) struct Loaded {
    pub(crate) snapshot: SourceSnapshot,
    pub(crate) problems: Vec<Problem>,
    /// What did no harm.
    pub(crate) notices: Vec<Problem>,
}

/// Reads all sources. It blocks: files are read and parsed.
pub(crate) fn read_all(configuration: &Configuration, measured: &[PathBuf]) -> (Vec<Loaded>, Vec<Problem>) {
    let (measurements, problems) = Measurements::find(measured);
    (configuration.sources.values().filter_map(|source| read(source, &measurements)).collect(), problems)
}

/// `None` for sources that are read over the network, at their own pace.
fn read(source: &Source, measurements: &Measurements) -> Option<Loaded> {
    let snapshot = SourceSnapshot {
        source_id: source.id.clone(),
        status: "disabled",
        error: None,
        skipped: 0,
        items: Some(CatalogItems::default()),
        kept: Vec::new(),
    };
    if !source.enabled {
        return Some(Loaded { snapshot, problems: Vec::new(), notices: Vec::new() });
    }
    if is_hub(source) && hub::wanted(source).is_ok() {
        return None;
    }
    Some(match read_items(source, measurements) {
        Ok(found) => finish(source, snapshot, found),
        // What was published before stays.
        Err(error) => {
            let snapshot = SourceSnapshot { status: "error", error: Some(error), items: None, ..snapshot };
            Loaded { snapshot, problems: Vec::new(), notices: Vec::new() }
        }
    })
}

/// Whether a source is read from a hub.
pub(crate) fn is_hub(source: &Source) -> bool {
    source.kind == "hf" && source.asset == AssetType::Models
}

fn finish(source: &Source, snapshot: SourceSnapshot, found: Found) -> Loaded {
    let Found { items, problems, notices } = found;
    let skipped = problems.len();
    let shown: Vec<String> = problems.iter().take(20).map(ToString::to_string).collect();
    let shown = shown.join("; ");
    let what = match source.asset {
        AssetType::Models => "model(s)",
        AssetType::McpServers => "MCP server(s)",
    };
    let snapshot = if skipped == 0 {
        SourceSnapshot { status: "available", items: Some(items), ..snapshot }
    } else if items.is_empty() {
        let error = format!("all {what} failed to load from source {}: {shown}", source.id);
        SourceSnapshot { status: "error", error: Some(error), skipped, items: None, ..snapshot }
    } else {
        let error = format!("failed to load {skipped} {what}: {shown}");
        SourceSnapshot { status: "partially-available", error: Some(error), skipped, items: Some(items), ..snapshot }
    };
    Loaded { snapshot, problems, notices }
}

fn read_items(source: &Source, measurements: &Measurements) -> Result<Found, String> {
    match (source.kind.as_str(), source.asset) {
        ("", _) => Err("source has no type defined".to_owned()),
        ("yaml", asset) => read_yaml(source, asset, measurements),
        // What is right about it is read by `hub.rs`.
        ("hf", AssetType::Models) => hub::wanted(source).map(|_| Found::default()),
        (other, AssetType::Models) => Err(format!("catalog type \"{other}\" not registered: use yaml or hf")),
        (other, AssetType::McpServers) => Err(format!("unknown MCP provider type: {other}: use yaml")),
    }
}

fn read_yaml(source: &Source, asset: AssetType, measurements: &Measurements) -> Result<Found, String> {
    let relative = source
        .text_property("yamlCatalogPath")
        .ok_or("missing required property: yamlCatalogPath, the file with what the source publishes")?;
    let path = source.path(relative);
    let included = source.included.clone().unwrap_or_default();
    let mut excluded = source.excluded.clone().unwrap_or_default();
    // An older place for the exclusions of models.
    if let Some(list) = source.properties.get("excludedModels").and_then(serde_json::Value::as_array) {
        excluded.extend(list.iter().filter_map(serde_json::Value::as_str).map(str::to_owned));
    }
    let field = if asset == AssetType::Models { "Models" } else { "Servers" };
    let filter = NameFilter::new(field, &included, &excluded)?;
    let reader = yaml::open(&path).map_err(|problem| format!("failed to read yamlCatalogPath file: {problem}"))?;
    let found = match asset {
        AssetType::Models => models::read(&path, reader, &source.id, &filter, measurements),
        AssetType::McpServers => mcp::read(&path, reader, &source.id, &filter),
    };
    found.map_err(|problem| format!("failed to parse yamlCatalogPath file: {problem}"))
}
