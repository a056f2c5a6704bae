use serde::{Deserialize, Serialize};

use super::{Change, CustomProperties, EpochMillis, State};

/// A model, the parent of its versions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisteredModel {
    /// Set by the server; empty before creation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Immutable.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id in an external system; unique within the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    pub custom_properties: CustomProperties,
    /// Owner of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Life cycle state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// A model card in Markdown; viewers have to sanitise it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    /// Maturity, for example `Generally Available`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maturity: Option<String>,
    /// Natural languages the model works in (ISO 639).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Vec<String>>,
    /// Tasks the model is made for, for example `text-generation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<String>>,
    /// Provider of the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// A URL or data URL of a logo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    /// Short name of the licence, for example `apache-2.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    /// Location of the licence's full text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_link: Option<String>,
    /// Library the model is made for, for example `transformers`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library_name: Option<String>,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub create_time_since_epoch: EpochMillis,
    /// Set by the server.
    #[serde(skip_serializing_if = "EpochMillis::is_empty")]
    pub last_update_time_since_epoch: EpochMillis,
}

/// Creation body of [`RegisteredModel`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisteredModelCreate {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    #[serde(skip_serializing_if = "CustomProperties::is_empty")]
    pub custom_properties: CustomProperties,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readme: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maturity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logo: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub license_link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library_name: Option<String>,
}

/// Update body of [`RegisteredModel`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RegisteredModelUpdate {
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub description: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub external_id: Change<String>,
    /// Replaces all custom properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_properties: Option<CustomProperties>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub owner: Change<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub readme: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub maturity: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub language: Change<Vec<String>>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub tasks: Change<Vec<String>>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub provider: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub logo: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub license: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub license_link: Change<String>,
    #[serde(skip_serializing_if = "Change::is_keep")]
    pub library_name: Change<String>,
}
