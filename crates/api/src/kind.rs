//! The kinds of entity and the shape of their declarations; `kinds/` has one declaration per file.

use crate::ApiVersion;
use crate::field::{COMMON_FIELDS, Field};
use crate::kinds::{ALL, ARTIFACTS, SPECS};

/// A kind of entity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    RegisteredModel,
    ModelVersion,
    ServingEnvironment,
    InferenceService,
    ServeModel,
    Experiment,
    ExperimentRun,
    ModelArtifact,
    DocArtifact,
    DataSet,
    Metric,
    Parameter,
    /// One logged value of a metric: written with every log, read through metric history.
    MetricPoint,
}

/// The table that holds a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityTable {
    Resource,
    Artifact,
    MetricPoint,
}

/// The entity that an entity belongs to; its name is unique within that parent.
#[derive(Clone, Copy, Debug)]
pub struct Parent {
    pub kind: Kind,
    /// The field that carries the parent's id; `None` where only the URL has it.
    pub field: Option<&'static str>,
    /// Names of the parent's id in filters, where no field carries it.
    pub filter_names: &'static [&'static str],
    /// The path segment below the parent under which children are listed and created: `versions`.
    pub segment: &'static str,
    /// The OpenAPI operations of that path: `create<operation>` and `get<operation>s`.
    pub operation: &'static str,
    /// Whether a create below the parent takes a whole entity, and a body with the id of a child updates that child.
    pub upsert: bool,
    /// Whether a list below an unknown parent is 404 instead of empty (parity: the Kubeflow Model Registry checks the
    /// parent of experiment runs only).
    pub list_checks_parent: bool,
    /// Whether a malformed parent id in the body of a create is 404 instead of 400 (parity: the Kubeflow Model Registry
    /// looks serving environments up by whatever id the body has).
    pub malformed_id_is_not_found: bool,
}

/// Another entity that a field refers to and that has to exist.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    pub field: &'static str,
    pub kind: Kind,
    pub check: Option<ReferenceCheck>,
}

/// A rule that the entity referred to has to satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceCheck {
    /// The model's hub serves it without credentials: its custom properties do not mark it as gated or private.
    HubAccess,
    /// Its parent is the entity that this other field refers to: a version belongs to the model.
    ChildOf { field: &'static str },
}

/// A rule on the document of an entity, beyond the shapes of its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The field has a value; otherwise 400 with the message. An artifact posted below a parent has to carry it even
    /// where it updates an existing one.
    Required { field: &'static str, message: &'static str },
    /// The end is not before the start. Without both times nothing is checked (parity).
    TimeOrder { start: &'static str, end: &'static str },
}

/// The declaration of a kind.
#[derive(Debug)]
pub struct KindSpec {
    pub kind: Kind,
    /// Stored in the database; never changed and never reused.
    pub code: i16,
    /// Name in the change feed and in export files, and path of the find operation: `registered_model`.
    pub name: &'static str,
    /// Path of the collection: `registered_models`. `None` for kinds that are served only below a parent or, as
    /// artifacts of any kind, below `artifacts`.
    pub collection: Option<&'static str>,
    /// The versions of the API that serve the kind.
    pub versions: &'static [ApiVersion],
    /// The subcommand of the command line: `models`.
    pub command: Option<&'static str>,
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
    /// External ids are unique among the kinds of a table with the same scope (parity: serve models have their own).
    /// Stored in the database; never changed.
    pub external_id_scope: i16,
    pub parent: Option<Parent>,
    /// Whether artifacts are listed and upserted below it, under `artifacts`.
    pub has_artifacts: bool,
    /// Whether an artifact posted below a parent updates the one of the same kind and name.
    pub upsert_by_name: bool,
    /// The kind that keeps every value logged under an experiment run.
    pub history: Option<Kind>,
    pub references: &'static [Reference],
    pub checks: &'static [Check],
    pub fields: &'static [Field],
}

