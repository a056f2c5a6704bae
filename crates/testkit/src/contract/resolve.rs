//! Normalises schemas: `allOf` merged, descriptions dropped, references to named schemas kept as names.

use serde_json::{Map, Value, json};

/// Members without effect on the wire format.
const PROSE: [&str; 4] = ["description", "title", "example", "summary"];

/// Returns the component a reference points to, and its name; a value without a reference is returned unchanged.
pub(super) fn follow<'a>(document: &'a Value, value: &'a Value) -> (&'a Value, Option<&'a str>) {
    let Some(reference) = value["$ref"].as_str() else { return (value, None) };
    let pointer = reference.strip_prefix('#').unwrap_or(reference);
    let target = document.pointer(pointer).unwrap_or_else(|| panic!("no such component: {reference}"));
    (follow(document, target).0, reference.rsplit('/').next())
}

/// Normalises the schema of a field or body; a named schema stays a reference by name.
pub(super) fn schema(document: &Value, given: &Value) -> Value {
    if given.get("$ref").is_some() {
        // OpenAPI 3.0 ignores the siblings of `$ref`.
        let (_, name) = follow(document, given);
        return json!({"$ref": name});
    }
    // An `allOf` with one reference is how OpenAPI 3.0 adds members to a reference.
    let only =
        given["allOf"].as_array().and_then(|all| if let [only] = all.as_slice() { only.get("$ref") } else { None });
    let Some(only) = only else { return expanded(document, given) };
    let mut siblings = given.as_object().cloned().unwrap_or_default();
    siblings.retain(|key, _| key != "allOf" && !PROSE.contains(&key.as_str()));
    siblings.extend(schema(document, &json!({"$ref": only})).as_object().cloned().unwrap_or_default());
    Value::Object(siblings)
}

/// Normalises a named schema, with everything its `allOf` adds.
pub(super) fn expanded(document: &Value, given: &Value) -> Value {
    let Some(members) = given.as_object() else { return given.clone() };
    let mut resolved = Map::new();
    for (key, value) in members.iter().filter(|(key, _)| !PROSE.contains(&key.as_str())) {
        let value = match key.as_str() {
            "allOf" => continue,
            "properties" => {
                value.as_object().unwrap().iter().map(|(name, of)| (name.clone(), schema(document, of))).collect()
            }
            "items" | "additionalProperties" => schema(document, value),
            "oneOf" => value.as_array().unwrap().iter().map(|member| schema(document, member)).collect(),
            "discriminator" => discriminator(value),
            _ => value.clone(),
        };
        resolved.insert(key.clone(), value);
    }
    for member in members.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        merge(&mut resolved, expanded(document, follow(document, member).0));
    }
    if let Some(Value::Array(required)) = resolved.get_mut("required") {
        required.sort_by_key(ToString::to_string);
        required.dedup();
    }
    if resolved.get("readOnly") == Some(&json!(false)) {
        resolved.remove("readOnly");
    }
    Value::Object(resolved)
}

/// Replaces the references of a mapping by names.
fn discriminator(given: &Value) -> Value {
    let mut discriminator = given.clone();
    for target in discriminator["mapping"].as_object_mut().into_iter().flat_map(Map::values_mut) {
        let name = target.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned();
        *target = name.into();
    }
    discriminator
}

/// Merges the members of one part of an `allOf` into another.
fn merge(into: &mut Map<String, Value>, from: Value) {
    let Value::Object(from) = from else { return };
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), value @ Value::Object(_)) => merge(old, value),
            (Some(Value::Array(old)), Value::Array(new)) => old.extend(new),
            (Some(_), _) => {}
            (None, value) => drop(into.insert(key, value)),
        }
    }
}
