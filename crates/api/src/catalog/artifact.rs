use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::entities::{CustomProperties, EpochMillis};

/// An artifact of a model; `artifactType` is the discriminator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "artifactType")]
pub enum CatalogArtifact {
    #[serde(rename = "model-artifact")]
    Model(Box<CatalogModelArtifact>),
    #[serde(rename = "metrics-artifact")]
    Metrics(Box<CatalogMetricsArtifact>),
    /// An artifact of a type that this version does not know, unchanged.
    #[serde(untagged)]
    Other(Map<String, Value>),
}

/// The location of a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CatalogModelArtifact {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// Metrics of a model, in custom properties.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CatalogMetricsArtifact {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub metrics_type: MetricsType,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// The type of metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricsType {
    #[default]
    PerformanceMetrics,
    AccuracyMetrics,
    SecurityMetrics,
    /// A type that this version does not know.
    #[serde(untagged)]
    Other(String),
}
