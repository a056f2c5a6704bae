//! Models of data files, with their artifacts.
//!
//! An unknown key of a model makes the whole file unusable, as in the Kubeflow Model Registry (parity): it is a typing mistake.
//! An unknown key of its artifacts or properties is ignored with a notice. A model with an invalid value is left out.

mod entry;

use model_registry_api::catalog::CatalogKind;
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde_json::{Map, Value};

use self::entry::{ArtifactEntry, ModelEntry};
use crate::artifact_keys::ArtifactKeys;
use crate::custom_properties;
use crate::item_fields::{self, insert_string};
use crate::item_reader::{EntryReading, ItemReader, Remark, ValidItem};
use crate::license;
use crate::yaml::{Entry, UnknownKeys, Violation};

pub(crate) static READER: ItemReader =
    ItemReader { unknown_keys: UnknownKeys::Rejected, trims_names: false, previews_names_only: false, read };

/// A custom property with the hardware that a model is made for; an empty one counts as absent (parity: the Kubeflow Model
/// Registry drops it).
const HARDWARE_TAG: &str = "hardware_tag";

fn read(entry: Entry<'_>, source_id: &str) -> EntryReading {
    EntryReading::of(entry, |model: ModelEntry| {
        let mut notices = Vec::new();
        let item = item(&model, source_id, &mut notices)?;
        let notices = notices.into_iter().map(|violation| Remark::of(violation, entry)).collect();
        Ok(ValidItem { item, notices })
    })
}

fn item(entry: &ModelEntry, source_id: &str, notices: &mut Vec<Violation>) -> Result<CatalogItem, Violation> {
    let name = entry.name.as_deref().unwrap_or_default();
    item_fields::check_name(name).map_err(|reason| Violation::from(reason).in_key("name"))?;
    let mut document = Map::new();
    document.insert("name".to_owned(), name.into());
    document.insert("source_id".to_owned(), source_id.into());
    for (field, value) in [
        ("description", &entry.description),
        ("externalId", &entry.external_id),
        ("libraryName", &entry.library_name),
        ("licenseLink", &entry.license_link),
        ("logo", &entry.logo),
        ("maturity", &entry.maturity),
        ("provider", &entry.provider),
        ("readme", &entry.readme),
    ] {
        insert_string(&mut document, field, value.as_deref());
    }
    if let Some(license) = entry.license.as_deref().filter(|license| !license.trim().is_empty()) {
        document.insert("license".to_owned(), license::display_name(license).into());
    }
    // parity: the Kubeflow Model Registry sends empty lists, too.
    document.insert("language".to_owned(), entry.language.clone().unwrap_or_default().into());
    document.insert("tasks".to_owned(), entry.tasks.clone().unwrap_or_default().into());
    document.insert("validatedTasks".to_owned(), entry.validated_tasks.clone().unwrap_or_default().into());
    if let Some(serving_config) = &entry.serving_config {
        let wire = serde_json::to_value(serving_config).map_err(|error| error.to_string())?;
        document.insert("servingConfig".to_owned(), wire);
    }
    insert_custom_properties(&mut document, entry, notices)?;
    let mut children = Vec::new();
    let mut keys = ArtifactKeys::default();
    for (index, artifact) in entry.artifacts.iter().flatten().enumerate() {
        let here = |violation: Violation| violation.in_element("artifacts", "artifact", index);
        let artifact = artifact.as_ref().ok_or_else(|| here("is empty".to_owned().into()))?;
        if let Err(violation) = check_metrics_type(artifact) {
            notices.push(here(violation).with_consequence("is published without"));
            continue;
        }
        let mut artifact_notices = Vec::new();
        children.push(artifact_item(artifact, &mut keys, &mut artifact_notices).map_err(here)?);
        notices.extend(artifact_notices.into_iter().map(here));
    }
    Ok(CatalogItem {
        kind: CatalogKind::Model,
        key: name.to_owned(),
        name: Some(name.to_owned()),
        document: Document(document),
        create_time: item_fields::millis("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref())?,
        update_time: item_fields::millis("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref())?,
        children,
    })
}

fn insert_custom_properties(
    document: &mut Map<String, Value>,
    entry: &ModelEntry,
    notices: &mut Vec<Violation>,
) -> Result<(), Violation> {
    let mut properties = custom_properties::encode(entry.custom_properties.as_ref(), notices)?;
    if properties.get(HARDWARE_TAG).is_some_and(|tag| tag["string_value"] == "") {
        properties.remove(HARDWARE_TAG);
    }
    if !properties.is_empty() {
        document.insert("customProperties".to_owned(), properties.into());
    }
    Ok(())
}

fn is_metrics(entry: &ArtifactEntry) -> bool {
    entry.artifact_type.as_deref() == CatalogKind::PerformanceMetrics.spec().artifact_type
}

/// Metrics of an unknown type are left out, and the model is published (parity: the Kubeflow Model Registry does so).
fn check_metrics_type(entry: &ArtifactEntry) -> Result<(), Violation> {
    if !is_metrics(entry) {
        return Ok(());
    }
    match entry.metrics_type.as_deref() {
        Some(known) if CatalogKind::from_metrics_type(known).is_some() => Ok(()),
        other => {
            let reason = format!("unknown metricsType: {}", other.unwrap_or("none"));
            Err(Violation::from(reason).in_key("metricsType"))
        }
    }
}

fn artifact_item(
    entry: &ArtifactEntry,
    keys: &mut ArtifactKeys,
    notices: &mut Vec<Violation>,
) -> Result<CatalogItem, Violation> {
    let in_key = |key: &str, reason: String| Violation::from(reason).in_key(key);
    let mut document = Map::new();
    let artifact_type = entry.artifact_type.as_deref().filter(|artifact_type| !artifact_type.is_empty());
    let (kind, key) = if is_metrics(entry) {
        // Unknown types have been left out.
        let kind = entry.metrics_type.as_deref().and_then(CatalogKind::from_metrics_type);
        let kind = kind.unwrap_or(CatalogKind::AccuracyMetrics);
        insert_string(&mut document, "metricsType", kind.metrics_type());
        (kind, format!("file {}", entry.name.as_deref().unwrap_or_default()))
    } else if artifact_type.is_none() || artifact_type == CatalogKind::ModelArtifact.spec().artifact_type {
        let uri = entry.uri.as_deref().unwrap_or_default();
        item_fields::check_artifact_uri(uri).map_err(|reason| in_key("uri", reason))?;
        document.insert("uri".to_owned(), uri.into());
        (CatalogKind::ModelArtifact, format!("uri {uri}"))
    } else {
        let unknown = artifact_type.unwrap_or_default();
        return Err(in_key("artifactType", format!("unknown artifactType: {unknown}")));
    };
    insert_string(&mut document, "artifactType", kind.spec().artifact_type);
    if let Some(name) = entry.name.as_deref() {
        item_fields::check_name(name).map_err(|reason| in_key("name", reason))?;
    }
    insert_string(&mut document, "name", entry.name.as_deref());
    insert_string(&mut document, "description", entry.description.as_deref());
    insert_string(&mut document, "externalId", entry.external_id.as_deref());
    custom_properties::insert_unless_empty(&mut document, entry.custom_properties.as_ref(), notices)?;
    Ok(CatalogItem {
        kind,
        key: keys.unique(key),
        name: entry.name.clone(),
        document: Document(document),
        create_time: item_fields::millis("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref())?,
        update_time: item_fields::millis("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref())?,
        children: Vec::new(),
    })
}
