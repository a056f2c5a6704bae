//! Links from a response to the operations on the entity in it.

use model_registry_api::ApiVersion;
use serde_json::{Map, Value, json};

use super::{named, reference};
use crate::operations::{Action, Operation};

/// Schemas whose id is also offered as the parent to find by. Contract: it has such links for these only.
const BY_PARENT: [&str; 3] = ["Artifact", "InferenceService", "ModelArtifact"];

/// The name of a schema in the names of links. Contract: one is abbreviated.
fn short_name(schema: &str) -> &str {
    if schema == "InferenceService" { "IS" } else { schema }
}

struct Link {
    name: String,
    /// The operation that the link leads to.
    operation: String,
    parameter: String,
    /// The member of the body that fills the parameter.
    member: &'static str,
}

/// The operation that gets an entity from its collection.
fn getter(operation: &Operation) -> bool {
    operation.action == Action::Get && operation.path.ends_with("/{id}")
}

fn links(getter: &Operation, version: ApiVersion) -> Vec<Link> {
    let schema = getter.subject.schema;
    let word = short_name(schema);
    let operation = |verb: &str| format!("{verb}{schema}");
    let link = |name: String, operation: String, parameter: &str, member: &'static str| Link {
        name,
        operation,
        parameter: parameter.to_owned(),
        member,
    };
    let id = getter.path_parameter(version).unwrap_or_default();
    let mut links = vec![
        link(format!("Get{word}ById"), operation("get"), &id, "id"),
        link(format!("Patch{word}ById"), operation("update"), &id, "id"),
        link(format!("Search{word}ByExternalId"), operation("find"), "externalId", "externalId"),
        link(format!("Search{word}ByName"), operation("find"), "name", "name"),
    ];
    if BY_PARENT.contains(&schema) {
        links.push(link(format!("Search{word}ByParentResourceId"), operation("find"), "parentResourceId", "id"));
    }
    links
}

/// The links of responses with an entity, as references; `None` for entities without an operation that gets one.
pub(super) fn of(operations: &[Operation], schema: &str, version: ApiVersion) -> Option<Value> {
    let getter = operations.iter().find(|operation| getter(operation) && operation.subject.schema == schema)?;
    let references = links(getter, version).into_iter().map(|link| {
        let component = named(&link.name, version);
        (link.name, reference("links", &component))
    });
    Some(Value::Object(references.collect()))
}

/// Every link of a version.
pub(super) fn all(operations: &[Operation], version: ApiVersion) -> Map<String, Value> {
    let links = operations.iter().filter(|operation| getter(operation)).flat_map(|getter| links(getter, version));
    links
        .map(|link| {
            let mut parameters = Map::new();
            parameters.insert(link.parameter, format!("$response.body#/{}", link.member).into());
            let described = json!({"operationId": named(&link.operation, version), "parameters": parameters});
            (named(&link.name, version), described)
        })
        .collect()
}
