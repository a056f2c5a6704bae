//! One entity of every kind, and the paths on which each kind is created, read and changed.

use model_registry_api::{ApiVersion, Check, EntityTable, Kind};
use serde_json::{Value, json};

use super::Api;

/// One entity of every kind, to be referred to by others.
pub(crate) struct Entities {
    pub(crate) ids: Vec<(Kind, String)>,
}

impl Entities {
    pub(crate) async fn create(api: &Api) -> Self {
        Self::create_named(api, "first").await
    }

    /// Creates a further set whose names start with `word`.
    pub(crate) async fn create_named(api: &Api, word: &str) -> Self {
        let mut entities = Self { ids: Vec::new() };
        for kind in kinds(ApiVersion::V1Alpha3) {
            let (path, mut body) = entities.new_entity(kind);
            body["name"] = json!(format!("{word} {kind:?}"));
            let id = api.create(&path, body).await;
            entities.ids.push((kind, id));
        }
        entities
    }

    pub(crate) fn id(&self, kind: Kind) -> &str {
        let found = self.ids.iter().find(|(of, _)| *of == kind);
        found.map_or_else(|| panic!("no {kind:?} yet"), |(_, id)| id)
    }

    /// The path to create an entity of the kind, and the minimal body without a name.
    pub(crate) fn new_entity(&self, kind: Kind) -> (String, Value) {
        let spec = kind.spec();
        let mut body = json!({});
        if let Some(artifact_type) = spec.artifact_type {
            body["artifactType"] = json!(artifact_type);
        }
        for check in spec.checks {
            if let Check::Required { field, .. } = check {
                body[field] = json!(0.5);
            }
        }
        let parent = spec.parent.iter().filter_map(|parent| Some((parent.field?, parent.kind)));
        let references = spec.references.iter().map(|reference| (reference.field, reference.kind));
        for (field, of) in parent.chain(references) {
            if spec.field(field).is_some_and(|field| field.required) {
                body[field] = json!(self.id(of));
            }
        }
        let path = match (spec.collection, spec.parent) {
            (None, Some(parent)) => format!("{}/{}/{}", collection(parent.kind), self.id(parent.kind), parent.segment),
            _ => collection(kind).to_owned(),
        };
        (path, body)
    }

    /// Every way to create an entity: on its own path and below a parent.
    pub(crate) fn creations(&self) -> Vec<Creation> {
        let flat = kinds(ApiVersion::V1Alpha3).into_iter().map(|kind| {
            let (path, body) = self.new_entity(kind);
            Creation { kind, path, body }
        });
        let model_artifact =
            Creation { kind: Kind::ModelArtifact, path: "model_artifacts".to_owned(), body: json!({}) };
        flat.chain([model_artifact]).chain(self.nested()).collect()
    }

    /// Every creation below a parent; artifacts of each kind below a version and below a run.
    pub(crate) fn nested(&self) -> Vec<Creation> {
        let list = |kind: Kind, parent: Kind, name: &str| Creation {
            kind,
            path: format!("{}/{}/{name}", collection(parent), self.id(parent)),
            body: self.new_entity(kind).1,
        };
        let mut lists = Vec::new();
        for kind in kinds(ApiVersion::V1Alpha3) {
            lists.extend(kind.spec().parent.map(|parent| list(kind, parent.kind, parent.segment)));
            if kind.spec().has_artifacts {
                lists.extend(Kind::ARTIFACTS.map(|artifact| list(artifact, kind, "artifacts")));
            }
        }
        lists
    }
}

/// The path to create an entity of a kind, and the minimal body without a name.
pub(crate) struct Creation {
    pub(crate) kind: Kind,
    pub(crate) path: String,
    pub(crate) body: Value,
}

/// The kinds that a version of the API serves on paths of their own, each after those it refers to.
pub(crate) fn kinds(version: ApiVersion) -> Vec<Kind> {
    let is_served = |kind: &Kind| {
        let spec = kind.spec();
        spec.table != EntityTable::MetricPoint && spec.is_served_by(version)
    };
    Kind::ALL.into_iter().filter(is_served).collect()
}

/// The collection of a kind; artifacts have the common one.
pub(crate) fn collection(kind: Kind) -> &'static str {
    let spec = kind.spec();
    match spec.table {
        EntityTable::Artifact => "artifacts",
        _ => spec.collection.unwrap_or_else(|| panic!("{kind:?} has no collection of its own")),
    }
}

/// The path on which an entity can be read and changed, if there is one.
pub(crate) fn entity(kind: Kind, id: &str) -> Option<String> {
    let spec = kind.spec();
    let has_path = spec.collection.is_some() || spec.table == EntityTable::Artifact;
    has_path.then(|| format!("{}/{id}", collection(kind)))
}

/// The paths that find an entity by query parameters.
pub(crate) fn finders(kind: Kind) -> Vec<&'static str> {
    let spec = kind.spec();
    let common = (spec.table == EntityTable::Artifact).then_some("artifact");
    common.into_iter().chain(spec.collection.map(|_| spec.name)).collect()
}

/// The body of an update: the fields to change, and the `artifactType` for artifacts.
pub(crate) fn change(kind: Kind, mut fields: Value) -> Value {
    if let Some(artifact_type) = kind.spec().artifact_type {
        fields["artifactType"] = json!(artifact_type);
    }
    fields
}
