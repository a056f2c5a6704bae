//! A skill as an item of the catalog.

use model_registry_api::CustomProperty;
use model_registry_api::catalog::CatalogKind;
use model_registry_base::hex;
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::settings::Selection;
use super::skill_file::SkillFile;
use crate::custom_properties::check_property_name;
use crate::item_fields::{self, LONGEST_NAME, insert_string};

/// Where a skill was found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Provenance<'a> {
    pub(crate) repository: Option<&'a str>,
    /// Path of its directory.
    pub(crate) path: &'a str,
    pub(crate) version: Option<&'a str>,
    pub(crate) resolved_commit: Option<&'a str>,
}

impl Provenance<'_> {
    /// What identifies a skill in its source.
    pub(crate) fn key(&self) -> String {
        key(&[self.path, self.version.unwrap_or_default(), self.repository.unwrap_or_default()])
    }
}

/// A key of several parts, in the length that the database stores.
pub(crate) fn key(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    let key = parts.join(" ");
    if key.chars().count() <= LONGEST_NAME { key } else { hex(&Sha256::digest(key.as_bytes())) }
}

/// The item of a skill, or why it cannot be published. Metadata that cannot be published is a warning.
pub(crate) fn item(
    skill: SkillFile,
    provenance: Provenance<'_>,
    supporting_files: Vec<String>,
    selection: &Selection,
    source_id: &str,
) -> Result<(CatalogItem, Vec<String>), String> {
    item_fields::check_name(&skill.name)?;
    let mut warnings = skill.warnings;
    let own = selection.overrides.iter().filter(|own| own.name == skill.name);
    let category = own.clone().find_map(|own| own.category.as_ref()).or(selection.category.as_ref());
    let labels = own.clone().find_map(|own| own.labels.as_ref()).unwrap_or(&selection.labels);
    let mut document = Map::new();
    for (field, value) in [
        ("name", Some(skill.name.as_str())),
        ("source_id", Some(source_id)),
        ("description", Some(skill.description.as_str())),
        ("license", skill.license.as_deref()),
        ("compatibility", skill.compatibility.as_deref()),
        ("readme", Some(skill.body.as_str()).filter(|body| !body.is_empty())),
        ("repository", provenance.repository),
        ("path", Some(provenance.path)),
        ("version", provenance.version),
        ("resolvedCommit", provenance.resolved_commit),
        ("trustTier", selection.trust_tier.as_deref()),
        ("provider", selection.provider.as_deref()),
        ("category", category.map(String::as_str)),
    ] {
        insert_string(&mut document, field, value);
    }
    if let Some(tools) = skill.allowed_tools {
        document.insert("allowedTools".to_owned(), tools.into());
    }
    for (field, list) in [("labels", labels.clone()), ("supportingFiles", supporting_files)] {
        if !list.is_empty() {
            document.insert(field.to_owned(), list.into());
        }
    }
    document.insert("bodyLineCount".to_owned(), skill.body_line_count.into());
    let properties = metadata(skill.metadata.unwrap_or_default(), &mut warnings);
    if !properties.is_empty() {
        document.insert("customProperties".to_owned(), properties.into());
    }
    let item = CatalogItem {
        kind: CatalogKind::Skill,
        key: provenance.key(),
        name: Some(skill.name),
        document: Document(document),
        create_time: None,
        update_time: None,
        written: Vec::new(),
        children: Vec::new(),
    };
    Ok((item, warnings))
}

/// The metadata of the front matter as custom properties with its types. Lists and maps are JSON texts.
fn metadata(metadata: Map<String, Value>, warnings: &mut Vec<String>) -> Map<String, Value> {
    let mut properties = Map::new();
    for (name, value) in metadata {
        if let Err(reason) = check_property_name(&name) {
            warnings.push(format!("metadata is published without: {reason}"));
            continue;
        }
        let property = match &value {
            Value::Null => continue,
            Value::String(string) => CustomProperty::String(string).to_json(),
            Value::Bool(bool) => CustomProperty::Bool(*bool).to_json(),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => CustomProperty::Int(integer).to_json(),
                (None, Some(float)) => CustomProperty::Double(float).to_json(),
                (None, None) => CustomProperty::String(&number.to_string()).to_json(),
            },
            Value::Array(_) | Value::Object(_) => CustomProperty::String(&value.to_string()).to_json(),
        };
        properties.insert(name, property);
    }
    properties
}
