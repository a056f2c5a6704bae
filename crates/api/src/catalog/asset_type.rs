//! The asset types of the catalog and the declaration of each.

use serde::{Deserialize, Serialize};

use super::asset_types;
use super::catalog_kind::CatalogKind;
use super::version::CatalogVersion;

/// A type of asset that sources publish. The order is that of the sections of a sources file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssetType {
    #[default]
    Models,
    McpServers,
    Agents,
    Skills,
}

/// The declaration of an asset type.
#[derive(Debug)]
pub struct AssetTypeSpec {
    pub asset_type: AssetType,
    /// Value of `assetType` in requests, responses and sources files.
    pub name: &'static str,
    /// Names in messages.
    pub label: &'static str,
    pub label_plural: &'static str,
    /// The value of `catalog search --kind`, and the column `kind` of its result.
    pub command_name: &'static str,
    pub sources: SourcesSpec,
    /// Key of the list of items in a data file of a source of type `yaml`.
    pub data_key: &'static str,
    /// The kind of its items. Artifacts and tools are children of items: see [`super::CatalogKindSpec::children`].
    pub item: CatalogKind,
    pub api: ApiSpec,
    pub list: ListSpec,
}

/// How sources of an asset type are configured.
#[derive(Debug)]
pub struct SourcesSpec {
    /// Keys of its list in a sources file; the first one is current, the others are deprecated and give way to it.
    pub keys: &'static [&'static str],
    /// Name of its section in messages, such as `model catalog`.
    pub label: &'static str,
    /// The end of the keys of both lists of name patterns, such as `Models` of `includedModels`; `None` for no patterns.
    pub patterns: Option<&'static str>,
    /// Whether `/sources` shows the patterns.
    pub lists_patterns: bool,
    /// Whether an entry may have the keys `status` and `error`, which exports of the API have and the server ignores.
    pub accepts_status: bool,
    /// What the property `type` of a source may be.
    pub types: &'static [SourceType],
}

/// Where a source reads from: the values of `type` in a sources file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceType {
    /// A YAML file.
    Yaml,
    /// A hub with the API of Hugging Face.
    Hub,
    /// Files of the MCP registry: `server.json`, or lists of them.
    McpRegistry,
    /// Docker's catalog of MCP servers.
    DockerCatalog,
    /// A directory with files `SKILL.md`.
    Directory,
    /// Git repositories with files `SKILL.md`.
    Git,
}

/// Where an asset type is served, and its names in the OpenAPI document.
#[derive(Debug)]
pub struct ApiSpec {
    /// Path of its API without the version, such as `/api/model_catalog`.
    pub family: &'static str,
    /// Last segment of the path of its list.
    pub collection: &'static str,
    /// How the path of a single item names it.
    pub address: Address,
    pub tag: &'static str,
    pub tag_description: &'static str,
    /// Names in operation ids, such as `Model` in `getModel` and `Models` in `findModels`.
    pub operation: &'static str,
    pub operation_plural: &'static str,
    /// Schema of an item; those of the list and of the responses derive from it.
    pub schema: &'static str,
    /// Lists of the children of a single item. Only items that are addressed by id have them.
    pub children: &'static [ChildList],
}

/// A list of the children of a single item, served below the path of the item.
#[derive(Debug)]
pub struct ChildList {
    pub kind: CatalogKind,
    /// Last segment of its path.
    pub collection: &'static str,
    /// Operation id.
    pub operation: &'static str,
    /// Schema of a page of them; that of the response derives from it.
    pub schema: &'static str,
    /// Schema of the values of the parameter `artifactType`; `None` without the parameter.
    pub artifact_type: Option<&'static str>,
    /// Whether the list has the parameter `filterQuery`.
    pub is_filtered: bool,
    pub summary: &'static str,
}

/// How the path of a single item names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// `/sources/{source_id}/<collection>/{<parameter>}`. Names may contain slashes.
    SourceAndName {
        /// Name of the path parameter with the name, in the OpenAPI document.
        parameter: &'static str,
    },
    /// `/<collection>/{<parameter>}`, a decimal id.
    Id {
        /// Name of the path parameter in the OpenAPI document.
        parameter: &'static str,
        /// Name of an item in messages about its id, such as `server` in `server not found with ID 7`.
        label: &'static str,
    },
}

/// The parameters of the list of an asset type.
#[derive(Debug)]
pub struct ListSpec {
    /// Parameters in addition to those of every list: `q`, `filterQuery`, `sourceLabel` and those of pages.
    pub parameters: &'static [ListParameter],
    pub order: OrderSpec,
    /// Whether the filter options have the named queries for this asset type.
    pub publishes_named_queries: bool,
    /// Children that lists and single items include on request.
    pub included_children: Option<IncludedChildren>,
}

/// A parameter that not every list has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListParameter {
    /// `source`: the ids of sources.
    Source,
    /// `name`: a LIKE pattern.
    NamePattern,
    /// `namedQuery`
    NamedQuery,
    /// `recommendations` and its parameters: ranks the items by their performance metrics.
    Recommendations,
}

/// The values of `orderBy`.
#[derive(Debug)]
pub struct OrderSpec {
    /// Order without `orderBy`.
    pub default: ItemOrder,
    /// Whether `orderBy` and `sortOrder` are read without regard to case.
    pub ignores_case: bool,
    /// Whether a property with its type is an order, such as `artifacts.ttft_p90.double_value`.
    pub by_property: bool,
    /// Further values: each with the double property of artifacts that it stands for.
    pub named: &'static [(&'static str, &'static str)],
}

