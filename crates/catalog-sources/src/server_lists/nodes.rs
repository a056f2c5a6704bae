//! Helpers for mapping foreign documents to entries of a data file of MCP servers.

use std::collections::BTreeSet;

use model_registry_api::CustomProperty;
use serde_json::Value;

use crate::problem::Position;
use crate::yaml::Node;

/// The members of an entry of a data file.
pub(super) type Members = Vec<(&'static str, Node)>;

/// A custom property as data files have them.
pub(super) fn custom_property(position: Position, property: CustomProperty<'_>) -> Node {
    let members = property.to_json();
    let members = members.as_object().into_iter().flatten().map(|(name, value)| {
        let node = match value {
            Value::Bool(flag) => Node::boolean(position, *flag),
            Value::String(text) => Node::string(position, text.as_str()),
            other => Node::string(position, other.to_string()),
        };
        (name.as_str(), node)
    });
    Node::map(position, members.collect::<Vec<_>>())
}

/// A list of strings as a custom property, which filters read as a list.
pub(super) fn list_property(position: Position, elements: &BTreeSet<String>) -> Node {
    let json = serde_json::to_string(elements).unwrap_or_default();
    custom_property(position, CustomProperty::String(&json))
}

/// The value of a key, unless it is null or an empty string.
pub(super) fn value<'a>(map: &'a Node, key: &str) -> Option<&'a Node> {
    map.get(key).filter(|value| !value.is_null() && value.as_str() != Some(""))
}

/// The string of a key, unless it is empty.
pub(super) fn text<'a>(map: &'a Node, key: &str) -> Option<&'a str> {
    value(map, key).and_then(Node::as_str)
}

pub(super) fn is_true(map: &Node, key: &str) -> bool {
    text(map, key) == Some("true")
}

/// The maps in the list of a key.
pub(super) fn maps<'a>(map: &'a Node, key: &str) -> impl Iterator<Item = &'a Node> {
    let elements = map.get(key).and_then(Node::elements).unwrap_or_default();
    elements.iter().filter(|element| element.entries().is_some())
}

/// A transport of a server under its name in the catalog.
pub(super) fn transport(name: &str) -> &str {
    if name == "streamable-http" { "http" } else { name }
}

/// The URI of an image: `oci://host/name:tag`. `host` is that of images without one.
pub(super) fn image_uri(image: &str, host: &str, tag: Option<&str>) -> String {
    let image = image.strip_prefix("oci://").unwrap_or(image);
    let has_host = image.split_once('/').is_some_and(|(first, _)| first.contains(['.', ':']) || first == "localhost");
    let named = if has_host { image.to_owned() } else { format!("{host}/{image}") };
    let last = image.rsplit('/').next().unwrap_or_default();
    match tag.filter(|_| !last.contains([':', '@'])) {
        Some(tag) => format!("oci://{named}:{tag}"),
        None => format!("oci://{named}"),
    }
}

/// An image to run a server from, at the position of what names it.
pub(super) fn artifact(position: Position, uri: String) -> Node {
    Node::map(position, [("uri", Node::string(position, uri))])
}

/// The description of an environment variable.
pub(super) struct Variable<'a> {
    pub(super) position: Position,
    pub(super) name: &'a str,
    pub(super) description: Option<&'a str>,
    pub(super) is_required: bool,
    pub(super) default: Option<&'a str>,
    pub(super) example: Option<&'a str>,
    pub(super) value_type: &'a str,
}

/// `runtimeMetadata` with the environment variables; of several with one name the first counts.
pub(super) fn runtime_metadata(position: Position, variables: Vec<Variable<'_>>) -> Option<Node> {
    let mut names = BTreeSet::new();
    let (mut required, mut optional) = (Vec::new(), Vec::new());
    for variable in variables {
        if !names.insert(variable.name) {
            continue;
        }
        let position = variable.position;
        let string = |text: &str| Node::string(position, text);
        let mut members = vec![
            ("name", string(variable.name)),
            // The API requires a description.
            ("description", string(variable.description.unwrap_or_default())),
            ("required", Node::boolean(position, variable.is_required)),
            ("type", string(variable.value_type)),
        ];
        members.extend(variable.default.map(|default| ("defaultValue", string(default))));
        members.extend(variable.example.map(|example| ("example", string(example))));
        let list = if variable.is_required { &mut required } else { &mut optional };
        list.push(Node::map(position, members));
    }
    let lists = [("requiredEnvironmentVariables", required), ("optionalEnvironmentVariables", optional)];
    let lists: Vec<_> = lists.into_iter().filter(|(_, list)| !list.is_empty()).collect();
    if lists.is_empty() {
        return None;
    }
    Some(Node::map(position, lists.into_iter().map(|(key, list)| (key, Node::list(position, list)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_get_a_host_and_a_tag_unless_they_have_one() {
        for (image, tag, uri) in [
            ("mcp/time", None, "oci://docker.io/mcp/time"),
            ("mcp/time", Some("1.2"), "oci://docker.io/mcp/time:1.2"),
            ("mcp/time:1", Some("1.2"), "oci://docker.io/mcp/time:1"),
            ("ghcr.io/a/b@sha256:0f", Some("1"), "oci://ghcr.io/a/b@sha256:0f"),
            ("localhost:5000/a", Some("1"), "oci://localhost:5000/a:1"),
            ("oci://quay.io/a/b", None, "oci://quay.io/a/b"),
        ] {
            assert_eq!(image_uri(image, "docker.io", tag), uri);
        }
    }
}
