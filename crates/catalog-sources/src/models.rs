//! Models of data files, with their artifacts.
//!
//! A model with an invalid value is left out; an artifact that cannot be read or is of an unknown type, and a custom property with
//! an invalid value, are left out alone.

mod entry;

use model_registry_api::catalog::CatalogKind;
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde_json::{Map, Value};

use self::entry::{ArtifactEntry, ModelEntry};
use crate::artifact_keys::ArtifactKeys;
use crate::custom_properties;
use crate::item_fields::{self, insert_string};
use crate::item_reader::{EntryPreview, EntryReading, ItemReader, Remark, ValidItem};
use crate::license;
use crate::yaml::{Entry, StringList, Tolerant, Violation};

pub(crate) static READER: ItemReader = ItemReader {
    trims_names: false,
    has_unique_external_ids: false,
    // parity: a preview of models is strict, so that a typing mistake is noticed before the source is configured. Artifacts
    // and custom properties may have more keys.
    preview: EntryPreview::Validated { refuses: |key| key.is_own || key.key().starts_with("servingConfig.") },
    read,
};

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
    let licenses = entry.license.as_ref().map(|list| list.0.as_slice()).unwrap_or_default();
    insert_string(&mut document, "license", license::shown(licenses, entry.license_name.as_deref()).as_deref());
    // parity: the Kubeflow Model Registry sends empty lists, too.
    let list = |list: &Option<StringList>| list.clone().unwrap_or_default().0;
    document.insert("language".to_owned(), list(&entry.language).into());
    document.insert("tasks".to_owned(), list(&entry.tasks).into());
    document.insert("validatedTasks".to_owned(), list(&entry.validated_tasks).into());
    match &entry.serving_config {
        None => {}
        Some(Tolerant(Ok(serving_config))) => {
            let wire = serde_json::to_value(serving_config).map_err(|error| error.to_string())?;
            document.insert("servingConfig".to_owned(), wire);
        }
        Some(Tolerant(Err(reason))) => {
            let reason = format!("is published without servingConfig: {reason}");
            notices.push(Violation::from(reason).in_key("servingConfig"));
        }
    }
    insert_custom_properties(&mut document, entry, notices);
    let mut children = Vec::new();
    let mut keys = ArtifactKeys::default();
    for (index, Tolerant(artifact)) in entry.artifacts.iter().flatten().enumerate() {
        let here = |violation: Violation| violation.in_element("artifacts", "artifact", index);
        let unknown = match artifact {
            Ok(artifact) => unknown_type(artifact),
            Err(reason) => Some(reason.clone().into()),
        };
        if let Some(violation) = unknown {
            notices.push(here(violation).with_consequence("is published without"));
            continue;
        }
        let Ok(artifact) = artifact else { continue };
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
        written: Vec::new(),
        children,
    })
}

fn insert_custom_properties(document: &mut Map<String, Value>, entry: &ModelEntry, notices: &mut Vec<Violation>) {
    let mut properties = custom_properties::encode(entry.custom_properties.as_ref(), notices);
    if properties.get(HARDWARE_TAG).is_some_and(|tag| tag["string_value"] == "") {
        properties.remove(HARDWARE_TAG);
    }
    if !properties.is_empty() {
        document.insert("customProperties".to_owned(), properties.into());
    }
}

fn is_metrics(entry: &ArtifactEntry) -> bool {
    entry.artifact_type.as_deref() == CatalogKind::PerformanceMetrics.spec().artifact_type
}

/// What an artifact of a type that this version does not know is left out for. A newer publisher may have it.
fn unknown_type(entry: &ArtifactEntry) -> Option<Violation> {
    let unknown = |key: &str, word: &str| Some(Violation::from(format!("unknown {key}: {word}")).in_key(key));
    if is_metrics(entry) {
        return match entry.metrics_type.as_deref() {
            Some(known) if CatalogKind::from_metrics_type(known).is_some() => None,
            other => unknown("metricsType", other.unwrap_or("none")),
        };
    }
    let artifact_type = entry.artifact_type.as_deref().filter(|artifact_type| !artifact_type.is_empty())?;
    let is_known = Some(artifact_type) == CatalogKind::ModelArtifact.spec().artifact_type;
    if is_known { None } else { unknown("artifactType", artifact_type) }
}

fn artifact_item(
    entry: &ArtifactEntry,
    keys: &mut ArtifactKeys,
    notices: &mut Vec<Violation>,
) -> Result<CatalogItem, Violation> {
    let in_key = |key: &str, reason: String| Violation::from(reason).in_key(key);
    let mut document = Map::new();
    let (kind, key) = if is_metrics(entry) {
        // Unknown types have been left out.
        let kind = entry.metrics_type.as_deref().and_then(CatalogKind::from_metrics_type);
        let kind = kind.unwrap_or(CatalogKind::AccuracyMetrics);
        insert_string(&mut document, "metricsType", kind.metrics_type());
        (kind, format!("file {}", entry.name.as_deref().unwrap_or_default()))
    } else {
        let uri = entry.uri.as_deref().unwrap_or_default();
        item_fields::check_artifact_uri(uri).map_err(|reason| in_key("uri", reason))?;
        document.insert("uri".to_owned(), uri.into());
        (CatalogKind::ModelArtifact, format!("uri {uri}"))
    };
    insert_string(&mut document, "artifactType", kind.spec().artifact_type);
    if let Some(name) = entry.name.as_deref() {
        item_fields::check_name(name).map_err(|reason| in_key("name", reason))?;
    }
    insert_string(&mut document, "name", entry.name.as_deref());
    insert_string(&mut document, "description", entry.description.as_deref());
    insert_string(&mut document, "externalId", entry.external_id.as_deref());
    custom_properties::insert_unless_empty(&mut document, entry.custom_properties.as_ref(), notices);
    Ok(CatalogItem {
        kind,
        key: keys.unique(key),
        name: entry.name.clone(),
        document: Document(document),
        create_time: item_fields::millis("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref())?,
        update_time: item_fields::millis("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref())?,
        written: Vec::new(),
        children: Vec::new(),
    })
}
