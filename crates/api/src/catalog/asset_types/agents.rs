//! Agents, with their templates: the text of the files that deploy them.

use crate::catalog::asset_type::{
    Address, ApiSpec, AssetType, AssetTypeSpec, ChildList, ItemOrder, ListParameter, ListSpec, OrderSpec, SourceType,
    SourcesSpec,
};
use crate::catalog::catalog_kind::{CatalogField, CatalogKind, CatalogKindSpec, CatalogShape, CatalogTable};

pub(crate) static SPEC: AssetTypeSpec = AssetTypeSpec {
    asset_type: AssetType::Agents,
    name: "agents",
    label: "agent",
    label_plural: "agents",
    command_name: "agents",
    sources: SourcesSpec {
        keys: &["agent_catalogs"],
        label: "agent catalog",
        patterns: None,
        lists_patterns: false,
        accepts_status: false,
        types: &[SourceType::Yaml],
    },
    data_key: "agents",
    item: CatalogKind::Agent,
    api: ApiSpec {
        family: "/api/agent_catalog",
        collection: "agents",
        address: Address::Id { parameter: "id", label: "agent" },
        tag: "AgentCatalogService",
        tag_description: "Agents and their templates.",
        operation: "Agent",
        operation_plural: "Agents",
        schema: "Agent",
        children: &[ChildList {
            kind: CatalogKind::AgentTemplate,
            collection: "artifacts",
            operation: "getAgentArtifacts",
            schema: "AgentArtifactList",
            artifact_type: Some("AgentArtifactTypeQueryParam"),
            is_filtered: false,
            summary: "Lists the templates of an agent.",
        }],
    },
    list: ListSpec {
        parameters: &[ListParameter::NamePattern, ListParameter::Source],
        order: OrderSpec { default: ItemOrder::Id, ignores_case: true, by_property: false, named: &[] },
        publishes_named_queries: true,
        included_children: None,
    },
};

const CARD: &str = "\
    Markdown as its author wrote it. It may contain anything, so viewers have to sanitise it before they show it as HTML.";

pub(crate) static AGENT: CatalogKindSpec = CatalogKindSpec {
    kind: CatalogKind::Agent,
    table: CatalogTable::Item,
    artifact_type: None,
    versioned: false,
    fields: &[
        CatalogField::string("name", "Name, unique in its source.").column().required(),
        CatalogField::string("source_id", "Id of its source.").column().hidden().in_v1("sourceId"),
        CatalogField::new("artifacts", CatalogShape::ObjectList("AgentImageArtifact"), "Images to run it from.")
            .hidden(),
        CatalogField::string("description", "A short description."),
        CatalogField::string("displayName", "Display name."),
        CatalogField::new("env", CatalogShape::ObjectList("AgentEnvVar"), "Environment variables that it needs.")
            .hidden(),
        CatalogField::string("framework", "Framework that it is built with, for example `langgraph`."),
        CatalogField::list("labels", "Labels of the agent, which are not those of its source."),
        CatalogField::string("logo", "URL or path of a logo.").hidden(),
        CatalogField::string("readme", CARD).hidden(),
        CatalogField::uri("repositoryUrl", "URL of its source code.").hidden(),
    ],
    search: &["name", "description", "displayName", "framework"],
    also_hidden: &[],
    children: &[CatalogKind::AgentTemplate],
    filters_children: false,
};

pub(crate) static TEMPLATE: CatalogKindSpec = CatalogKindSpec {
    kind: CatalogKind::AgentTemplate,
    table: CatalogTable::Artifact,
    artifact_type: Some("template-artifact"),
    versioned: false,
    fields: &[
        CatalogField::string("artifactType", "Type of artifact.").required().hidden(),
        CatalogField::string("content", "The text of the file.").required().unfiltered(),
    ],
    search: &[],
    also_hidden: &[],
    children: &[],
    filters_children: false,
};
