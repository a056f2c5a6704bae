//! One entity of every kind, and the paths on which each kind is created, read and changed.

use model_registry_api::{ApiVersion, Kind};
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
        let body = match kind {
            Kind::ModelVersion => json!({"registeredModelId": self.id(Kind::RegisteredModel)}),
            Kind::InferenceService => json!({
                "registeredModelId": self.id(Kind::RegisteredModel),
                "servingEnvironmentId": self.id(Kind::ServingEnvironment)
            }),
            Kind::ServeModel => json!({"modelVersionId": self.id(Kind::ModelVersion)}),
            Kind::ExperimentRun => json!({"experimentId": self.id(Kind::Experiment)}),
            Kind::Metric => json!({"artifactType": "metric", "value": 0.5}),
            kind => match kind.spec().artifact_type {
                Some(artifact_type) => json!({"artifactType": artifact_type}),
                None => json!({}),
            },
        };
        let path = match kind {
            Kind::ServeModel => format!("inference_services/{}/serves", self.id(Kind::InferenceService)),
            kind => collection(kind).to_owned(),
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
        let mut lists = vec![
            list(Kind::ModelVersion, Kind::RegisteredModel, "versions"),
            list(Kind::InferenceService, Kind::ServingEnvironment, "inference_services"),
            list(Kind::ServeModel, Kind::InferenceService, "serves"),
            list(Kind::ExperimentRun, Kind::Experiment, "experiment_runs"),
        ];
        for parent in [Kind::ModelVersion, Kind::ExperimentRun] {
            lists.extend(Kind::ARTIFACTS.map(|kind| list(kind, parent, "artifacts")));
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
    let is_served = |kind: &Kind| match kind {
        Kind::MetricPoint => false,
        Kind::Experiment | Kind::ExperimentRun => version == ApiVersion::V1Alpha3,
        _ => true,
    };
    Kind::ALL.into_iter().filter(is_served).collect()
}

pub(crate) fn collection(kind: Kind) -> &'static str {
    match kind {
        Kind::RegisteredModel => "registered_models",
        Kind::ModelVersion => "model_versions",
        Kind::ServingEnvironment => "serving_environments",
        Kind::InferenceService => "inference_services",
        Kind::Experiment => "experiments",
        Kind::ExperimentRun => "experiment_runs",
        Kind::ServeModel => panic!("serve models have no list of their own"),
        _ => "artifacts",
    }
}

/// The path on which an entity can be read and changed, if there is one.
pub(crate) fn entity(kind: Kind, id: &str) -> Option<String> {
    (kind != Kind::ServeModel).then(|| format!("{}/{id}", collection(kind)))
}

/// The paths that find an entity by query parameters.
pub(crate) fn finders(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::RegisteredModel => &["registered_model"],
        Kind::ModelVersion => &["model_version"],
        Kind::ServingEnvironment => &["serving_environment"],
        Kind::InferenceService => &["inference_service"],
        Kind::Experiment => &["experiment"],
        Kind::ExperimentRun => &["experiment_run"],
        Kind::ServeModel | Kind::MetricPoint => &[],
        Kind::ModelArtifact => &["artifact", "model_artifact"],
        _ => &["artifact"],
    }
}

/// The body of an update: the fields to change, and the `artifactType` for artifacts.
pub(crate) fn change(kind: Kind, mut fields: Value) -> Value {
    if let Some(artifact_type) = kind.spec().artifact_type {
        fields["artifactType"] = json!(artifact_type);
    }
    fields
}
