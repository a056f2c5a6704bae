//! Docker's catalog of MCP servers: the file of a catalog (`registry:` with a server per name), or the `server.yaml` of one
//! server with the `tools.json` next to it. `docs/catalog.md` has the table.

use std::path::Path;

use model_registry_api::CustomProperty;

use super::nodes::{
    Members, Variable, artifact, custom_property, image_uri, is_true, maps, runtime_metadata, text, transport, value,
};
use super::{Published, Sink, Text};
use crate::problem::{Position, Problem};
use crate::yaml::{Entry, IGNORED, Node, Part, read_streamed};

/// The map of servers in the file of a catalog.
const REGISTRY: &str = "registry";
const CATALOG_KEYS: [&str; 3] = ["version", "name", "displayName"];
/// The file of one server, and the file with its tools.
const SERVER_FILES: [&str; 2] = ["server.yaml", "server.yml"];
const TOOLS_FILE: &str = "tools.json";
/// Registry of images without one.
const DOCKER_HUB: &str = "docker.io";

/// Keys of a server in a catalog. Those that the catalog has no field for are ignored.
const TILE_KEYS: [&str; 29] = [
    "name",
    "description",
    "title",
    "type",
    "dateAdded",
    "image",
    "ref",
    "readme",
    "toolsUrl",
    "longLived",
    "source",
    "upstream",
    "remote",
    "sseEndpoint",
    "icon",
    "tools",
    "secrets",
    "env",
    "command",
    "volumes",
    "user",
    "disableNetwork",
    "allowHosts",
    "prompts",
    "resources",
    "config",
    "metadata",
    "oauth",
    "singleton",
];
/// Keys of a `server.yaml`.
const SERVER_KEYS: [&str; 14] = [
    "name",
    "image",
    "type",
    "longLived",
    "meta",
    "about",
    "source",
    "run",
    "config",
    "remote",
    "oauth",
    "tools",
    "env",
    "dynamic",
];

/// Whether a file in a directory describes a server.
pub(super) fn is_document(file: &Path) -> bool {
    file.file_name().is_some_and(|name| SERVER_FILES.iter().any(|known| name == *known))
}

/// Reads the servers of a file.
pub(super) fn read(Text { file, reader, limit }: Text<'_>, sink: &mut dyn Sink) -> Result<(), Problem> {
    let mut members: Vec<(Node, Node)> = Vec::new();
    let has_registry = read_streamed(file, reader, limit, REGISTRY, |part| match part {
        Part::Element { key: Some(key), value } => tile(key, value, sink),
        Part::Element { key: None, value } => {
            Err(value.problem(format!("`{REGISTRY}`: expected a map of servers by name, found a list")))
        }
        Part::Member { key, value } => {
            members.push((key.clone(), value.node.clone()));
            Ok(())
        }
    })?;
    let position = members.first().map_or(Position { line: 1, column: 1 }, |(key, _)| key.position);
    let document = Node::of_members(position, members);
    let document = Entry { file, node: &document };
    if !has_registry {
        return server(document, sink);
    }
    for key in document.unknown_keys(&CATALOG_KEYS) {
        sink.notice(document.problem_at(Some(key.position), key.with(IGNORED)));
    }
    Ok(())
}

/// A server of a catalog.
fn tile(key: &Node, tile: Entry<'_>, sink: &mut dyn Sink) -> Result<(), Problem> {
    let name = key.as_str().unwrap_or_default();
    if tile.node.entries().is_none() {
        let reason = format!("MCP server \"{name}\" is left out: expected a map, found {}", tile.node.describe());
        sink.problem(tile.problem(reason), Some(name));
        return Ok(());
    }
    report_unknown(name, tile, &TILE_KEYS, sink);
    published(tile.file, key.clone(), tile.node, sink)
}

fn report_unknown(name: &str, entry: Entry<'_>, known: &[&str], sink: &mut dyn Sink) {
    for key in entry.unknown_keys(known) {
        let reason = format!("MCP server \"{name}\" has the {}", key.with(IGNORED));
        sink.notice(entry.problem_at(Some(key.position), reason));
    }
}

