//! Options of the lists of the catalog.

use model_registry_api::SortOrder;
use model_registry_api::catalog::AssetType;

use crate::call::Query;
use crate::options::ListQuery;

/// Collects the query parameters that are set.
#[derive(Default)]
struct Parameters(Query);

impl Parameters {
    fn string(mut self, name: &'static str, value: Option<&String>) -> Self {
        self.0.extend(value.map(|value| (name, value.clone())));
        self
    }

    fn number(self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.string(name, value.map(|value| value.to_string()).as_ref())
    }

    /// Repeats the parameter for each value, as clients generated from the contract do.
    fn list(mut self, name: &'static str, values: &[String]) -> Self {
        self.0.extend(values.iter().map(|value| (name, value.clone())));
        self
    }

    fn flag(mut self, name: &'static str, is_set: bool) -> Self {
        self.0.extend(is_set.then(|| (name, "true".to_owned())));
        self
    }

    fn order(self, order_by: Option<&String>, sort_order: SortOrder) -> Self {
        let descending = (sort_order == SortOrder::Descending).then(|| "DESC".to_owned());
        self.string("orderBy", order_by).string("sortOrder", descending.as_ref())
    }
}

/// Options of the list of sources.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceOptions {
    /// A part of the name; upper and lower case are equal.
    pub name: Option<String>,
    /// The asset type that they publish; models if absent.
    pub asset_type: Option<AssetType>,
    /// `ID` or `NAME`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for SourceOptions {
    fn query(&self) -> Query {
        let asset_type = self.asset_type.as_ref().map(|asset_type| asset_type.as_str().to_owned());
        let parameters =
            Parameters::default().string("name", self.name.as_ref()).string("assetType", asset_type.as_ref());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Options of the list of labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelOptions {
    /// The asset type of the labelled sources; models if absent.
    pub asset_type: Option<AssetType>,
    /// A key of the labels; the order of the configuration if absent.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for LabelOptions {
    fn query(&self) -> Query {
        let asset_type = self.asset_type.as_ref().map(|asset_type| asset_type.as_str().to_owned());
        let parameters = Parameters::default().string("assetType", asset_type.as_ref());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// The custom properties of performance metrics that recommendations are computed from. An absent one is the default of
/// the catalog, named with each field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerformanceProperties {
    /// Requests per second; by default `requests_per_second`.
    pub rps: Option<String>,
    /// Latency; by default `ttft_p90`.
    pub latency: Option<String>,
    /// Number of accelerators; by default `hardware_count`.
    pub hardware_count: Option<String>,
    /// Type of accelerator; by default `hardware_type`.
    pub hardware_type: Option<String>,
}

impl PerformanceProperties {
    fn add_to(&self, parameters: Parameters) -> Parameters {
        parameters
            .string("rpsProperty", self.rps.as_ref())
            .string("latencyProperty", self.latency.as_ref())
            .string("hardwareCountProperty", self.hardware_count.as_ref())
            .string("hardwareTypeProperty", self.hardware_type.as_ref())
    }
}

/// Options of the list of models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelOptions {
    /// `q`: a part of the name, description, provider, library, a task or a validated task; upper and lower case are equal.
    pub search: Option<String>,
    /// `filterQuery`, such as `license = 'Apache 2.0' AND artifacts.ttft_p90 < 100`.
    pub filter: Option<String>,
    /// Ids of sources; not allowed together with labels.
    pub sources: Vec<String>,
    /// Labels of sources, one of which a source must have; `null` selects sources without labels.
    pub source_labels: Vec<String>,
    /// `NAME`, `ID`, `CREATE_TIME`, `LAST_UPDATE_TIME`, `ACCURACY`, `RECOMMENDED` (by the latency on the recommended hardware),
    /// or a property with its type, such as `artifacts.ttft_p90.double_value`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    /// The older form of the order `RECOMMENDED`: instead of `order_by`.
    pub recommendations: bool,
    /// The load for which hardware is recommended, in requests per second.
    pub target_rps: Option<i32>,
    pub properties: PerformanceProperties,
    pub page_size: Option<u32>,
}

impl ListQuery for ModelOptions {
    fn query(&self) -> Query {
        let parameters = Parameters::default()
            .string("q", self.search.as_ref())
            .string("filterQuery", self.filter.as_ref())
            .list("source", &self.sources)
            .list("sourceLabel", &self.source_labels)
            .flag("recommendations", self.recommendations)
            .number("targetRPS", self.target_rps);
        let parameters = self.properties.add_to(parameters);
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// A kind of artifact in the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// The location of a model.
    Model,
    /// Performance, accuracy or security metrics of a model.
    Metrics,
}

/// Options of the list of artifacts of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArtifactOptions {
    /// Selects artifacts of this kind.
    pub kind: Option<ArtifactKind>,
    pub filter: Option<String>,
    /// `ID`, `NAME`, `CREATE_TIME`, `LAST_UPDATE_TIME`, or a property with its type, such as `score.double_value`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for ArtifactOptions {
    fn query(&self) -> Query {
        let kind = self.kind.map(|kind| match kind {
            ArtifactKind::Model => "model-artifact".to_owned(),
            ArtifactKind::Metrics => "metrics-artifact".to_owned(),
        });
        let parameters =
            Parameters::default().string("artifactType", kind.as_ref()).string("filterQuery", self.filter.as_ref());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Options of the list of performance metrics of a model.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerformanceOptions {
    /// Adds the number of replicas needed for this many requests per second.
    pub target_rps: Option<i32>,
    /// Selects the Pareto-optimal ones: no other is both faster and cheaper.
    pub recommendations: bool,
    pub properties: PerformanceProperties,
    pub filter: Option<String>,
    /// As in [`ArtifactOptions`].
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for PerformanceOptions {
    fn query(&self) -> Query {
        let parameters = Parameters::default()
            .number("targetRPS", self.target_rps)
            .flag("recommendations", self.recommendations)
            .string("filterQuery", self.filter.as_ref());
        let parameters = self.properties.add_to(parameters);
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// The tools to include with an MCP server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncludedTools {
    #[default]
    None,
    /// At most this many; the catalog returns at most 100.
    AtMost(u32),
    All,
}

impl IncludedTools {
    pub(super) fn query(self) -> Query {
        let limit = match self {
            Self::None => return Vec::new(),
            // The catalog takes 0 for `All`.
            Self::AtMost(0) => return vec![("includeTools", "false".to_owned())],
            Self::AtMost(limit) => limit,
            Self::All => 0,
        };
        vec![("includeTools", "true".to_owned()), ("toolLimit", limit.to_string())]
    }
}

/// Options of the list of MCP servers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct McpServerOptions {
    /// A pattern for the name, in which `%` matches any characters.
    pub name: Option<String>,
    /// `q`: a part of the name, display name, description or provider; upper and lower case are equal.
    pub search: Option<String>,
    pub filter: Option<String>,
    /// The name of a filter from the configuration of the catalog.
    pub named_query: Option<String>,
    /// Labels of sources, one of which a source must have; `null` selects sources without labels.
    pub source_labels: Vec<String>,
    pub tools: IncludedTools,
    /// `ID`, `NAME`, `CREATE_TIME` or `LAST_UPDATE_TIME`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for McpServerOptions {
    fn query(&self) -> Query {
        let mut parameters = Parameters::default()
            .string("name", self.name.as_ref())
            .string("q", self.search.as_ref())
            .string("filterQuery", self.filter.as_ref())
            .string("namedQuery", self.named_query.as_ref())
            .list("sourceLabel", &self.source_labels);
        parameters.0.extend(self.tools.query());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Options of the list of skills.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SkillOptions {
    /// A pattern for the name, in which `%` matches any characters.
    pub name: Option<String>,
    /// `q`: a part of the name, description, provider, category or a label; upper and lower case are equal.
    pub search: Option<String>,
    /// `filterQuery`, such as `trustTier = 'organizationApproved' AND labels = 'sre'`.
    pub filter: Option<String>,
    /// Ids of sources; not allowed together with labels.
    pub sources: Vec<String>,
    /// Labels of sources, one of which a source must have; `null` selects sources without labels.
    pub source_labels: Vec<String>,
    /// `ID`, `NAME`, `CREATE_TIME` or `LAST_UPDATE_TIME`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for SkillOptions {
    fn query(&self) -> Query {
        let parameters = Parameters::default()
            .string("name", self.name.as_ref())
            .string("q", self.search.as_ref())
            .string("filterQuery", self.filter.as_ref())
            .list("source", &self.sources)
            .list("sourceLabel", &self.source_labels);
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Options of the list of tools of an MCP server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct McpToolOptions {
    pub filter: Option<String>,
    /// `ID`, `NAME`, `CREATE_TIME` or `LAST_UPDATE_TIME`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for McpToolOptions {
    fn query(&self) -> Query {
        let parameters = Parameters::default().string("filterQuery", self.filter.as_ref());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Options of the list of agents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentOptions {
    /// A pattern for the name, in which `%` matches any characters.
    pub name: Option<String>,
    /// `q`: a part of the name, description, display name or framework; upper and lower case are equal.
    pub search: Option<String>,
    /// `filterQuery`, such as `framework = 'langgraph' AND labels = 'finance'`.
    pub filter: Option<String>,
    /// Ids of sources; not allowed together with labels.
    pub sources: Vec<String>,
    /// Labels of sources, one of which a source must have; `null` selects sources without labels.
    pub source_labels: Vec<String>,
    /// `ID`, `NAME`, `CREATE_TIME` or `LAST_UPDATE_TIME`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for AgentOptions {
    fn query(&self) -> Query {
        let parameters = Parameters::default()
            .string("name", self.name.as_ref())
            .string("q", self.search.as_ref())
            .string("filterQuery", self.filter.as_ref())
            .list("source", &self.sources)
            .list("sourceLabel", &self.source_labels);
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Options of the list of artifacts of an agent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentArtifactOptions {
    /// `ID`, `NAME`, `CREATE_TIME` or `LAST_UPDATE_TIME`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for AgentArtifactOptions {
    fn query(&self) -> Query {
        let parameters = Parameters::default().order(self.order_by.as_ref(), self.sort_order);
        parameters.number("pageSize", self.page_size).0
    }
}