/// Children that an item includes on request.
#[derive(Debug)]
pub struct IncludedChildren {
    pub kind: CatalogKind,
    /// Field of the item with the children.
    pub field: &'static str,
    /// The parameter that requests them.
    pub parameter: &'static str,
    /// The parameter with the maximum number of children per item; 0 means all.
    pub limit_parameter: &'static str,
}

/// The value of `orderBy` that ranks items by their performance metrics: [`ListParameter::Recommendations`].
pub const RECOMMENDED: &str = "RECOMMENDED";

/// The orders that every list of items has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemOrder {
    Id,
    Name,
    CreateTime,
    LastUpdateTime,
}

impl AssetType {
    pub const ALL: [Self; 4] = [Self::Models, Self::McpServers, Self::Agents, Self::Skills];

    pub const fn spec(self) -> &'static AssetTypeSpec {
        match self {
            Self::Models => &asset_types::models::SPEC,
            Self::McpServers => &asset_types::mcp_servers::SPEC,
            Self::Agents => &asset_types::agents::SPEC,
            Self::Skills => &asset_types::skills::SPEC,
        }
    }

    /// Its name on the wire.
    pub const fn as_str(self) -> &'static str {
        self.spec().name
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|asset_type| asset_type.as_str() == name)
    }

    /// The names of all asset types, for messages that list the valid values.
    pub fn names(separator: &str) -> String {
        Self::ALL.map(Self::as_str).join(separator)
    }
}

impl SourceType {
    pub const ALL: [Self; 6] =
        [Self::Yaml, Self::Hub, Self::McpRegistry, Self::DockerCatalog, Self::Directory, Self::Git];

    /// The value of `type`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Hub => "hf",
            Self::McpRegistry => "mcp-registry",
            Self::DockerCatalog => "docker-mcp-catalog",
            Self::Directory => "directory",
            Self::Git => "git-skills-plugin",
        }
    }
}

impl SourcesSpec {
    /// The source type of a value of `type`, if this asset type can be read from it.
    pub fn source_type(&self, name: &str) -> Option<SourceType> {
        self.types.iter().copied().find(|known| known.as_str() == name)
    }

    /// The keys of the lists of included and excluded name patterns.
    pub fn pattern_keys(&self) -> Option<[String; 2]> {
        self.patterns.map(|names| [format!("included{names}"), format!("excluded{names}")])
    }
}

impl ApiSpec {
    /// The path below which the operations of a version are served.
    pub fn base_path(&self, version: CatalogVersion) -> String {
        format!("{}/{}", self.family, version.as_str())
    }
}

impl ListSpec {
    pub fn has(&self, parameter: ListParameter) -> bool {
        self.parameters.contains(&parameter)
    }
}

impl ItemOrder {
    pub const ALL: [Self; 4] = [Self::Id, Self::Name, Self::CreateTime, Self::LastUpdateTime];

    /// The value of `orderBy`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "ID",
            Self::Name => "NAME",
            Self::CreateTime => "CREATE_TIME",
            Self::LastUpdateTime => "LAST_UPDATE_TIME",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == name)
    }
}

/// The asset type of a source, as a catalog reports it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ReportedAssetType {
    Known(AssetType),
    /// An asset type that this version does not know.
    Other(String),
}

impl ReportedAssetType {
    /// Its name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(asset_type) => asset_type.as_str(),
            Self::Other(name) => name,
        }
    }
}

impl From<AssetType> for ReportedAssetType {
    fn from(asset_type: AssetType) -> Self {
        Self::Known(asset_type)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::{AGENT_CATALOG, MCP_CATALOG, MODEL_CATALOG, SKILL_CATALOG};

    #[test]
    fn every_asset_type_is_declared_under_its_own_name() {
        for asset_type in AssetType::ALL {
            let spec = asset_type.spec();
            assert_eq!(spec.asset_type, asset_type);
            assert_eq!(AssetType::from_name(spec.name), Some(asset_type));
            assert_eq!(serde_json::to_value(asset_type).unwrap(), spec.name);
        }
        assert_eq!(AssetType::from_name("ghosts"), None);
    }

    #[test]
    fn no_two_asset_types_share_a_section_a_path_or_a_kind() {
        let specs = AssetType::ALL.map(AssetType::spec);
        let keys: BTreeSet<&str> = specs.iter().flat_map(|spec| spec.sources.keys).copied().collect();
        assert_eq!(keys.len(), specs.iter().map(|spec| spec.sources.keys.len()).sum::<usize>());
        let paths: BTreeSet<_> = specs.iter().map(|spec| (spec.api.family, spec.api.collection)).collect();
        assert_eq!(paths.len(), specs.len());
        let items: BTreeSet<CatalogKind> = specs.iter().map(|spec| spec.item).collect();
        assert_eq!(items.len(), specs.len());
        let bases = specs.map(|spec| spec.api.base_path(CatalogVersion::default()));
        for base in [MODEL_CATALOG, MCP_CATALOG, AGENT_CATALOG, SKILL_CATALOG] {
            assert!(bases.iter().any(|known| known == base), "{base}");
        }
        let lists = specs.iter().flat_map(|spec| spec.api.children.iter().map(move |list| (spec, list)));
        for (spec, list) in lists {
            assert!(matches!(spec.api.address, Address::Id { .. }), "{}: a list of children", spec.name);
            assert!(spec.item.spec().children.contains(&list.kind), "{}: {:?}", spec.name, list.kind);
            assert_eq!(list.artifact_type.is_some(), list.kind.spec().artifact_type.is_some(), "{:?}", list.kind);
        }
        let children: usize = specs.iter().map(|spec| spec.item.spec().children.len()).sum();
        assert_eq!(items.len() + children, CatalogKind::ALL.len(), "every kind belongs to one asset type");
    }
}