/// The server of a `server.yaml`: its members under the names that a catalog gives them.
fn server(entry: Entry<'_>, sink: &mut dyn Sink) -> Result<(), Problem> {
    let node = entry.node;
    let Some(name) = value(node, "name") else {
        let reason = format!("is neither a catalog with a map `{REGISTRY}` nor a server.yaml with a `name`");
        return Err(entry.problem(reason));
    };
    report_unknown(name.as_str().unwrap_or_default(), entry, &SERVER_KEYS, sink);
    let mut tile: Vec<(&str, Node)> = Vec::new();
    let mut copy = |key: &'static str, from: Option<&Node>| tile.extend(from.map(|value| (key, value.clone())));
    for key in ["type", "image", "remote"] {
        copy(key, node.get(key));
    }
    let [about, meta, source, config] = ["about", "meta", "source", "config"].map(|key| node.get(key));
    for key in ["title", "description", "icon"] {
        copy(key, about.and_then(|about| about.get(key)));
    }
    copy("metadata", meta);
    copy("upstream", source.and_then(|source| value(source, "upstream").or_else(|| value(source, "project"))));
    for key in ["secrets", "env"] {
        copy(key, config.and_then(|config| config.get(key)));
    }
    match sink.companion(&entry.file.with_file_name(TOOLS_FILE)) {
        Some(Ok(tools)) => copy("tools", tools.as_ref()),
        Some(Err(problem)) => sink.problem(problem, None),
        None => copy("tools", node.get("tools")),
    }
    if let Some((source, project)) = source.and_then(|source| Some((source, text(source, "project")?))) {
        let mut url = format!("{project}/tree/{}", text(source, "branch").unwrap_or("main"));
        url.extend(text(source, "directory").map(|directory| format!("/{directory}")));
        tile.push(("source", Node::string(source.position, url)));
    }
    published(entry.file, name.clone(), &Node::map(node.position, tile), sink)
}

fn published(file: &Path, name: Node, tile: &Node, sink: &mut dyn Sink) -> Result<(), Problem> {
    let position = name.position;
    let metadata = tile.get("metadata");
    let mut properties = Vec::new();
    for (key, value) in
        [("category", metadata.and_then(|metadata| text(metadata, "category"))), ("dockerType", text(tile, "type"))]
    {
        properties.extend(value.map(|value| (key, custom_property(position, CustomProperty::String(value)))));
    }
    let mut members = vec![("name", name)];
    members.extend(self::members(tile));
    sink.published(Published { file, position, members, properties, publication_time: None, is_marked: false })
}

fn members(tile: &Node) -> Members {
    let mut members = Vec::new();
    for (key, from) in [
        ("displayName", "title"),
        ("description", "description"),
        ("logo", "icon"),
        ("documentationUrl", "readme"),
        ("repositoryUrl", "upstream"),
        ("sourceCode", "source"),
        ("publishedDate", "dateAdded"),
    ] {
        members.extend(value(tile, from).map(|value| (key, value.clone())));
    }
    if let Some(metadata) = tile.get("metadata") {
        for (key, from) in [("license", "license"), ("provider", "owner"), ("tags", "tags")] {
            members.extend(value(metadata, from).map(|value| (key, value.clone())));
        }
    }
    let remote = tile.get("remote").and_then(|remote| Some((remote, value(remote, "url")?)));
    let (mode, transport) = match remote {
        Some((remote, url)) => {
            let transport = text(remote, "transport_type").map_or("http", transport);
            members.push(("endpoints", Node::map(url.position, [(endpoint(transport), url.clone())])));
            ("remote", transport)
        }
        None => ("local", "stdio"),
    };
    members.push(("deploymentMode", Node::string(tile.position, mode)));
    members.push(("transports", Node::list(tile.position, vec![Node::string(tile.position, transport)])));
    if let Some(image) = value(tile, "image")
        && let Some(name) = image.as_str()
    {
        let position = image.position;
        let artifact = artifact(position, image_uri(name, DOCKER_HUB, None));
        members.push(("artifacts", Node::list(position, vec![artifact])));
    }
    let tools: Vec<Node> = maps(tile, "tools").map(tool).collect();
    if !tools.is_empty() {
        members.push(("tools", Node::list(tile.position, tools)));
    }
    let secrets = maps(tile, "secrets").filter_map(secret);
    let variables = maps(tile, "env").filter_map(variable);
    members.extend(
        runtime_metadata(tile.position, secrets.chain(variables).collect()).map(|one| ("runtimeMetadata", one)),
    );
    members
}

