//! Whatever a client sends is answered with 4xx and `{"code","message"}`, on every database.

mod bodies;
mod fields;
mod ids;
mod queries;

use model_registry_api::{ApiVersion, Kind};
use serde_json::{Value, json};

use crate::support::{Answer, Api};

/// Checks that the answer is a refusal that a client can read, and gives its message.
#[track_caller]
fn refusal(answer: &Answer, what: &str) -> String {
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!((400..500).contains(&answer.status), "{what}: {} {text}", answer.status);
    let body: Value = serde_json::from_slice(&answer.bytes)
        .unwrap_or_else(|error| panic!("{what}: {} {error}: {text}", answer.status));
    let members: Vec<_> = body.as_object().unwrap_or_else(|| panic!("{what}: {text}")).keys().collect();
    assert_eq!(members, ["code", "message"], "{what}: {text}");
    assert_ne!(body["code"], "", "{what}: {text}");
    let message = body["message"].as_str().unwrap_or_default().to_owned();
    assert!(!message.is_empty(), "{what}: {text}");
    message
}

/// One entity of every kind, to refer to.
struct Entities {
    ids: Vec<(Kind, String)>,
}

impl Entities {
    async fn create(api: &Api) -> Self {
        let mut entities = Self { ids: Vec::new() };
        for kind in kinds(ApiVersion::V1Alpha3) {
            let (path, mut body) = entities.new_entity(kind);
            body["name"] = json!(format!("first {kind:?}"));
            let id = api.create(&path, body).await;
            entities.ids.push((kind, id));
        }
        entities
    }

    fn id(&self, kind: Kind) -> &str {
        let found = self.ids.iter().find(|(of, _)| *of == kind);
        found.map_or_else(|| panic!("no {kind:?} yet"), |(_, id)| id)
    }

    /// Where an entity of the kind is created, and the least that its body has to say, a name excepted.
    fn new_entity(&self, kind: Kind) -> (String, Value) {
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
}

/// The kinds that a version of the API serves by themselves, each after those it refers to.
fn kinds(version: ApiVersion) -> Vec<Kind> {
    let is_served = |kind: &Kind| match kind {
        Kind::MetricPoint => false,
        Kind::Experiment | Kind::ExperimentRun => version == ApiVersion::V1Alpha3,
        _ => true,
    };
    Kind::ALL.into_iter().filter(is_served).collect()
}

fn collection(kind: Kind) -> &'static str {
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

/// The path of an entity, where it can be read and changed.
fn entity(kind: Kind, id: &str) -> Option<String> {
    (kind != Kind::ServeModel).then(|| format!("{}/{id}", collection(kind)))
}
