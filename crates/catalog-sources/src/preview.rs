//! A source that a client wants to preview: one entry of a sources file, as it was sent.

use std::path::Path;

use model_registry_api::catalog::{AssetType, SourceType};
use model_registry_base::Cancellation;
use serde::Deserialize;

use crate::git;
use crate::hub::HubAccess;
use crate::name_filter::{InvalidPattern, NameFilter};
use crate::problem::Problem;
use crate::skills::{self, SkillSettings};
use crate::yaml::{self, Entry};
use crate::{item_reader, server_lists};

/// The file that problems name.
const FILE: &str = "config";
/// The same for the data file.
const DATA_FILE: &str = "catalogData";
/// The longest entry, in bytes: it is one source.
const LONGEST: usize = 1 << 20;

/// The part of an entry that a preview needs; other keys do not matter.
#[derive(Debug)]
pub struct PreviewConfig {
    pub asset_type: AssetType,
    /// The `type` of the entry.
    pub source_type: String,
    pub included: Vec<String>,
    pub excluded: Vec<String>,
    /// The names that the source would publish.
    pub filter: NameFilter,
    pub hub: PreviewHub,
    /// The settings of a source that is read from repositories; `None` for others.
    repositories: Option<SkillSettings>,
}

/// The `properties` of an entry that is read from a hub.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreviewHub {
    #[serde(default)]
    pub allowed_organization: Option<String>,
    #[serde(default)]
    pub url: Option<String>,
    #[serde(default)]
    pub api_key_env_var: Option<String>,
    #[serde(default)]
    pub max_models: Option<usize>,
}

/// Why an entry cannot be previewed.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    #[error("invalid config: longer than {} KiB, the limit of one source", LONGEST / 1024)]
    TooLong,
    #[error("invalid config: failed to parse config: {0}")]
    Unreadable(#[from] Problem),
    #[error("unsupported asset type `{0}`: use {names}", names = AssetType::names(", "))]
    UnknownAssetType(String),
    #[error("invalid config: missing required field: type")]
    NoType,
    #[error("invalid config: {0}")]
    Pattern(#[from] InvalidPattern),
    #[error("invalid config: {0}")]
    Repositories(Problem),
}

impl PreviewConfig {
    pub fn read(text: &str) -> Result<Self, PreviewError> {
        if text.len() > LONGEST {
            return Err(PreviewError::TooLong);
        }
        let file = Path::new(FILE);
        let node = yaml::document(file, text)?.ok_or(PreviewError::NoType)?;
        let entry = Entry { file, node: &node };
        let failed = |error: yaml::ReadError| entry.problem_at(error.position(), &error);
        entry.check_keys().map_err(failed)?;
        let asset_type = match entry.read_field::<String>("assetType").map_err(failed)? {
            Some(name) if !name.is_empty() => {
                AssetType::from_name(&name).ok_or(PreviewError::UnknownAssetType(name))?
            }
            // parity: models, as in the Kubeflow Model Registry.
            _ => AssetType::default(),
        };
        let source_type = entry.read_field::<String>("type").map_err(failed)?;
        let source_type = source_type.filter(|source_type| !source_type.is_empty()).ok_or(PreviewError::NoType)?;
        let spec = &asset_type.spec().sources;
        let [included, excluded] = match spec.pattern_keys() {
            Some([included, excluded]) => [
                entry.read_field(&included).map_err(failed)?.unwrap_or_default(),
                entry.read_field(&excluded).map_err(failed)?.unwrap_or_default(),
            ],
            None => [Vec::new(), Vec::new()],
        };
        let filter = NameFilter::new(spec.patterns.unwrap_or_default(), &included, &excluded)?;
        if spec.source_type(&source_type) == Some(SourceType::Git) {
            let settings =
                skills::preview_settings(entry, [&included, &excluded]).map_err(PreviewError::Repositories)?;
            let (hub, repositories) = (PreviewHub::default(), Some(settings));
            return Ok(Self { asset_type, source_type, included, excluded, filter, hub, repositories });
        }
        let hub = entry.read_field("properties").map_err(failed)?.unwrap_or_default();
        Ok(Self { asset_type, source_type, included, excluded, filter, hub, repositories: None })
    }

    /// The type of the source; `None` for one that its asset type does not have.
    pub fn known_type(&self) -> Option<SourceType> {
        let source_type = match self.source_type.as_str() {
            // parity: the Kubeflow Model Registry accepts this name in previews.
            "huggingface" => SourceType::Hub.as_str(),
            name => name,
        };
        self.asset_type.spec().sources.source_type(source_type)
    }

    /// Reads the names in a data file that a client sent, in their order; names may repeat. Blocks.
    pub fn read_names(&self, text: &str, work: &Cancellation) -> Result<Vec<String>, Problem> {
        let file = Path::new(DATA_FILE);
        match self.known_type().filter(|known| server_lists::is_server_list(*known)) {
            Some(list) => server_lists::names(list, file, text, work),
            None => item_reader::item_names(self.asset_type, file, text, work),
        }
    }

    /// Reads the names of the skills of its repositories, each with whether it would be published. Blocks.
    pub fn read_repositories(&self, access: &HubAccess, work: &Cancellation) -> Result<Vec<(String, bool)>, String> {
        self.repositories.as_ref().map_or(Ok(Vec::new()), |settings| git::preview(settings, access, work))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_those_of_the_asset_type_and_other_keys_do_not_matter() {
        let text = "assetType: mcp_servers\ntype: yaml\nincludedServers: ['a*']\nincludedModels: [b]\nnote: [1]\n";
        let config = PreviewConfig::read(text).unwrap();
        assert_eq!((config.asset_type, config.included), (AssetType::McpServers, vec!["a*".to_owned()]));
        assert!(config.filter.allows("ab") && !config.filter.allows("b"));
        assert_eq!(PreviewConfig::read("assetType: ''\ntype: yaml").unwrap().asset_type, AssetType::Models);
    }

    #[test]
    fn an_entry_that_cannot_be_previewed_is_refused_with_the_reason() {
        let long = format!("type: yaml\nnote: {}", "x".repeat(LONGEST));
        for (text, reason) in [
            (long.as_str(), "longer than 1024 KiB"),
            ("assetType: MCP_SERVERS\ntype: yaml", "unsupported asset type `MCP_SERVERS`: use models, mcp_servers"),
            ("assetType: agents", "missing required field: type"),
            ("", "missing required field: type"),
            ("type: yaml\nexcludedModels: [a, '']", "excludedModels[1]: pattern cannot be empty"),
            ("type: yaml\nincludedModels: a", "failed to parse config: config:2:17: "),
            ("type: [", "failed to parse config: config:1:"),
        ] {
            let error = PreviewConfig::read(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
