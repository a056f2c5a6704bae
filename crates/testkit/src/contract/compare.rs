//! Lists the differences between two OpenAPI documents, one line each.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::resolve::{expanded, follow, schema};

/// Returns every difference below the base paths, as `<place>: <value in the contract> -> <value in ours>`.
///
/// # Panics
///
/// When a document is not an OpenAPI document.
pub fn compare(contract: &Value, ours: &Value, bases: &[&str]) -> BTreeSet<String> {
    let mut differences = Differences::default();
    let (theirs, of_ours) = (operations(contract, bases), operations(ours, bases));
    for label in theirs.keys().chain(of_ours.keys()).collect::<BTreeSet<_>>() {
        match (theirs.get(label), of_ours.get(label)) {
            (Some(theirs), Some(of_ours)) => {
                let (theirs, of_ours) = (facts(contract, theirs), facts(ours, of_ours));
                differences.value(label, &theirs, &of_ours);
            }
            (theirs, _) => differences.presence(label, theirs.is_some()),
        }
    }
    let names = |document: &Value| -> BTreeSet<String> {
        document["components"]["schemas"].as_object().unwrap().keys().cloned().collect()
    };
    let (theirs, of_ours) = (names(contract), names(ours));
    for name in &theirs | &of_ours {
        if theirs.contains(&name) && of_ours.contains(&name) {
            differences.value(&name, &component(contract, &name), &component(ours, &name));
        } else {
            differences.presence(&format!("schema {name}"), theirs.contains(&name));
        }
    }
    // Bodies whose schemas have different names are compared too.
    for (their_name, our_name) in std::mem::take(&mut differences.renamed) {
        differences.value(&our_name, &component(contract, &their_name), &component(ours, &our_name));
    }
    differences.lines
}

fn component(document: &Value, name: &str) -> Value {
    expanded(document, &document["components"]["schemas"][name])
}

/// Returns every operation below the base paths, by method and relative path, including the parameters of its path.
///
/// # Panics
///
/// When the document is not an OpenAPI document.
pub fn operations(document: &Value, bases: &[&str]) -> BTreeMap<String, Value> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let below = |base: &&str| path.strip_prefix(*base)?.strip_prefix('/');
        let Some(relative) = bases.iter().find_map(below) else { continue };
        let shared = item["parameters"].as_array().cloned().unwrap_or_default();
        for (method, operation) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            let mut operation = operation.clone();
            let own = operation["parameters"].as_array().cloned().unwrap_or_default();
            operation["parameters"] = shared.iter().cloned().chain(own).collect();
            operations.insert(format!("{} /{relative}", method.to_uppercase()), operation);
        }
    }
    operations
}

/// The parts of an operation that are compared.
fn facts(document: &Value, operation: &Value) -> Value {
    let mut parameters = Map::new();
    for parameter in operation["parameters"].as_array().unwrap() {
        let (parameter, _) = follow(document, parameter);
        let place = format!("{} {}", parameter["in"].as_str().unwrap(), parameter["name"].as_str().unwrap());
        let required = parameter["required"].as_bool().unwrap_or_default();
        parameters.insert(place, json!({"required": required, "schema": schema(document, &parameter["schema"])}));
    }
    let mut responses = Map::new();
    for (status, response) in operation["responses"].as_object().unwrap() {
        let (response, _) = follow(document, response);
        let links = response["links"].as_object().into_iter().flatten();
        let links: Map<_, _> = links.map(|(name, link)| (name.clone(), follow(document, link).0.clone())).collect();
        responses.insert(status.clone(), json!({"body": json_body(document, response), "links": links}));
    }
    let body = &operation["requestBody"];
    json!({
        "operationId": operation["operationId"],
        "parameters": parameters,
        "body": if body.is_null() { Value::Null } else { json!({"required": body["required"], "schema": json_body(document, body)}) },
        "responses": responses,
    })
}

fn json_body(document: &Value, content: &Value) -> Value {
    let body = &content["content"]["application/json"]["schema"];
    if body.is_null() { Value::Null } else { schema(document, body) }
}

#[derive(Default)]
struct Differences {
    lines: BTreeSet<String>,
    renamed: BTreeSet<(String, String)>,
}

impl Differences {
    fn presence(&mut self, label: &str, is_in_contract: bool) {
        let words = if is_in_contract { "missing" } else { "additional" };
        self.lines.insert(format!("{label}: {words}"));
    }

    fn value(&mut self, place: &str, theirs: &Value, ours: &Value) {
        match (theirs, ours) {
            (Value::Object(their_members), Value::Object(our_members)) => {
                let keys: BTreeSet<_> = their_members.keys().chain(our_members.keys()).collect();
                for key in keys {
                    let place = format!("{place} {key}");
                    match (their_members.get(key), our_members.get(key)) {
                        (Some(theirs), Some(ours)) => self.value(&place, theirs, ours),
                        // A whole parameter, field or response is reported by name; anything else with its value.
                        (theirs, Some(Value::Object(_)) | None) => self.presence(&place, theirs.is_some()),
                        (_, Some(ours)) => drop(self.lines.insert(format!("{place}: none -> {ours}"))),
                    }
                }
            }
            (theirs, ours) if theirs == ours => {}
            (theirs, ours) => {
                self.lines.insert(format!("{place}: {theirs} -> {ours}"));
                if let (Some(theirs), Some(ours)) = (theirs.as_str(), ours.as_str())
                    && place.ends_with("body schema $ref")
                {
                    self.renamed.insert((theirs.to_owned(), ours.to_owned()));
                }
            }
        }
    }
}
