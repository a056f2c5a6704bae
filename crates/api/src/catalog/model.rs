use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ServingConfig;
use crate::entities::{CustomProperties, EpochMillis};

/// A model; its name is unique within its source.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CatalogModel {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    pub name: String,
    /// Id of its source.
    #[serde(rename = "source_id", skip_serializing_if = "String::is_empty")]
    pub source_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The model card, Markdown of its author: viewers have to sanitise it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maturity: Option<String>,
    /// Natural languages that the model supports (ISO 639).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<String>>,
    /// Tasks that the publisher has tested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validated_tasks: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serving_config: Option<ServingConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// A URL or data URL of a logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Display name of the licence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library_name: Option<String>,
    /// Number of artifacts by `artifactType` or `metricsType`; lists of models have no counts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub artifact_counts: BTreeMap<String, i32>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}
