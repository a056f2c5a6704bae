//! Model files: YAML → the items that a source publishes.
//!
//! A key that no model has makes the whole file unusable (parity, catalog-service 3.9): it is a typing mistake, and what
//! the author meant is unknown. One within a model's artifacts or properties does nothing, and is told. A model that cannot
//! be read or breaks a rule is left out alone.

use std::collections::HashMap;
use std::fmt::Display;
use std::io::Read;
use std::path::Path;

use model_registry_catalog_store::{CatalogItem, CatalogItems, CatalogKind};
use model_registry_store::Document;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::license;
use crate::pattern::NameFilter;
use crate::performance::Measurements;
use crate::told::Told;
use crate::values::{self, Properties, put};
use crate::yaml::{Breach, DOES_NOTHING, Entry, ListFile, MostText, Problem, UnknownKey, UnknownKeys};

/// What a file gave.
#[derive(Debug, Default)]
pub struct Found {
    pub items: CatalogItems,
    /// One for each item left out.
    pub problems: Told,
    /// One for each measurement left out.
    pub measurements: Told,
    /// What is worth telling, although nothing was left out for it.
    pub notices: Told,
}

const METRICS: &str = "metrics-artifact";
const PERFORMANCE: &str = "performance-metrics";
const ACCURACY: &str = "accuracy-metrics";

const MODEL_FILE: ListFile =
    ListFile { list: "models", keys: &["source", "models"], unknown_keys: UnknownKeys::Refused };

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelEntry {
    name: Option<String>,
    external_id: Option<String>,
    description: Option<String>,
    readme: Option<String>,
    maturity: Option<String>,
    language: Option<Vec<String>>,
    tasks: Option<Vec<String>>,
    provider: Option<String>,
    logo: Option<String>,
    license: Option<String>,
    license_link: Option<String>,
    library_name: Option<String>,
    custom_properties: Option<Properties>,
    artifacts: Option<Vec<Option<ArtifactEntry>>>,
    create_time_since_epoch: Option<String>,
    last_update_time_since_epoch: Option<String>,
    // Accepted, since exports of the API have them; this server decides both.
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "source_id")]
    _source_id: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ArtifactEntry {
    artifact_type: Option<String>,
    metrics_type: Option<String>,
    uri: Option<String>,
    name: Option<String>,
    description: Option<String>,
    external_id: Option<String>,
    custom_properties: Option<Properties>,
    create_time_since_epoch: Option<String>,
    last_update_time_since_epoch: Option<String>,
    // As above.
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
}

/// The names in a model file that a client sent, in their order.
pub fn names(file: &Path, text: &str) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    MODEL_FILE.read(file, text.as_bytes(), MostText::OfRequest, |entry| {
        let (model, unknown) = entry.read::<ModelEntry>();
        refuse_own(entry, &unknown)?;
        let model = model.map_err(|mistake| entry.problem_at(mistake.place(), &mistake))?;
        names.push(model.name.unwrap_or_default());
        Ok(())
    })?;
    Ok(names)
}

fn refuse_own(entry: Entry<'_>, unknown: &[UnknownKey]) -> Result<(), Problem> {
    match unknown.iter().find(|key| key.is_own) {
        Some(key) => Err(entry.problem_at(Some(key.place), key)),
        None => Ok(()),
    }
}

/// Reads a model file for a source.
pub(crate) fn read(
    file: &Path,
    reader: impl Read,
    source_id: &str,
    filter: &NameFilter,
    measurements: &Measurements,
) -> Result<Found, Problem> {
    let mut found = Found::default();
    let mut lines: HashMap<String, usize> = HashMap::new();
    MODEL_FILE.read(file, reader, MostText::OfSource, |entry| {
        let (model, unknown) = entry.read::<ModelEntry>();
        refuse_own(entry, &unknown)?;
        let name = entry.get("name").and_then(|name| name.node.text()).unwrap_or_default();
        let about = |reason: &dyn Display| format!("model \"{name}\" {reason}");
        // What is not published may be as it likes.
        if !name.is_empty() && !filter.allows(name) {
            return Ok(());
        }
        let model = match model {
            Ok(model) => model,
            Err(mistake) => {
                let reason = about(&format_args!("is left out: {mistake}"));
                found.problems.push(entry.problem_at(mistake.place(), reason));
                return Ok(());
            }
        };
        if let Err(reason) = values::check_name(name) {
            found.problems.push(entry.problem(about(&reason)));
            return Ok(());
        }
        if let Some(first) = lines.get(name) {
            let reason = format!("is there already, in line {first}: this one is left out");
            found.problems.push(entry.problem(about(&reason)));
            return Ok(());
        }
        lines.insert(name.to_owned(), entry.node.place.line);
        match item(model, name, source_id) {
            Ok((mut item, notices)) => {
                measurements.attach(name, &mut item, &mut found);
                found.items.push(&item);
                let told = unknown.iter().map(|key| {
                    entry.problem_at(Some(key.place), about(&format_args!("has the {}", key.with(DOES_NOTHING))))
                });
                found.notices.extend(told);
                let told = notices.iter();
                let told = told.map(|breach| entry.problem_at(Some(breach.place(entry)), about(&breach.reason)));
                found.notices.extend(told);
            }
            Err(breach) => {
                found.problems.push(entry.problem_at(Some(breach.place(entry)), about(&breach.reason)));
            }
        }
        Ok(())
    })?;
    Ok(found)
}

