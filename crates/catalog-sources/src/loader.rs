//! Reads every source and puts what it publishes into the database, all at once.

use model_registry_catalog_store::{CatalogItems, SourceSnapshot};

use crate::configuration::{Configuration, Source, SourcePlaces};
use crate::models::{self, Found};
use crate::pattern::NameFilter;
use crate::performance::Measurements;
use crate::told::Told;
use crate::yaml::{self, Problem};
use crate::{hub, mcp};
use model_registry_api::catalog::AssetType;

/// What one source published, and what was wrong with it.
pub struct Loaded {
    pub snapshot: SourceSnapshot,
    pub problems: Vec<Problem>,
    /// Measurements that were left out; `problems` has them too.
    pub measurements_skipped: usize,
    /// What did no harm.
    pub notices: Vec<Problem>,
}

/// Reads all sources. It blocks: files are read and parsed.
pub fn read_all(configuration: &Configuration, measurements: &Measurements) -> Vec<Loaded> {
    let sources = configuration.sources.values();
    sources.filter_map(|source| read(source, configuration.places.get(&source.id)?, measurements)).collect()
}

/// Why nothing of a source could be read.
struct Failure {
    /// As the source shows it.
    error: String,
    problem: Problem,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self { error: problem.to_string(), problem }
    }
}

/// `None` for sources that are read over the network, at their own pace.
fn read(source: &Source, places: &SourcePlaces, measurements: &Measurements) -> Option<Loaded> {
    let snapshot = SourceSnapshot {
        source_id: source.id.clone(),
        status: "disabled",
        error: None,
        skipped: 0,
        items: Some(CatalogItems::default()),
        kept: Vec::new(),
        is_part: false,
        next_sync: None,
    };
    if !source.enabled && source.broken.is_none() {
        return Some(Loaded { snapshot, problems: Vec::new(), measurements_skipped: 0, notices: Vec::new() });
    }
    if hub::is_read(source) {
        return None;
    }
    Some(match read_items(source, places, measurements) {
        Ok(found) => finish(source, snapshot, found),
        // What was published before stays.
        Err(Failure { error, problem }) => {
            let snapshot = SourceSnapshot { status: "error", error: Some(error), items: None, ..snapshot };
            Loaded { snapshot, problems: vec![problem], measurements_skipped: 0, notices: Vec::new() }
        }
    })
}

fn finish(source: &Source, snapshot: SourceSnapshot, found: Found) -> Loaded {
    let Found { items, problems, measurements, notices } = found;
    let (skipped, measurements_skipped) = (problems.count(), measurements.count());
    let what = match source.asset {
        AssetType::Models => "model(s)",
        AssetType::McpServers => "MCP server(s)",
    };
    let snapshot = if skipped > 0 && items.is_empty() {
        let error = format!("all {what} failed to load from source {}: {}", source.id, problems.first());
        SourceSnapshot { status: "error", error: Some(error), skipped, items: None, ..snapshot }
    } else {
        let mut errors = Vec::new();
        if skipped > 0 {
            errors.push(format!("failed to load {skipped} {what}: {}", problems.first()));
        }
        if measurements_skipped > 0 {
            errors.push(unmeasured(&measurements));
        }
        let status = if errors.is_empty() { "available" } else { "partially-available" };
        let error = Some(errors.join("; ")).filter(|error| !error.is_empty());
        SourceSnapshot { status, error, skipped, items: Some(items), ..snapshot }
    };
    let mut problems = problems.into_problems(&source.id);
    problems.extend(measurements.into_problems(&source.id));
    Loaded { snapshot, problems, measurements_skipped, notices: notices.into_problems(&source.id) }
}

/// What a source shows of measurements that were left out.
pub(crate) fn unmeasured(measurements: &Told) -> String {
    format!("failed to read {} measurement(s): {}", measurements.count(), measurements.first())
}

fn read_items(source: &Source, places: &SourcePlaces, measurements: &Measurements) -> Result<Found, Failure> {
    if let Some(problem) = &source.broken {
        return Err(problem.clone().into());
    }
    let wrong =
        |reason: String| Failure { problem: places.source(format!("source `{}`: {reason}", source.id)), error: reason };
    match (source.kind.as_str(), source.asset) {
        ("", _) => Err(wrong("source has no type defined".to_owned())),
        ("yaml", asset) => read_yaml(source, places, asset, measurements),
        // What is right about it is read by `hub.rs`.
        ("hf", AssetType::Models) => hub::wanted(source).map(|_| Found::default()).map_err(wrong),
        (other, AssetType::Models) => Err(wrong(format!("catalog type \"{other}\" not registered: use yaml or hf"))),
        (other, AssetType::McpServers) => Err(wrong(format!("unknown MCP provider type: {other}: use yaml"))),
    }
}

fn read_yaml(
    source: &Source,
    places: &SourcePlaces,
    asset: AssetType,
    measurements: &Measurements,
) -> Result<Found, Failure> {
    const PATH: &str = "yamlCatalogPath";
    let wrong = |reason: String| {
        let problem = places.property(&source.origin, PATH, format!("source `{}`: {reason}", source.id));
        Failure { problem, error: reason }
    };
    let relative = source
        .text_property(PATH)
        .ok_or_else(|| wrong(format!("missing required property: {PATH}, the file with what the source publishes")))?;
    let path = source.path(relative);
    let included = source.included.clone().unwrap_or_default();
    let mut excluded = source.excluded.clone().unwrap_or_default();
    // An older place for the exclusions of models.
    if let Some(list) = source.properties.get("excludedModels").and_then(serde_json::Value::as_array) {
        excluded.extend(list.iter().filter_map(serde_json::Value::as_str).map(str::to_owned));
    }
    let field = if asset == AssetType::Models { "Models" } else { "Servers" };
    let filter = NameFilter::new(field, &included, &excluded).map_err(|empty| wrong(empty.to_string()))?;
    let reader = yaml::open(&path).map_err(|problem| wrong(format!("failed to read {PATH} file: {problem}")))?;
    let found = match asset {
        AssetType::Models => models::read(&path, reader, &source.id, &filter, measurements),
        AssetType::McpServers => mcp::read(&path, reader, &source.id, &filter),
    };
    found.map_err(|problem| Failure { error: format!("failed to parse {PATH} file: {problem}"), problem })
}
