//! Skills of a YAML list, with the fields that the API has.

use model_registry_api::catalog::{CatalogKind, SKILL_TRUST_TIERS};
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Map;

use super::item;
use crate::custom_properties::{self, CustomProperties};
use crate::item_fields::{self, insert_string};
use crate::item_reader::{EntryPreview, EntryReading, ItemReader, Remark, ValidItem};
use crate::yaml::{Entry, Violation};

pub(crate) static READER: ItemReader = ItemReader {
    trims_names: true,
    has_unique_external_ids: false,
    preview: EntryPreview::Validated { refuses: |_| false },
    read,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SkillEntry {
    name: Option<String>,
    external_id: Option<String>,
    description: Option<String>,
    license: Option<String>,
    compatibility: Option<String>,
    allowed_tools: Option<Vec<String>>,
    readme: Option<String>,
    repository: Option<String>,
    path: Option<String>,
    version: Option<String>,
    resolved_commit: Option<String>,
    trust_tier: Option<String>,
    provider: Option<String>,
    category: Option<String>,
    labels: Option<Vec<String>>,
    supporting_files: Option<Vec<String>>,
    body_line_count: Option<i32>,
    custom_properties: Option<CustomProperties>,
    create_time_since_epoch: Option<String>,
    last_update_time_since_epoch: Option<String>,
    // Exports of the API have these; the server assigns them.
    #[serde(rename = "id")]
    _id: Option<IgnoredAny>,
    #[serde(rename = "source_id", alias = "sourceId")]
    _source_id: Option<IgnoredAny>,
}

fn read(entry: Entry<'_>, source_id: &str) -> EntryReading {
    EntryReading::of(entry, |skill: SkillEntry| {
        let mut notices = Vec::new();
        let item = item(&skill, source_id, &mut notices)?;
        let notices = notices.into_iter().map(|violation| Remark::of(violation, entry)).collect();
        Ok(ValidItem { item, notices })
    })
}

fn item(entry: &SkillEntry, source_id: &str, notices: &mut Vec<Violation>) -> Result<CatalogItem, Violation> {
    let name = entry.name.as_deref().unwrap_or_default().trim();
    item_fields::check_name(name).map_err(|reason| Violation::from(reason).in_key("name"))?;
    let trust_tier = entry.trust_tier.as_deref().filter(|tier| !tier.is_empty());
    let known_tier = trust_tier.filter(|tier| SKILL_TRUST_TIERS.contains(tier));
    if let (Some(tier), None) = (trust_tier, known_tier) {
        let reason =
            format!("has the unknown trustTier `{tier}`, which is left out: use {}", SKILL_TRUST_TIERS.join(", "));
        notices.push(Violation::from(reason).in_key("trustTier"));
    }
    let version = entry.version.as_deref().filter(|version| !version.is_empty());
    let mut document = Map::new();
    for (field, value) in [
        ("name", Some(name)),
        ("source_id", Some(source_id)),
        ("externalId", entry.external_id.as_deref()),
        ("description", entry.description.as_deref()),
        ("license", entry.license.as_deref()),
        ("compatibility", entry.compatibility.as_deref()),
        ("readme", entry.readme.as_deref()),
        ("repository", entry.repository.as_deref()),
        ("path", entry.path.as_deref()),
        ("version", version),
        ("resolvedCommit", entry.resolved_commit.as_deref()),
        ("trustTier", known_tier),
        ("provider", entry.provider.as_deref()),
        ("category", entry.category.as_deref()),
    ] {
        insert_string(&mut document, field, value.filter(|value| !value.is_empty()));
    }
    if let Some(tools) = &entry.allowed_tools {
        document.insert("allowedTools".to_owned(), tools.clone().into());
    }
    for (field, list) in [("labels", &entry.labels), ("supportingFiles", &entry.supporting_files)] {
        if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
            document.insert(field.to_owned(), list.clone().into());
        }
    }
    if let Some(lines) = entry.body_line_count {
        document.insert("bodyLineCount".to_owned(), lines.into());
    }
    custom_properties::insert_unless_empty(&mut document, entry.custom_properties.as_ref(), notices);
    Ok(CatalogItem {
        kind: CatalogKind::Skill,
        key: item::key(&[name, version.unwrap_or_default()]),
        name: Some(name.to_owned()),
        document: Document(document),
        create_time: item_fields::millis("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref())?,
        update_time: item_fields::millis("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref())?,
        written: Vec::new(),
        children: Vec::new(),
    })
}