/// The model, and what is worth telling of it.
fn item(entry: ModelEntry, name: &str, source_id: &str) -> Result<(CatalogItem, Vec<Breach>), Breach> {
    let mut document = Map::new();
    document.insert("name".to_owned(), name.into());
    document.insert("source_id".to_owned(), source_id.into());
    let texts = [
        ("description", entry.description),
        ("externalId", entry.external_id),
        ("libraryName", entry.library_name),
        ("licenseLink", entry.license_link),
        ("logo", entry.logo),
        ("maturity", entry.maturity),
        ("provider", entry.provider),
        ("readme", entry.readme),
    ];
    for (field, text) in texts {
        if let Some(text) = text {
            document.insert(field.to_owned(), text.into());
        }
    }
    if let Some(license) = entry.license.as_deref().filter(|license| !license.trim().is_empty()) {
        document.insert("license".to_owned(), license::readable(license).into());
    }
    // parity (catalog-service 1.3): an empty list is sent, too.
    document.insert("language".to_owned(), entry.language.unwrap_or_default().into());
    document.insert("tasks".to_owned(), entry.tasks.unwrap_or_default().into());
    let (mut children, mut notices) = (Vec::new(), Vec::new());
    set_custom_properties(&mut document, entry.custom_properties.as_ref(), &mut notices)?;
    let mut keys = Keys::default();
    for (index, artifact) in entry.artifacts.iter().flatten().enumerate() {
        let here = |breach: Breach| breach.in_element("artifacts", "artifact", index);
        let artifact = artifact.as_ref().ok_or_else(|| here("is empty".to_owned().into()))?;
        if let Err(breach) = check_metrics_type(artifact) {
            notices.push(here(breach).so_that("is published without"));
            continue;
        }
        let mut told = Vec::new();
        children.push(artifact_item(artifact, &mut keys, &mut told).map_err(here)?);
        notices.extend(told.into_iter().map(here));
    }
    let item = CatalogItem {
        kind: CatalogKind::Model,
        key: name.to_owned(),
        name: Some(name.to_owned()),
        document: Document(document),
        create_time: values::millis("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref())?,
        update_time: values::millis("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref())?,
        children,
    };
    Ok((item, notices))
}

/// Metrics of an unknown type are left out alone (parity, catalog-service 3.9).
fn check_metrics_type(entry: &ArtifactEntry) -> Result<(), Breach> {
    if entry.artifact_type.as_deref() != Some(METRICS) {
        return Ok(());
    }
    match entry.metrics_type.as_deref() {
        Some(PERFORMANCE | ACCURACY) => Ok(()),
        other => Err(Breach::from(format!("unknown metricsType: {}", other.unwrap_or("none"))).in_key("metricsType")),
    }
}

fn set_custom_properties(
    document: &mut Map<String, Value>,
    properties: Option<&Properties>,
    notices: &mut Vec<Breach>,
) -> Result<(), Breach> {
    let custom = properties.map(|properties| values::custom_properties(properties, notices));
    let custom = custom.transpose()?.unwrap_or_default();
    if !custom.is_empty() {
        document.insert("customProperties".to_owned(), custom.into());
    }
    Ok(())
}

fn artifact_item(entry: &ArtifactEntry, keys: &mut Keys, notices: &mut Vec<Breach>) -> Result<CatalogItem, Breach> {
    let wrong = |key: &str, reason: String| Breach::from(reason).in_key(key);
    let mut document = Map::new();
    let (kind, key) = match entry.artifact_type.as_deref() {
        None | Some("" | "model-artifact") => {
            let uri = entry.uri.as_deref().unwrap_or_default();
            values::check_artifact_uri(uri).map_err(|reason| wrong("uri", reason))?;
            document.insert("uri".to_owned(), uri.into());
            (CatalogKind::ModelArtifact, format!("uri {uri}"))
        }
        Some(METRICS) => {
            let (kind, name) = match entry.metrics_type.as_deref() {
                Some(PERFORMANCE) => (CatalogKind::PerformanceMetrics, PERFORMANCE),
                // Others have been left out.
                _ => (CatalogKind::AccuracyMetrics, ACCURACY),
            };
            document.insert("metricsType".to_owned(), name.into());
            (kind, format!("file {}", entry.name.as_deref().unwrap_or_default()))
        }
        Some(other) => return Err(wrong("artifactType", format!("unknown artifactType: {other}"))),
    };
    document.insert("artifactType".to_owned(), artifact_type(kind).into());
    if let Some(name) = entry.name.as_deref() {
        values::check_name(name).map_err(|reason| wrong("name", reason))?;
    }
    put(&mut document, "name", entry.name.as_deref());
    put(&mut document, "description", entry.description.as_deref());
    put(&mut document, "externalId", entry.external_id.as_deref());
    set_custom_properties(&mut document, entry.custom_properties.as_ref(), notices)?;
    Ok(CatalogItem {
        kind,
        key: keys.unique(key),
        name: entry.name.clone(),
        document: Document(document),
        create_time: values::millis("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref())?,
        update_time: values::millis("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref())?,
        children: Vec::new(),
    })
}

pub(crate) fn artifact_type(kind: CatalogKind) -> &'static str {
    if kind == CatalogKind::ModelArtifact { "model-artifact" } else { METRICS }
}

/// Keys of the artifacts of one model: short, and with a number where two would be alike.
#[derive(Default)]
pub(crate) struct Keys(HashMap<String, usize>);

impl Keys {
    pub(crate) fn unique(&mut self, wanted: String) -> String {
        use sha2::{Digest, Sha256};
        let short = if wanted.len() <= 200 {
            wanted
        } else {
            Sha256::digest(wanted.as_bytes())
                .iter()
                .take(16)
                .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
        };
        let count = self.0.entry(short.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { short } else { format!("{short} #{count}") }
    }
}
