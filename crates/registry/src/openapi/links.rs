//! Links from an answer to what can be done with the entity in it.

use model_registry_api::ApiVersion;
use serde_json::{Map, Value, json};

use super::{named, paths, reference};

/// An entity whose answers carry links.
pub(super) struct Linked {
    pub(super) schema: &'static str,
    /// How the names of its links call it; some are shortened, as in the reference's document.
    word: &'static str,
    /// Whether its id is offered as the parent to find by.
    by_parent: bool,
}

const fn linked(schema: &'static str, word: &'static str, by_parent: bool) -> Linked {
    Linked { schema, word, by_parent }
}

pub(super) static LINKED: &[Linked] = &[
    linked("Artifact", "Artifact", true),
    linked("ModelArtifact", "ModelArtifact", true),
    linked("InferenceService", "IS", true),
    linked("RegisteredModel", "RegisteredModel", false),
    linked("ModelVersion", "ModelVersion", false),
    linked("ServingEnvironment", "ServingEnvironment", false),
    linked("Experiment", "Experiment", false),
    linked("ExperimentRun", "ExperimentRun", false),
];

/// One link: its name, the operation it leads to, the operation's parameter and the member of the body that fills it.
struct Link {
    name: String,
    operation: String,
    parameter: &'static str,
    member: &'static str,
}

impl Linked {
    fn links(&self) -> Vec<Link> {
        let Some((id_parameter, getter)) = paths::getter(self.schema) else { return Vec::new() };
        let operation = |verb: &str| getter.replacen("get", verb, 1);
        let link = |name: String, operation: String, parameter: &'static str, member: &'static str| Link {
            name,
            operation,
            parameter,
            member,
        };
        let word = self.word;
        let mut links = vec![
            link(format!("Get{word}ById"), operation("get"), id_parameter, "id"),
            link(format!("Patch{word}ById"), operation("update"), id_parameter, "id"),
            link(format!("Search{word}ByExternalId"), operation("find"), "externalId", "externalId"),
            link(format!("Search{word}ByName"), operation("find"), "name", "name"),
        ];
        if self.by_parent {
            links.push(link(format!("Search{word}ByParentResourceId"), operation("find"), "parentResourceId", "id"));
        }
        links
    }
}

/// The links of an entity's answers, as references.
pub(super) fn of(schema: &str, version: ApiVersion) -> Option<Value> {
    let linked = LINKED.iter().find(|linked| linked.schema == schema)?;
    let references = linked.links().into_iter().map(|link| {
        let component = named(&link.name, version);
        (link.name, reference("links", &component))
    });
    Some(Value::Object(references.collect()))
}

/// Every link of a version; v1 has none of experiments.
pub(super) fn all(version: ApiVersion) -> Map<String, Value> {
    let served = |linked: &&Linked| version == ApiVersion::V1Alpha3 || !linked.schema.starts_with("Experiment");
    let links = LINKED.iter().filter(served).flat_map(Linked::links);
    links
        .map(|link| {
            let mut parameters = Map::new();
            parameters.insert(link.parameter.to_owned(), format!("$response.body#/{}", link.member).into());
            let described = json!({"operationId": named(&link.operation, version), "parameters": parameters});
            (named(&link.name, version), described)
        })
        .collect()
}
