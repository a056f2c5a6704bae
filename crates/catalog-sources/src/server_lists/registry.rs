//! `server.json` of the MCP registry: a single document, a list of them, or a response of its API.
//!
//! The catalog's fields are filled from the document, which is published unchanged as `serverJson`. `docs/catalog.md` has the
//! table.

use std::collections::BTreeSet;
use std::path::Path;

use model_registry_api::CustomProperty;

use super::nodes::{
    Members, Variable, artifact, custom_property, image_uri, is_true, list_property, maps, runtime_metadata, text,
    transport, value,
};
use super::{Published, Sink, Text};
use crate::problem::{Position, Problem};
use crate::yaml::{Entry, Node, Part, read_streamed};

/// The list of servers in a response of the API.
const SERVERS: &str = "servers";
/// Member of `_meta` with what the registry says about a server.
const OFFICIAL: &str = "io.modelcontextprotocol.registry/official";
/// Registry of images without one.
const DOCKER_HUB: &str = "docker.io";

/// The members of a document. Before September 2025 some were in snake case; they are in `serverJson` only.
const KNOWN: [&str; 12] = [
    "$schema",
    "name",
    "title",
    "description",
    "version",
    "websiteUrl",
    "repository",
    "icons",
    "packages",
    "remotes",
    "status",
    "_meta",
];

/// Whether a file in a directory is one.
pub(super) fn is_document(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json")
}

/// Reads the servers of a file.
pub(super) fn read(Text { file, reader, limit }: Text<'_>, sink: &mut dyn Sink) -> Result<(), Problem> {
    let mut members: Vec<(Node, Node)> = Vec::new();
    let has_list = read_streamed(file, reader, limit, SERVERS, |part| match part {
        Part::Element { value, .. } => server(value, sink),
        Part::Member { key, value } => {
            members.push((key.clone(), value.node.clone()));
            Ok(())
        }
    })?;
    let position = members.first().map_or(Position { line: 1, column: 1 }, |(key, _)| key.position);
    let document = Node::of_members(position, members);
    if !has_list {
        if ["name", "server"].iter().all(|key| document.get(key).is_none()) {
            let reason = "is neither a server.json, which has a `name`, nor a list `servers` of them";
            return Err(Problem::at(file, position, reason));
        }
        return server(Entry { file, node: &document }, sink);
    }
    if document.get("metadata").is_some_and(|metadata| text_of_cursor(metadata).is_some()) {
        let reason = "the list continues: `metadata.nextCursor` names a next page, whose servers are not in this file";
        sink.notice(Problem::at(file, position, reason));
    }
    Ok(())
}

fn text_of_cursor(metadata: &Node) -> Option<&str> {
    text(metadata, "nextCursor").or_else(|| text(metadata, "next_cursor"))
}

/// A document, alone or with the metadata of its registry.
fn server(entry: Entry<'_>, sink: &mut dyn Sink) -> Result<(), Problem> {
    if entry.node.entries().is_none() {
        // Without its content: the path may lead to any file of the machine.
        sink.problem(entry.problem("is left out: a server is a map"), None);
        return Ok(());
    }
    let server = entry.get("server").filter(|server| server.node.entries().is_some()).unwrap_or(entry);
    let official = |node: &Node| node.get("_meta").and_then(|meta| meta.get(OFFICIAL)).cloned();
    let official = official(entry.node).or_else(|| official(server.node));
    let official = official.unwrap_or_else(|| Node::of_members(entry.node.position, Vec::new()));
    let status = text(&official, "status").or_else(|| text(server.node, "status"));
    if status == Some("deleted") {
        return Ok(());
    }
    for key in server.unknown_keys(&KNOWN) {
        let name = text(server.node, "name").unwrap_or_default();
        let reason = format!("MCP server \"{name}\" has the {}", key.with(", which is only in its serverJson"));
        sink.notice(server.problem_at(Some(key.position), reason));
    }
    let mut members = members(server.node);
    members.extend(value(&official, "publishedAt").map(|time| ("publishedDate", time.clone())));
    members.extend(value(&official, "updatedAt").map(|time| ("lastUpdated", time.clone())));
    let position = server.node.position;
    let mut properties = Vec::new();
    properties
        .extend(status.map(|status| ("registryStatus", custom_property(position, CustomProperty::String(status)))));
    let types: BTreeSet<String> =
        maps(server.node, "packages").filter_map(|package| text(package, "registryType")).map(str::to_owned).collect();
    if !types.is_empty() {
        properties.push(("packageTypes", list_property(position, &types)));
    }
    sink.published(Published {
        file: entry.file,
        position,
        members,
        properties,
        publication_time: text(&official, "publishedAt"),
        is_marked: is_true(&official, "isLatest"),
    })
}