/// Longest name of a kind without a parent, and longest external id and property name, in characters.
pub const NAME_LIMIT: usize = 255;
/// Longest name of a kind with a parent, in characters (parity: the Kubeflow Model Registry stores
/// `<parent id>:<name>` in 255 characters).
pub const CHILD_NAME_LIMIT: usize = 250;

impl Kind {
    /// Every kind; parents and references precede the kinds that refer to them.
    pub const ALL: [Self; ALL.len()] = ALL;

    /// The kinds that `/artifacts` serves.
    pub const ARTIFACTS: [Self; ARTIFACTS.len()] = ARTIFACTS;

    pub const fn spec(self) -> &'static KindSpec {
        SPECS[self as usize]
    }

    /// The code stored in the database.
    pub const fn code(self) -> i16 {
        self.spec().code
    }

    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// The name in the change feed and in export files.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The artifact kind of a value of `artifactType`.
    pub fn from_artifact_type(artifact_type: &str) -> Option<Self> {
        Self::ARTIFACTS.into_iter().find(|kind| kind.spec().artifact_type == Some(artifact_type))
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

    /// The name of the path parameter with the id of an entity of this kind: `registeredmodelId`, in v1 `registered_model_id`.
    pub fn id_parameter(&self, version: ApiVersion) -> String {
        match version {
            ApiVersion::V1Alpha3 => format!("{}Id", self.schema.to_lowercase()),
            ApiVersion::V1 => format!("{}_id", self.name),
        }
    }

    /// Whether a version of the API serves the kind.
    pub fn is_served_by(&self, version: ApiVersion) -> bool {
        self.versions.contains(&version)
    }

    /// The fields that a [`Check::Required`] demands, with the message for a missing one.
    pub fn required_by_check(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        self.checks.iter().filter_map(|check| match *check {
            Check::Required { field, message } => Some((field, message)),
            Check::TimeOrder { .. } => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Shape;

    #[test]
    fn codes_names_and_artifact_types_identify_kinds() {
        for kind in Kind::ALL {
            assert_eq!(kind.spec().kind, kind);
            assert_eq!(Kind::from_code(kind.code()), Some(kind));
            assert_eq!(Kind::from_name(kind.name()), Some(kind));
        }
        for kind in Kind::ARTIFACTS {
            assert_eq!(kind.spec().artifact_type.and_then(Kind::from_artifact_type), Some(kind));
        }
    }

    #[test]
    fn collections_are_unique() {
        let collections: Vec<_> = Kind::ALL.iter().filter_map(|kind| kind.spec().collection).collect();
        assert_eq!(collections.iter().collect::<BTreeSet<_>>().len(), collections.len());
    }

    #[test]
    fn parents_and_references_are_declared_id_fields_of_earlier_kinds() {
        for spec in Kind::ALL.map(Kind::spec) {
            let parent = spec.parent.iter().map(|parent| (parent.kind, parent.field));
            let references = spec.references.iter().map(|reference| (reference.kind, Some(reference.field)));
            for (kind, name) in parent.chain(references) {
                assert!(kind < spec.kind, "{} has to follow {kind:?}, which it refers to", spec.schema);
                let Some(name) = name else { continue };
                let field = spec.field(name).unwrap_or_else(|| panic!("{}: no field `{name}`", spec.schema));
                assert_eq!(field.shape, Shape::Id, "{}.{name}", spec.schema);
            }
        }
    }

    #[test]
    fn checks_are_about_declared_fields() {
        for spec in Kind::ALL.map(Kind::spec) {
            for check in spec.checks {
                let fields: &[&str] = match check {
                    Check::Required { field, .. } => &[field],
                    Check::TimeOrder { start, end } => &[start, end],
                };
                assert!(fields.iter().all(|name| spec.field(name).is_some()), "{}: {check:?}", spec.schema);
            }
        }
    }

    #[test]
    fn field_names_are_unique_within_a_kind() {
        for spec in Kind::ALL.map(Kind::spec) {
            let names: Vec<_> = spec.all_fields().map(|field| field.name.to_lowercase()).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{}", spec.schema);
        }
    }
}
