//! What can be asked of the catalog's lists.

use model_registry_api::SortOrder;
use model_registry_api::catalog::AssetType;

use crate::call::Query;
use crate::options::ListQuery;

/// Collects parameters, and leaves out what says nothing.
#[derive(Default)]
struct Parameters(Query);

impl Parameters {
    fn text(mut self, name: &'static str, value: Option<&String>) -> Self {
        self.0.extend(value.map(|value| (name, value.clone())));
        self
    }

    fn number(self, name: &'static str, value: Option<impl ToString>) -> Self {
        self.text(name, value.map(|value| value.to_string()).as_ref())
    }

    /// Repeated, as clients that were generated from the contract write lists.
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
        self.text("orderBy", order_by).text("sortOrder", descending.as_ref())
    }
}

/// Which sources to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SourceOptions {
    /// A part of the source's name, in any case.
    pub name: Option<String>,
    /// What they publish; models where nothing is said.
    pub asset_type: Option<AssetType>,
    /// `ID` or `NAME`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for SourceOptions {
    fn query(&self) -> Query {
        let asset_type = self.asset_type.as_ref().map(|asset_type| asset_type.as_str().to_owned());
        let parameters = Parameters::default().text("name", self.name.as_ref()).text("assetType", asset_type.as_ref());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Which labels to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabelOptions {
    /// What the labelled sources publish; models where nothing is said.
    pub asset_type: Option<AssetType>,
    /// A key of the labels; the order of the configuration without one.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for LabelOptions {
    fn query(&self) -> Query {
        let asset_type = self.asset_type.as_ref().map(|asset_type| asset_type.as_str().to_owned());
        let parameters = Parameters::default().text("assetType", asset_type.as_ref());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// The custom properties of measurements that a computation looks at; the catalog's defaults where one is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerformanceProperties {
    /// Requests per second; `requests_per_second`.
    pub rps: Option<String>,
    /// `ttft_p90`.
    pub latency: Option<String>,
    /// `hardware_count`.
    pub hardware_count: Option<String>,
    /// `hardware_type`.
    pub hardware_type: Option<String>,
}

impl PerformanceProperties {
    fn add_to(&self, parameters: Parameters) -> Parameters {
        parameters
            .text("rpsProperty", self.rps.as_ref())
            .text("latencyProperty", self.latency.as_ref())
            .text("hardwareCountProperty", self.hardware_count.as_ref())
            .text("hardwareTypeProperty", self.hardware_type.as_ref())
    }
}

/// Which models to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelOptions {
    /// A part of the name, description, provider, library or a task, in any case.
    pub text: Option<String>,
    /// `filterQuery`, such as `license = 'Apache 2.0' AND artifacts.ttft_p90 < 100`.
    pub filter: Option<String>,
    /// Only of these sources; not together with labels.
    pub sources: Vec<String>,
    /// Only of sources with one of these labels; `null` for sources without any.
    pub source_labels: Vec<String>,
    /// `NAME`, `ID`, `CREATE_TIME`, `LAST_UPDATE_TIME`, `ACCURACY`, or a property with its type, such as
    /// `artifacts.ttft_p90.double_value`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    /// Ordered by how fast the recommended hardware answers, instead of `order_by`.
    pub recommendations: bool,
    /// Requests per second that recommendations are for.
    pub target_rps: Option<i32>,
    pub properties: PerformanceProperties,
    pub page_size: Option<u32>,
}

impl ListQuery for ModelOptions {
    fn query(&self) -> Query {
        let parameters = Parameters::default()
            .text("q", self.text.as_ref())
            .text("filterQuery", self.filter.as_ref())
            .list("source", &self.sources)
            .list("sourceLabel", &self.source_labels)
            .flag("recommendations", self.recommendations)
            .number("targetRPS", self.target_rps);
        let parameters = self.properties.add_to(parameters);
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// A kind of artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArtifactKind {
    /// Where to get a model.
    Model,
    /// What was measured of it.
    Metrics,
}

/// Which artifacts of a model to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ArtifactOptions {
    /// Only this kind.
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
            Parameters::default().text("artifactType", kind.as_ref()).text("filterQuery", self.filter.as_ref());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Which measurements of a model to list, and what to compute from them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PerformanceOptions {
    /// Adds to each how many replicas this many requests per second take.
    pub target_rps: Option<i32>,
    /// Only what is worth choosing: nothing is both faster and cheaper.
    pub recommendations: bool,
    pub properties: PerformanceProperties,
    pub filter: Option<String>,
    /// As of [`ArtifactOptions`].
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for PerformanceOptions {
    fn query(&self) -> Query {
        let parameters = Parameters::default()
            .number("targetRPS", self.target_rps)
            .flag("recommendations", self.recommendations)
            .text("filterQuery", self.filter.as_ref());
        let parameters = self.properties.add_to(parameters);
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// How many tools come along with an MCP server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolsOf {
    #[default]
    None,
    /// So many at most, 100 being the most that the catalog gives.
    AtMost(u32),
    All,
}

impl ToolsOf {
    pub(super) fn query(self) -> Query {
        let limit = match self {
            Self::None => return Vec::new(),
            // The catalog takes 0 for all.
            Self::AtMost(0) => return vec![("includeTools", "false".to_owned())],
            Self::AtMost(limit) => limit,
            Self::All => 0,
        };
        vec![("includeTools", "true".to_owned()), ("toolLimit", limit.to_string())]
    }
}

/// Which MCP servers to list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct McpServerOptions {
    /// A pattern of the name, in which `%` stands for any text.
    pub name: Option<String>,
    /// A part of the name, description or provider, in any case.
    pub text: Option<String>,
    pub filter: Option<String>,
    /// A filter that an administrator wrote, by its name.
    pub named_query: Option<String>,
    /// Only of sources with one of these labels; `null` for sources without any.
    pub source_labels: Vec<String>,
    pub tools: ToolsOf,
    /// `ID`, `NAME`, `CREATE_TIME` or `LAST_UPDATE_TIME`.
    pub order_by: Option<String>,
    pub sort_order: SortOrder,
    pub page_size: Option<u32>,
}

impl ListQuery for McpServerOptions {
    fn query(&self) -> Query {
        let mut parameters = Parameters::default()
            .text("name", self.name.as_ref())
            .text("q", self.text.as_ref())
            .text("filterQuery", self.filter.as_ref())
            .text("namedQuery", self.named_query.as_ref())
            .list("sourceLabel", &self.source_labels);
        parameters.0.extend(self.tools.query());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}

/// Which tools of an MCP server to list.
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
        let parameters = Parameters::default().text("filterQuery", self.filter.as_ref());
        parameters.order(self.order_by.as_ref(), self.sort_order).number("pageSize", self.page_size).0
    }
}
