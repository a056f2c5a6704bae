//! Agents of data files, with their templates.
//!
//! An unknown key is ignored with a notice. A mistake in an optional part (an image, a template, a time) costs only that part;
//! an agent with a value of the wrong type or an invalid name is left out.

mod entry;

use model_registry_api::catalog::CatalogKind;
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde_json::{Map, Value, json};

use self::entry::{AgentEntry, TemplateEntry};
use crate::custom_properties;
use crate::item_fields::{self, insert_string};
use crate::item_reader::{EntryPreview, EntryReading, ItemReader, Remark, ValidItem};
use crate::yaml::{Entry, Violation};

pub(crate) static READER: ItemReader = ItemReader {
    trims_names: false,
    has_unique_external_ids: true,
    preview: EntryPreview::Validated { refuses: |_| false },
    read,
};

/// The name of a template without one.
const DEFAULT_TEMPLATE: &str = "agent.yaml";

fn read(entry: Entry<'_>, source_id: &str) -> EntryReading {
    EntryReading::of(entry, |agent: AgentEntry| {
        let mut notices = Vec::new();
        let item = item(&agent, source_id, &mut notices)?;
        let notices = notices.into_iter().map(|violation| Remark::of(violation, entry)).collect();
        Ok(ValidItem { item, notices })
    })
}

fn item(entry: &AgentEntry, source_id: &str, notices: &mut Vec<Violation>) -> Result<CatalogItem, Violation> {
    let name = entry.name.as_deref().unwrap_or_default();
    item_fields::check_name(name).map_err(|reason| Violation::from(reason).in_key("name"))?;
    let mut document = Map::new();
    document.insert("name".to_owned(), name.into());
    document.insert("source_id".to_owned(), source_id.into());
    // parity: an empty string is published, as in the Kubeflow Model Registry.
    for (field, value) in [
        ("description", &entry.description),
        ("displayName", &entry.display_name),
        ("externalId", &entry.external_id),
        ("framework", &entry.framework),
        ("logo", &entry.logo),
        ("readme", &entry.readme),
        ("repositoryUrl", &entry.repository_url),
    ] {
        insert_string(&mut document, field, value.as_deref());
    }
    let labels = entry.labels.iter().flatten().map(|label| label.as_str().into()).collect();
    for (field, list) in [("artifacts", images(entry, notices)), ("env", variables(entry)?), ("labels", labels)] {
        if !list.is_empty() {
            document.insert(field.to_owned(), list.into());
        }
    }
    custom_properties::insert_unless_empty(&mut document, entry.custom_properties.as_ref(), notices);
    Ok(CatalogItem {
        kind: CatalogKind::Agent,
        key: name.to_owned(),
        name: Some(name.to_owned()),
        document: Document(document),
        create_time: time("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref(), notices),
        update_time: time("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref(), notices),
        written: Vec::new(),
        children: templates(entry, notices),
    })
}

/// A time that cannot be read is like none.
fn time(field: &str, text: Option<&str>, notices: &mut Vec<Violation>) -> Option<i64> {
    item_fields::millis(field, text).unwrap_or_else(|violation| {
        notices.push(violation.with_consequence("is published with the time of the load:"));
        None
    })
}

/// The images. parity: one whose URI has no known scheme is published, as in the Kubeflow Model Registry, and reported.
fn images(entry: &AgentEntry, notices: &mut Vec<Violation>) -> Vec<Value> {
    let mut images = Vec::new();
    for (index, image) in entry.artifacts.iter().flatten().enumerate() {
        let here = |violation: Violation| violation.in_element("artifacts", "artifact", index);
        let Some(uri) = image.as_ref().and_then(|image| image.uri.as_deref()).filter(|uri| !uri.trim().is_empty())
        else {
            let violation = Violation::from("has no URI".to_owned());
            notices.push(here(violation).with_consequence("is published without"));
            continue;
        };
        if let Err(reason) = item_fields::check_artifact_uri(uri) {
            notices.push(here(Violation::from(reason).in_key("uri")).with_consequence("has"));
        }
        images.push(json!({"artifactType": "image-artifact", "uri": uri}));
    }
    images
}

/// The environment variables. An agent without one that it needs would not run, so a mistake is not ignored.
fn variables(entry: &AgentEntry) -> Result<Vec<Value>, Violation> {
    let mut variables = Vec::new();
    for (index, variable) in entry.env.iter().flatten().enumerate() {
        let here = |reason: &str| Violation::from(reason.to_owned()).in_element("env", "environment variable", index);
        let variable = variable.as_ref().ok_or_else(|| here("is empty"))?;
        let name = variable.name.as_deref().filter(|name| !name.is_empty()).ok_or_else(|| here("has no name"))?;
        variables.push(json!({"name": name, "required": variable.required.unwrap_or(false)}));
    }
    Ok(variables)
}

/// The templates. parity: of two with one name, the last wins, as in the Kubeflow Model Registry.
fn templates(entry: &AgentEntry, notices: &mut Vec<Violation>) -> Vec<CatalogItem> {
    let mut templates: Vec<CatalogItem> = Vec::new();
    for (index, template) in entry.templates.iter().flatten().enumerate() {
        let here = |violation: Violation| violation.in_element("templates", "template", index);
        let Some(written) = template else {
            notices.push(here("is empty".to_owned().into()).with_consequence("is published without"));
            continue;
        };
        match template_item(written) {
            Ok(template) => {
                if let Some(place) = templates.iter().position(|other| other.key == template.key) {
                    let earlier = templates.remove(place);
                    let reason = format!("replaces an earlier one with the name `{}`", earlier.key);
                    notices.push(here(reason.into()).with_consequence("has"));
                }
                templates.push(template);
            }
            Err(violation) => notices.push(here(violation).with_consequence("is published without")),
        }
    }
    templates
}

fn template_item(entry: &TemplateEntry) -> Result<CatalogItem, Violation> {
    let name = entry.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(DEFAULT_TEMPLATE);
    item_fields::check_name(name).map_err(|reason| Violation::from(reason).in_key("name"))?;
    let kind = CatalogKind::AgentTemplate;
    let mut document = Map::new();
    insert_string(&mut document, "artifactType", kind.spec().artifact_type);
    document.insert("content".to_owned(), entry.content.as_deref().unwrap_or_default().into());
    document.insert("name".to_owned(), name.into());
    Ok(CatalogItem {
        kind,
        key: name.to_owned(),
        name: Some(name.to_owned()),
        document: Document(document),
        create_time: None,
        update_time: None,
        written: Vec::new(),
        children: Vec::new(),
    })
}
