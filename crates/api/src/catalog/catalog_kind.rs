//! The kinds of rows that the catalog stores, and the declaration of each.

use serde::{Deserialize, Serialize};

use super::asset_types::{agents, mcp_servers, models, skills};
use super::version::CatalogVersion;

/// The kind of a row of the catalog. The discriminant is the code stored in the database and never changes; the names of
/// the members are stored too, in digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(i16)]
pub enum CatalogKind {
    Model = 1,
    McpServer = 2,
    McpTool = 3,
    ModelArtifact = 4,
    PerformanceMetrics = 5,
    AccuracyMetrics = 6,
    SecurityMetrics = 7,
    Agent = 8,
    AgentTemplate = 9,
    Skill = 10,
}

/// The table that holds a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogTable {
    /// Items of sources and those of their children that have a name.
    Item,
    /// Artifacts of items.
    Artifact,
}

/// The declaration of a kind.
#[derive(Debug)]
pub struct CatalogKindSpec {
    pub kind: CatalogKind,
    pub table: CatalogTable,
    /// Value of `artifactType`; artifacts only.
    pub artifact_type: Option<&'static str>,
    /// Whether an item is identified by `name@version`: its key, its sort name and the first search string are that, and
    /// filters accept `base_name` for the name alone.
    pub versioned: bool,
    /// The fields of the document, except the id, the external id, the two times and the custom properties, which all kinds
    /// have.
    pub fields: &'static [CatalogField],
    /// Paths of the fields that `q` searches: strings and lists of strings.
    pub search: &'static [&'static str],
    /// Names of further properties that the filter options leave out.
    pub also_hidden: &'static [&'static str],
    /// Kinds of its children.
    pub children: &'static [CatalogKind],
    /// Whether filters, orders and filter options of the items reach the properties of the children as `artifacts.<name>`.
    pub filters_children: bool,
}

/// A field of a document of the catalog.
#[derive(Clone, Copy, Debug)]
pub struct CatalogField {
    /// Path in the document, its keys joined by dots. Filters accept it.
    pub path: &'static str,
    /// Its name in v1, where that is another. Filters of every version accept both.
    pub v1_name: Option<&'static str>,
    pub storage: CatalogStorage,
    pub shape: CatalogShape,
    /// Whether every item has it.
    pub required: bool,
    /// Whether the filter options leave it out.
    pub hidden: Hidden,
    pub description: &'static str,
}

/// What the filter options leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hidden {
    Nothing,
    /// The field, but not custom properties of the same name.
    Field,
    /// Every property of that name.
    Name,
}

/// Where the value that filters compare is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogStorage {
    /// Rows of `catalog_property` with this name. Filters accept the name.
    Property(&'static str),
    /// A column of the item's row that all asset types share, named as the field.
    Column,
    /// Nowhere: filters cannot use the field.
    None,
}

/// The JSON form of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatalogShape {
    String,
    /// A string of at most this many characters.
    ShortString(u32),
    Uri,
    /// RFC 3339.
    DateTime,
    Enumeration(&'static [&'static str]),
    StringList,
    EnumerationList(&'static [&'static str]),
    Bool,
    Integer,
    /// An object with a schema of this name. Filters compare its JSON text.
    Object(&'static str),
    /// A list of such objects.
    ObjectList(&'static str),
    /// An object with any members. Filters compare its JSON text.
    FreeObject,
    /// A map from names to counts.
    Counts,
}

/// How filters compare a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterShape {
    String,
    /// Each element of the list is a value.
    StringList,
    Bool,
    Integer,
    /// The JSON text of the value (parity: lists and objects are stored as such).
    Json,
}

impl CatalogKind {
    pub const ALL: [Self; 10] = [
        Self::Model,
        Self::McpServer,
        Self::McpTool,
        Self::ModelArtifact,
        Self::PerformanceMetrics,
        Self::AccuracyMetrics,
        Self::SecurityMetrics,
        Self::Agent,
        Self::AgentTemplate,
        Self::Skill,
    ];
    /// Artifacts of models.
    pub const ARTIFACTS: [Self; 4] =
        [Self::ModelArtifact, Self::PerformanceMetrics, Self::AccuracyMetrics, Self::SecurityMetrics];
    pub const METRICS: [Self; 3] = [Self::PerformanceMetrics, Self::AccuracyMetrics, Self::SecurityMetrics];

    /// Value of `metricsType`; metrics only.
    pub const fn metrics_type(self) -> Option<&'static str> {
        match self {
            Self::PerformanceMetrics => Some("performance-metrics"),
            Self::AccuracyMetrics => Some("accuracy-metrics"),
            Self::SecurityMetrics => Some("security-metrics"),
            _ => None,
        }
    }

    /// The kind of the artifacts with this `metricsType`.
    pub fn from_metrics_type(name: &str) -> Option<Self> {
        Self::METRICS.into_iter().find(|kind| kind.metrics_type() == Some(name))
    }

    /// The code stored in the database.
    pub const fn code(self) -> i16 {
        self as i16
    }

    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    pub const fn spec(self) -> &'static CatalogKindSpec {
        match self {
            Self::Model => &models::MODEL,
            Self::McpServer => &mcp_servers::SERVER,
            Self::McpTool => &mcp_servers::TOOL,
            Self::ModelArtifact => &models::MODEL_ARTIFACT,
            Self::PerformanceMetrics => &models::PERFORMANCE_METRICS,
            Self::AccuracyMetrics => &models::ACCURACY_METRICS,
            Self::SecurityMetrics => &models::SECURITY_METRICS,
            Self::Agent => &agents::AGENT,
            Self::AgentTemplate => &agents::TEMPLATE,
            Self::Skill => &skills::SKILL,
        }
    }
}

