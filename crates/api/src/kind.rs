//! The kinds of entity and what is declared of each.

use crate::field::{COMMON_FIELDS, Field};
use crate::kinds;

/// A kind of entity. The discriminant is the code stored in the database and never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(i16)]
pub enum Kind {
    RegisteredModel = 1,
    ModelVersion = 2,
    ServingEnvironment = 3,
    InferenceService = 4,
    ServeModel = 5,
    Experiment = 6,
    ExperimentRun = 7,
    ModelArtifact = 11,
    DocArtifact = 12,
    DataSet = 13,
    Metric = 14,
    Parameter = 15,
    /// One logged value of a metric: written with every log, read through metric history.
    MetricPoint = 21,
}

/// The table that holds a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityTable {
    Resource,
    Artifact,
    MetricPoint,
}

/// The entity that an entity belongs to; its name is unique below it.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    pub kind: Kind,
    /// The field that carries the parent's id; `None` where only the URL names it.
    pub field: Option<&'static str>,
}

/// Another entity that a field names and that has to exist.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    pub field: &'static str,
    pub kind: Kind,
}

/// The declaration of a kind.
#[derive(Debug)]
pub struct KindSpec {
    pub kind: Kind,
    pub table: EntityTable,
    /// Schema name in the OpenAPI document; `<schema>Create` and `<schema>Update` derive from it.
    pub schema: &'static str,
    /// Name in messages.
    pub label: &'static str,
    /// Plural in messages.
    pub label_plural: &'static str,
    /// Value of `artifactType`; artifacts only.
    pub artifact_type: Option<&'static str>,
    pub name_required: bool,
    /// Longest name, in characters.
    pub name_limit: usize,
    pub parent: Option<Parent>,
    pub references: &'static [Reference],
    pub fields: &'static [Field],
}

/// Longest name of a kind without a parent, and longest external id and property name, in characters.
pub const NAME_LIMIT: usize = 255;
/// Longest name below a parent. The reference stores `<parent id>:<name>` in 255 characters (parity, registry-server 4.4).
pub const CHILD_NAME_LIMIT: usize = 250;

impl Kind {
    pub const ALL: [Self; 13] = [
        Self::RegisteredModel,
        Self::ModelVersion,
        Self::ServingEnvironment,
        Self::InferenceService,
        Self::ServeModel,
        Self::Experiment,
        Self::ExperimentRun,
        Self::ModelArtifact,
        Self::DocArtifact,
        Self::DataSet,
        Self::Metric,
        Self::Parameter,
        Self::MetricPoint,
    ];

    /// The kinds served by `/artifacts`.
    pub const ARTIFACTS: [Self; 5] =
        [Self::ModelArtifact, Self::DocArtifact, Self::DataSet, Self::Metric, Self::Parameter];

    /// The code stored in the database.
    pub const fn code(self) -> i16 {
        self as i16
    }

    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name in the change feed and in export files; those of the URLs, in the singular.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RegisteredModel => "registered_model",
            Self::ModelVersion => "model_version",
            Self::ServingEnvironment => "serving_environment",
            Self::InferenceService => "inference_service",
            Self::ServeModel => "serve_model",
            Self::Experiment => "experiment",
            Self::ExperimentRun => "experiment_run",
            Self::ModelArtifact => "model_artifact",
            Self::DocArtifact => "doc_artifact",
            Self::DataSet => "data_set",
            Self::Metric => "metric",
            Self::Parameter => "parameter",
            Self::MetricPoint => "metric_point",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The artifact kind of a value of `artifactType`.
    pub fn from_artifact_type(text: &str) -> Option<Self> {
        Self::ARTIFACTS.into_iter().find(|kind| kind.spec().artifact_type == Some(text))
    }

    pub const fn spec(self) -> &'static KindSpec {
        match self {
            Self::RegisteredModel => &kinds::registered_model::SPEC,
            Self::ModelVersion => &kinds::model_version::SPEC,
            Self::ServingEnvironment => &kinds::serving_environment::SPEC,
            Self::InferenceService => &kinds::inference_service::SPEC,
            Self::ServeModel => &kinds::serve_model::SPEC,
            Self::Experiment => &kinds::experiment::SPEC,
            Self::ExperimentRun => &kinds::experiment_run::SPEC,
            Self::ModelArtifact => &kinds::model_artifact::SPEC,
            Self::DocArtifact => &kinds::doc_artifact::SPEC,
            Self::DataSet => &kinds::data_set::SPEC,
            Self::Metric => &kinds::metric::SPEC,
            Self::Parameter => &kinds::parameter::SPEC,
            Self::MetricPoint => &kinds::metric::POINT_SPEC,
        }
    }
}

impl KindSpec {
    /// Every field: those of all kinds, then those of this one.
    pub fn all_fields(&self) -> impl Iterator<Item = &'static Field> + use<> {
        COMMON_FIELDS.iter().chain(self.fields)
    }

    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.all_fields().find(|field| field.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_declared_once_under_its_own_code() {
        for kind in Kind::ALL {
            assert_eq!(kind.spec().kind, kind);
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
    }

    #[test]
    fn parents_and_references_name_declared_id_fields() {
        for spec in Kind::ALL.map(Kind::spec) {
            let named =
                spec.parent.iter().filter_map(|parent| parent.field).chain(spec.references.iter().map(|r| r.field));
            for name in named {
                let field = spec.field(name).unwrap_or_else(|| panic!("{}: no field `{name}`", spec.schema));
                assert_eq!(field.shape, crate::Shape::Id, "{}.{name}", spec.schema);
            }
        }
    }

    #[test]
    fn field_names_are_unique_within_a_kind() {
        for spec in Kind::ALL.map(Kind::spec) {
            let mut names: Vec<_> = spec.all_fields().map(|field| field.name.to_lowercase()).collect();
            names.sort();
            let before = names.len();
            names.dedup();
            assert_eq!(names.len(), before, "{}", spec.schema);
        }
    }
}
