//! MCP servers, with their tools.

use crate::catalog::asset_type::{
    Address, ApiSpec, AssetType, AssetTypeSpec, ChildList, IncludedChildren, ItemOrder, ListParameter, ListSpec,
    OrderSpec, SourceType, SourcesSpec,
};
use crate::catalog::catalog_kind::{CatalogField, CatalogKind, CatalogKindSpec, CatalogShape, CatalogTable};

/// Members of `transports`.
pub const TRANSPORTS: &[&str] = &["stdio", "http", "sse"];
/// Values of `deploymentMode`.
pub const DEPLOYMENT_MODES: &[&str] = &["local", "remote"];
/// Values of `accessType` of a tool. The last one permits most: it is that of a tool whose publisher does not say.
pub const ACCESS_TYPES: &[&str] = &["read_only", "read_write", "execute"];

/// Longest `displayName`, in characters.
pub const LONGEST_DISPLAY_NAME: u32 = 255;

pub(crate) static SPEC: AssetTypeSpec = AssetTypeSpec {
    asset_type: AssetType::McpServers,
    name: "mcp_servers",
    label: "MCP server",
    label_plural: "MCP servers",
    command_name: "servers",
    sources: SourcesSpec {
        keys: &["mcp_catalogs"],
        label: "MCP catalog",
        patterns: Some("Servers"),
        // parity: the Kubeflow Model Registry shows the patterns of model sources only.
        lists_patterns: false,
        accepts_status: false,
        types: &[SourceType::Yaml, SourceType::McpRegistry, SourceType::DockerCatalog],
    },
    data_key: "mcp_servers",
    item: CatalogKind::McpServer,
    api: ApiSpec {
        family: "/api/mcp_catalog",
        collection: "mcp_servers",
        address: Address::Id { parameter: "server_id", label: "server" },
        tag: "MCPCatalogService",
        tag_description: "MCP servers and their tools.",
        operation: "MCPServer",
        operation_plural: "MCPServers",
        schema: "MCPServer",
        children: &[ChildList {
            kind: CatalogKind::McpTool,
            collection: "tools",
            operation: "findMCPServerTools",
            schema: "MCPToolsList",
            artifact_type: None,
            is_filtered: true,
            summary: "Lists the tools of an MCP server.",
        }],
    },
    list: ListSpec {
        parameters: &[ListParameter::NamePattern, ListParameter::NamedQuery],
        order: OrderSpec { default: ItemOrder::Id, ignores_case: true, by_property: false, named: &[] },
        publishes_named_queries: true,
        included_children: Some(IncludedChildren {
            kind: CatalogKind::McpTool,
            field: "tools",
            parameter: "includeTools",
            limit_parameter: "toolLimit",
        }),
    },
};

const CARD: &str = "\
    Markdown as its author wrote it. It may contain anything, so viewers have to sanitise it before they show it as HTML.";

pub(crate) static SERVER: CatalogKindSpec = CatalogKindSpec {
    kind: CatalogKind::McpServer,
    table: CatalogTable::Item,
    artifact_type: None,
    versioned: true,
    fields: &[
        CatalogField::string("name", "Name, unique together with the version.").column().required(),
        CatalogField::string("source_id", "Id of its source.").column().hidden().in_v1("sourceId"),
        CatalogField::new("artifacts", CatalogShape::ObjectList("MCPArtifact"), "Images to run it from.").hidden(),
        CatalogField::new("deploymentMode", CatalogShape::Enumeration(DEPLOYMENT_MODES), "Where it runs."),
        CatalogField::string("description", "A short description."),
        CatalogField::new("displayName", CatalogShape::ShortString(LONGEST_DISPLAY_NAME), "Name for people."),
        CatalogField::uri("documentationUrl", "URL of its documentation.").hidden(),
        CatalogField::new("endpoints", CatalogShape::Object("MCPEndpoints"), "URLs of a remote server.").hidden(),
        CatalogField::new("lastUpdated", CatalogShape::DateTime, "Time of the last change."),
        CatalogField::string("license", "Display name of the licence."),
        CatalogField::uri("license_link", "URL of the licence.").in_v1("licenseLink"),
        CatalogField::string("logo", "URL or data URL of a logo.").hidden(),
        CatalogField::string("provider", "Provider of the server."),
        CatalogField::new("publishedDate", CatalogShape::DateTime, "Time of publication."),
        CatalogField::string("readme", CARD),
        CatalogField::uri("repositoryUrl", "URL of its repository.").hidden(),
        CatalogField::new(
            "runtimeMetadata",
            CatalogShape::Object("MCPRuntimeMetadata"),
            "Requirements for running the server.",
        )
        .hidden(),
        CatalogField::new(
            "serverJson",
            CatalogShape::FreeObject,
            "The `server.json` of the MCP registry, as its publisher wrote it.",
        )
        .hidden(),
        CatalogField::uri("sourceCode", "URL of its source code.").hidden(),
        CatalogField::string("version", "Version; empty if it has none.").hidden(),
        CatalogField::list("tags", "Tags."),
        CatalogField::new("transports", CatalogShape::EnumerationList(TRANSPORTS), "Supported transports."),
        CatalogField::new(
            "securityIndicators",
            CatalogShape::Object("MCPSecurityIndicator"),
            "Security claims of the publisher.",
        )
        .unfiltered(),
        indicator("securityIndicators.readOnlyTools", "readOnlyTools", "Whether none of its tools changes anything."),
        indicator("securityIndicators.sast", "sast", "Whether its code was analysed statically."),
        indicator("securityIndicators.secureEndpoint", "secureEndpoint", "Whether its endpoint is secured."),
        indicator("securityIndicators.verifiedSource", "verifiedSource", "Whether its source is verified."),
        CatalogField::new("toolCount", CatalogShape::Integer, "Number of its tools.").required().hidden(),
        CatalogField::new("tools", CatalogShape::ObjectList("MCPTool"), "Its tools, if they were requested.")
            .unfiltered(),
    ],
    search: &["name", "displayName", "description", "provider"],
    also_hidden: &[],
    children: &[CatalogKind::McpTool],
    filters_children: false,
};

const fn indicator(path: &'static str, stored: &'static str, description: &'static str) -> CatalogField {
    CatalogField::renamed(path, stored, CatalogShape::Bool, description)
}

pub(crate) static TOOL: CatalogKindSpec = CatalogKindSpec {
    kind: CatalogKind::McpTool,
    table: CatalogTable::Item,
    artifact_type: None,
    versioned: false,
    fields: &[
        CatalogField::string("name", "Name, unique in its server.").column().required(),
        CatalogField::new("accessType", CatalogShape::Enumeration(ACCESS_TYPES), "Effects that a call may have.")
            .required(),
        CatalogField::string("description", "A short description."),
        CatalogField::new("parameters", CatalogShape::ObjectList("MCPToolParameter"), "Parameters of a call.")
            .unfiltered(),
    ],
    search: &[],
    also_hidden: &[],
    children: &[],
    filters_children: false,
};