impl CatalogKindSpec {
    /// The names of the properties that the filter options leave out.
    pub fn hidden(&self) -> impl Iterator<Item = (&'static str, Hidden)> + use<> {
        let fields = self.fields.iter().filter(|field| field.hidden != Hidden::Nothing);
        let fields = fields.map(|field| (field.stored_name(), field.hidden));
        fields.chain(self.also_hidden.iter().map(|name| (*name, Hidden::Name)))
    }

    /// The fields that have another name in a version than in the stored documents: that, and the name in the version.
    pub fn renamed_in(&self, version: CatalogVersion) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        let names = self.fields.iter().map(move |field| (field.path, field.path_in(version)));
        names.filter(|(stored, name)| stored != name)
    }

    /// The field with property rows that a filter means by a name: its path, its name in v1, or the name of the rows.
    pub fn property_field(&self, name: &str) -> Option<&'static CatalogField> {
        let mut fields = self.fields.iter().filter(|field| matches!(field.storage, CatalogStorage::Property(_)));
        fields.find(|field| field.path == name || field.v1_name == Some(name) || field.stored_name() == name)
    }
}

impl CatalogField {
    /// Its path in the documents of a version.
    pub const fn path_in(&self, version: CatalogVersion) -> &'static str {
        match (version, self.v1_name) {
            (CatalogVersion::V1, Some(name)) => name,
            _ => self.path,
        }
    }

    pub const fn stored_name(&self) -> &'static str {
        match self.storage {
            CatalogStorage::Property(name) => name,
            CatalogStorage::Column | CatalogStorage::None => self.path,
        }
    }

    /// The values that it may have, if they are a fixed set.
    pub const fn values(&self) -> Option<&'static [&'static str]> {
        match self.shape {
            CatalogShape::Enumeration(values) | CatalogShape::EnumerationList(values) => Some(values),
            _ => None,
        }
    }

    /// How filters compare it.
    pub const fn filter_shape(&self) -> FilterShape {
        match self.shape {
            CatalogShape::String
            | CatalogShape::ShortString(_)
            | CatalogShape::Uri
            | CatalogShape::DateTime
            | CatalogShape::Enumeration(_) => FilterShape::String,
            CatalogShape::StringList | CatalogShape::EnumerationList(_) => FilterShape::StringList,
            CatalogShape::Bool => FilterShape::Bool,
            CatalogShape::Integer => FilterShape::Integer,
            CatalogShape::Object(_) | CatalogShape::ObjectList(_) | CatalogShape::FreeObject | CatalogShape::Counts => {
                FilterShape::Json
            }
        }
    }

    /// A field whose property rows have a name of their own.
    pub(super) const fn renamed(
        path: &'static str,
        stored: &'static str,
        shape: CatalogShape,
        description: &'static str,
    ) -> Self {
        let storage = CatalogStorage::Property(stored);
        Self { path, v1_name: None, storage, shape, required: false, hidden: Hidden::Nothing, description }
    }

    pub(super) const fn new(path: &'static str, shape: CatalogShape, description: &'static str) -> Self {
        Self::renamed(path, path, shape, description)
    }

    pub(super) const fn string(path: &'static str, description: &'static str) -> Self {
        Self::new(path, CatalogShape::String, description)
    }

    pub(super) const fn uri(path: &'static str, description: &'static str) -> Self {
        Self::new(path, CatalogShape::Uri, description)
    }

    pub(super) const fn list(path: &'static str, description: &'static str) -> Self {
        Self::new(path, CatalogShape::StringList, description)
    }

    /// In the document alone.
    pub(super) const fn unfiltered(mut self) -> Self {
        self.storage = CatalogStorage::None;
        self
    }

    pub(super) const fn column(mut self) -> Self {
        self.storage = CatalogStorage::Column;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Has another name in v1.
    pub(super) const fn in_v1(mut self, name: &'static str) -> Self {
        self.v1_name = Some(name);
        self
    }

    pub(super) const fn hidden(mut self) -> Self {
        self.hidden = Hidden::Name;
        self
    }

    pub(super) const fn hidden_as_field(mut self) -> Self {
        self.hidden = Hidden::Field;
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_is_declared_once_under_its_own_code() {
        for kind in CatalogKind::ALL {
            assert_eq!(kind.spec().kind, kind);
            assert_eq!(CatalogKind::from_code(kind.code()), Some(kind));
        }
        let codes: BTreeSet<i16> = CatalogKind::ALL.map(CatalogKind::code).into();
        assert_eq!(codes.len(), CatalogKind::ALL.len());
    }

    #[test]
    fn names_in_filters_are_unique_within_a_kind() {
        for spec in CatalogKind::ALL.map(CatalogKind::spec) {
            let stored: BTreeSet<&str> = spec.fields.iter().map(CatalogField::stored_name).collect();
            let paths: BTreeSet<&str> = spec.fields.iter().map(|field| field.path).collect();
            for version in CatalogVersion::ALL {
                let names: BTreeSet<&str> = spec.fields.iter().map(|field| field.path_in(version)).collect();
                assert_eq!(names.len(), spec.fields.len(), "{:?} in {version:?}", spec.kind);
            }
            assert_eq!((stored.len(), paths.len()), (spec.fields.len(), spec.fields.len()), "{:?}", spec.kind);
        }
    }

    #[test]
    fn searched_fields_are_declared_strings_or_lists_of_strings() {
        for spec in CatalogKind::ALL.map(CatalogKind::spec) {
            for path in spec.search {
                let field = spec.fields.iter().find(|field| field.path == *path);
                let field = field.unwrap_or_else(|| panic!("{:?}: no field `{path}`", spec.kind));
                let shape = field.filter_shape();
                assert!(matches!(shape, FilterShape::String | FilterShape::StringList), "{path}: {shape:?}");
            }
        }
    }
}