fn endpoint(transport: &str) -> &'static str {
    if transport == "sse" { "sse" } else { "http" }
}

/// A tool. Its publisher may say that it reads only; otherwise a call may do anything.
fn tool(tool: &Node) -> Node {
    let mut members: Members = Vec::new();
    for key in ["name", "description"] {
        members.extend(tool.get(key).map(|value| (key, value.clone())));
    }
    let annotations = tool.get("annotations");
    let says = |key: &str, expected: &str| annotations.and_then(|map| text(map, key)) == Some(expected);
    let access = match () {
        () if says("readOnlyHint", "true") => "read_only",
        () if says("destructiveHint", "false") => "read_write",
        () => "execute",
    };
    members.push(("accessType", Node::string(tool.position, access)));
    let arguments = maps(tool, "arguments").filter_map(argument);
    let parameters: Vec<Node> = arguments.chain(schema_properties(tool)).collect();
    if !parameters.is_empty() {
        members.push(("parameters", Node::list(tool.position, parameters)));
    }
    Node::map(tool.position, members)
}

/// A parameter of a tool in the form of `tools.json`.
fn argument(argument: &Node) -> Option<Node> {
    let is_required = !is_true(argument, "optional");
    Some(parameter(value(argument, "name")?, argument, "desc", is_required))
}

/// The parameters of a tool in the form of a JSON schema.
fn schema_properties(tool: &Node) -> Vec<Node> {
    let Some(schema) = tool.get("parameters") else { return Vec::new() };
    let required = schema.get("required").and_then(Node::elements).unwrap_or_default();
    let properties = schema.get("properties").and_then(Node::entries).unwrap_or_default();
    let is_required = |name: &Node| required.iter().any(|one| one.as_str() == name.as_str());
    properties.iter().map(|(name, schema)| parameter(name, schema, "description", is_required(name))).collect()
}

fn parameter(name: &Node, schema: &Node, description: &str, is_required: bool) -> Node {
    let mut members: Members = vec![("name", name.clone())];
    members.extend(value(schema, "type").map(|value| ("type", value.clone())));
    members.extend(value(schema, description).map(|value| ("description", value.clone())));
    members.push(("required", Node::boolean(name.position, is_required)));
    Node::map(name.position, members)
}

fn secret(secret: &Node) -> Option<Variable<'_>> {
    Some(Variable {
        position: secret.position,
        name: text(secret, "env")?,
        description: text(secret, "description"),
        // Absent in most catalogs, whose servers do not start without.
        is_required: text(secret, "required") != Some("false"),
        default: None,
        example: text(secret, "example"),
        value_type: "secret",
    })
}

/// A variable with a value, or with a template such as `{{server.url}}` that the user's settings fill in.
fn variable(variable: &Node) -> Option<Variable<'_>> {
    let value = text(variable, "value");
    let is_template = value.is_some_and(|value| value.contains("{{"));
    Some(Variable {
        position: variable.position,
        name: text(variable, "name")?,
        description: None,
        is_required: false,
        default: value.filter(|_| !is_template),
        example: text(variable, "example").or(value.filter(|_| is_template)),
        value_type: if is_template { "config" } else { "string" },
    })
}