fn members(server: &Node) -> Members {
    let mut members = Vec::new();
    for (key, from) in [
        ("name", "name"),
        ("displayName", "title"),
        ("description", "description"),
        ("version", "version"),
        ("documentationUrl", "websiteUrl"),
    ] {
        members.extend(value(server, from).map(|value| (key, value.clone())));
    }
    let repository = server.get("repository").and_then(|repository| value(repository, "url"));
    members.extend(repository.map(|url| ("repositoryUrl", url.clone())));
    let icon = maps(server, "icons").find_map(|icon| value(icon, "src"));
    members.extend(icon.map(|icon| ("logo", icon.clone())));
    // The part of the name before the slash is the domain of the publisher, in reverse.
    if let Some((name, (namespace, _))) =
        value(server, "name").and_then(|name| Some((name, name.as_str()?.split_once('/')?)))
    {
        members.push(("provider", Node::string(name.position, namespace)));
    }
    let packages: Vec<&Node> = maps(server, "packages").collect();
    let endpoints = endpoints(server);
    let mode = if !packages.is_empty() {
        Some("local")
    } else if endpoints.is_empty() {
        None
    } else {
        Some("remote")
    };
    members.extend(mode.map(|mode| ("deploymentMode", Node::string(server.position, mode))));
    let transports = transports(server, &packages);
    if !transports.is_empty() {
        members.push(("transports", Node::list(server.position, transports)));
    }
    if !endpoints.is_empty() {
        members.push(("endpoints", Node::map(server.position, endpoints)));
    }
    let artifacts: Vec<Node> = packages.iter().filter_map(|package| package_artifact(package)).collect();
    if !artifacts.is_empty() {
        members.push(("artifacts", Node::list(server.position, artifacts)));
    }
    let variables = packages.iter().flat_map(|package| maps(package, "environmentVariables")).filter_map(variable);
    let metadata = runtime_metadata(server.position, variables.collect());
    members.extend(metadata.map(|metadata| ("runtimeMetadata", metadata)));
    members.push(("server_json", server.clone()));
    members
}

/// The URL of the first remote of each transport.
fn endpoints(server: &Node) -> Members {
    let url = |name: &str| {
        let mut remotes = maps(server, "remotes").filter(|remote| text(remote, "type").map(transport) == Some(name));
        remotes.find_map(|remote| value(remote, "url")).cloned()
    };
    ["http", "sse"].into_iter().filter_map(|name| Some((name, url(name)?))).collect()
}

/// The transports of packages and remotes, each once.
fn transports(server: &Node, packages: &[&Node]) -> Vec<Node> {
    let of_packages = packages.iter().filter_map(|package| package.get("transport"));
    let mut seen = BTreeSet::new();
    let mut transports = Vec::new();
    for declared in of_packages.chain(maps(server, "remotes")) {
        let Some(name) = text(declared, "type").map(transport) else { continue };
        if seen.insert(name) {
            transports.push(Node::string(declared.position, name));
        }
    }
    transports
}

/// Where a package is that has a location of its own; packages of npm, `PyPI` and `NuGet` are in `serverJson` only.
fn package_artifact(package: &Node) -> Option<Node> {
    let identifier = text(package, "identifier")?;
    let uri = match text(package, "registryType")? {
        "oci" => {
            let base = text(package, "registryBaseUrl").and_then(|url| url.split_once("://")).map(|(_, host)| host);
            let host = base.map_or(DOCKER_HUB, |host| host.trim_end_matches('/'));
            image_uri(identifier, host, text(package, "version"))
        }
        "mcpb" => identifier.to_owned(),
        _ => return None,
    };
    Some(artifact(package.position, uri))
}

fn variable(variable: &Node) -> Option<Variable<'_>> {
    let value_type = match text(variable, "format") {
        _ if is_true(variable, "isSecret") => "secret",
        Some("boolean") => "boolean",
        _ => "string",
    };
    Some(Variable {
        position: variable.position,
        name: text(variable, "name")?,
        description: text(variable, "description"),
        is_required: is_true(variable, "isRequired"),
        default: text(variable, "default").or_else(|| text(variable, "value")),
        example: text(variable, "placeholder"),
        value_type,
    })
}
