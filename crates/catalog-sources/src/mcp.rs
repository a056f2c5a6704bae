//! MCP server files: YAML → the items that a source publishes.
//!
//! Unlike in model files, an unknown key is not an error (parity, catalog-service 3.10): it is told, and the server is
//! published without it. The same goes for values that the API has no word for.

mod entry;
mod notices;

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::io::Read;
use std::path::Path;

use model_registry_catalog_store::{CatalogItem, CatalogKind};
use model_registry_store::Document;
use serde_json::{Map, Value, json};

use self::entry::{ParameterEntry, SecurityIndicators, ServerEntry, ToolEntry};
use self::notices::{filled, notices, runtime_metadata};
use crate::license;
use crate::models::Found;
use crate::pattern::NameFilter;
use crate::values::{self, put};
use crate::yaml::{Breach, DOES_NOTHING, ListFile, MostText, Problem, UnknownKeys};

const LONGEST_VERSION: usize = 100;

pub const TRANSPORTS: [&str; 3] = ["stdio", "http", "sse"];
pub const DEPLOYMENT_MODES: [&str; 2] = ["local", "remote"];
/// The last one is the one to be most careful with.
pub const ACCESS_TYPES: [&str; 3] = ["read_only", "read_write", "execute"];

const SERVER_FILE: ListFile =
    ListFile { list: "mcp_servers", keys: &["source", "mcp_servers"], unknown_keys: UnknownKeys::DoesNothing };

/// Reads a server file for a source.
pub(crate) fn read(file: &Path, reader: impl Read, source_id: &str, filter: &NameFilter) -> Result<Found, Problem> {
    let mut found = Found::default();
    let mut lines: HashMap<String, usize> = HashMap::new();
    let of_file = SERVER_FILE.read(file, reader, MostText::OfSource, |entry| {
        let name = entry.get("name").and_then(|name| name.node.text()).unwrap_or_default().trim();
        let about = |reason: &dyn Display| format!("server \"{name}\" {reason}");
        if !name.is_empty() && !filter.allows(name) {
            return Ok(());
        }
        let (server, unknown) = entry.read::<ServerEntry>();
        let server = match server {
            Ok(server) => server,
            Err(mistake) => {
                let reason = about(&format_args!("is left out: {mistake}"));
                found.problems.push(entry.problem_at(mistake.place(), reason));
                return Ok(());
            }
        };
        match item(&server, name, source_id) {
            Ok((item, of_parts)) => {
                if let Some(first) = lines.get(&item.key) {
                    let reason = format!("is there already in this version, in line {first}: this one is left out");
                    found.problems.push(entry.problem(about(&reason)));
                } else {
                    lines.insert(item.key.clone(), entry.node.place.line);
                    let told = unknown.iter().map(|key| (key.place, format!("has the {}", key.with(DOES_NOTHING))));
                    let told = told.chain(notices(entry, &server));
                    let of_parts = of_parts.into_iter();
                    let told = told.chain(of_parts.map(|breach| (breach.place(entry), breach.reason)));
                    found.notices.extend(told.map(|(place, reason)| entry.problem_at(Some(place), about(&reason))));
                    found.items.push(&item);
                }
            }
            Err(breach) => {
                found.problems.push(entry.problem_at(Some(breach.place(entry)), about(&breach.reason)));
            }
        }
        Ok(())
    })?;
    found.notices.extend(of_file);
    Ok(found)
}

/// The server, and what is worth telling of its tools and properties.
fn item(entry: &ServerEntry, name: &str, source_id: &str) -> Result<(CatalogItem, Vec<Breach>), Breach> {
    values::check_name(name).map_err(|reason| Breach::from(reason).in_key("name"))?;
    let version = entry.version.as_deref().unwrap_or_default();
    if name.contains('@') || version.contains('@') {
        let key = if name.contains('@') { "name" } else { "version" };
        return Err(Breach::from("contains '@' in its name or version".to_owned()).in_key(key));
    }
    let key = if version.is_empty() { name.to_owned() } else { format!("{name}@{version}") };
    if version.chars().count() > LONGEST_VERSION || key.chars().count() > values::LONGEST_NAME {
        let reason = format!("has a version longer than {LONGEST_VERSION} characters, or too long with its name");
        return Err(Breach::from(reason).in_key("version"));
    }
    let mut document = Map::new();
    document.insert("name".to_owned(), name.into());
    document.insert("version".to_owned(), version.into());
    document.insert("source_id".to_owned(), source_id.into());
    let published = entry.published_date.as_deref().and_then(date_time);
    let updated = entry.last_updated.as_deref().and_then(date_time);
    let mode = entry.deployment_mode.clone().filter(|mode| DEPLOYMENT_MODES.contains(&mode.as_str()));
    let transports: Option<Vec<String>> = entry
        .transports
        .as_ref()
        .map(|given| given.iter().filter(|transport| TRANSPORTS.contains(&transport.as_str())).cloned().collect());
    let texts = [
        ("deploymentMode", &mode),
        ("description", &entry.description),
        ("documentationUrl", &entry.documentation_url),
        ("externalId", &entry.external_id),
        ("lastUpdated", &updated),
        ("license_link", &entry.license_link),
        ("logo", &entry.logo),
        ("provider", &entry.provider),
        ("publishedDate", &published),
        ("readme", &entry.readme),
        ("repositoryUrl", &entry.repository_url),
        ("sourceCode", &entry.source_code),
    ];
    for (field, text) in texts {
        put(&mut document, field, text.as_deref().filter(|text| !text.is_empty()));
    }
    if let Some(license) = entry.license.as_deref().filter(|license| !license.trim().is_empty()) {
        document.insert("license".to_owned(), license::readable(license).into());
    }
    for (field, list) in [("tags", &entry.tags), ("transports", &transports)] {
        if let Some(list) = list.as_ref().filter(|list| !list.is_empty()) {
            document.insert(field.to_owned(), list.clone().into());
        }
    }
    set_endpoints(&mut document, entry)?;
    set_indicators(&mut document, entry.security_indicators.as_ref());
    let artifacts = artifacts(entry)?;
    if !artifacts.is_empty() {
        document.insert("artifacts".to_owned(), artifacts.into());
    }
    if let Some(runtime) = entry.runtime_metadata.as_ref().filter(|runtime| runtime_metadata(runtime).is_ok()) {
        document.insert("runtimeMetadata".to_owned(), runtime.clone());
    }
    let mut notices = Vec::new();
    let custom = entry.custom_properties.as_ref().map(|given| values::custom_properties(given, &mut notices));
    document.insert("customProperties".to_owned(), custom.transpose()?.unwrap_or_default().into());
    let children = tools(entry, &mut notices);
    document.insert("toolCount".to_owned(), children.len().into());
    let item = CatalogItem {
        kind: CatalogKind::McpServer,
        key,
        name: Some(name.to_owned()),
        document: Document(document),
        create_time: values::millis("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref())?,
        update_time: values::millis("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref())?,
        children,
    };
    Ok((item, notices))
}

fn set_endpoints(document: &mut Map<String, Value>, entry: &ServerEntry) -> Result<(), Breach> {
    let mut endpoints = Map::new();
    if let Some(given) = &entry.endpoints {
        let web: &[&str] = &["http", "https"];
        let socket: &[&str] = &["http", "https", "ws", "wss"];
        for (field, url, schemes) in
            [("http", &given.http, web), ("sse", &given.sse, web), ("websocket", &given.websocket, socket)]
        {
            let Some(url) = url.as_deref().filter(|url| !url.is_empty()) else { continue };
            let valid = url.split_once("://").is_some_and(|(scheme, rest)| {
                schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) && !rest.is_empty()
            });
            if !valid {
                let schemes = schemes.join(" ");
                let reason = format!(
                    "has invalid endpoints: {field} endpoint \"{url}\" must be a valid URL with one of the following \
                     schemes: [{schemes}]"
                );
                return Err(Breach::from(reason).in_key(field).in_key("endpoints"));
            }
            endpoints.insert(field.to_owned(), url.into());
        }
    }
    if entry.deployment_mode.as_deref() == Some("remote") && endpoints.is_empty() {
        let reason = "has deploymentMode 'remote' but no endpoints defined".to_owned();
        return Err(Breach::from(reason).in_key("deploymentMode"));
    }
    if !endpoints.is_empty() {
        document.insert("endpoints".to_owned(), endpoints.into());
    }
    Ok(())
}

fn set_indicators(document: &mut Map<String, Value>, given: Option<&SecurityIndicators>) {
    let Some(given) = given else { return };
    let indicators: Map<String, Value> = [
        ("verifiedSource", given.verified_source),
        ("secureEndpoint", given.secure_endpoint),
        ("sast", given.sast),
        ("readOnlyTools", given.read_only_tools),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?.into())))
    .collect();
    if !indicators.is_empty() {
        document.insert("securityIndicators".to_owned(), indicators.into());
    }
}

fn artifacts(entry: &ServerEntry) -> Result<Vec<Value>, Breach> {
    let mut artifacts = Vec::new();
    for (index, artifact) in entry.artifacts.iter().flatten().enumerate() {
        let here = |breach: Breach| breach.in_element("artifacts", "artifact", index);
        let artifact = artifact.as_ref().ok_or_else(|| here("is empty".to_owned().into()))?;
        let uri = artifact.uri.as_deref().unwrap_or_default();
        values::check_artifact_uri(uri).map_err(|reason| here(Breach::from(reason).in_key("uri")))?;
        let mut wire = Map::new();
        wire.insert("uri".to_owned(), uri.into());
        put(&mut wire, "createTimeSinceEpoch", artifact.create_time_since_epoch.as_deref());
        put(&mut wire, "lastUpdateTimeSinceEpoch", artifact.last_update_time_since_epoch.as_deref());
        artifacts.push(wire.into());
    }
    Ok(artifacts)
}

/// A tool with a mistake is left out alone (parity, catalog-service 3.10).
fn tools(entry: &ServerEntry, notices: &mut Vec<Breach>) -> Vec<CatalogItem> {
    let mut tools = Vec::new();
    let mut names = HashSet::new();
    for (index, entry) in entry.tools.iter().flatten().enumerate() {
        let here = |breach: Breach| breach.in_element("tools", "tool", index);
        let mut told = Vec::new();
        match tool(entry.as_ref(), &mut names, &mut told) {
            Ok(tool) => {
                tools.push(tool);
                notices.extend(told.into_iter().map(here));
            }
            Err(breach) => notices.push(here(breach).so_that("is published without")),
        }
    }
    tools
}

fn tool<'a>(
    entry: Option<&'a ToolEntry>,
    names: &mut HashSet<&'a str>,
    notices: &mut Vec<Breach>,
) -> Result<CatalogItem, Breach> {
    let entry = entry.ok_or_else(|| "is empty".to_owned())?;
    let name = entry.name.as_deref().unwrap_or_default().trim();
    let in_name = |reason: String| Breach::from(reason).in_key("name");
    values::check_name(name).map_err(in_name)?;
    if names.contains(name) {
        return Err(in_name(format!("there are two tools `{name}`")));
    }
    let mut document = Map::new();
    document.insert("name".to_owned(), name.into());
    let access = match filled(entry.access_type.as_ref()) {
        None => ACCESS_TYPES[0],
        Some(access) if ACCESS_TYPES.contains(&access) => access,
        // Nobody knows what it does.
        Some(_) => ACCESS_TYPES[ACCESS_TYPES.len() - 1],
    };
    document.insert("accessType".to_owned(), access.into());
    put(&mut document, "description", entry.description.as_deref());
    put(&mut document, "externalId", entry.external_id.as_deref());
    let custom = entry.custom_properties.as_ref().map(|given| values::custom_properties(given, notices));
    document.insert("customProperties".to_owned(), custom.transpose()?.unwrap_or_default().into());
    let parameters: Vec<Value> = entry.parameters.iter().flatten().map(parameter).collect();
    if !parameters.is_empty() {
        document.insert("parameters".to_owned(), parameters.into());
    }
    names.insert(name);
    Ok(CatalogItem {
        kind: CatalogKind::McpTool,
        key: name.to_owned(),
        name: Some(name.to_owned()),
        document: Document(document),
        create_time: None,
        update_time: None,
        children: Vec::new(),
    })
}

fn parameter(entry: &ParameterEntry) -> Value {
    let mut wire = json!({
        "name": entry.name,
        "type": entry.value_type.as_deref().unwrap_or("string"),
        "required": entry.required.unwrap_or(false),
    });
    if let Some(description) = &entry.description {
        wire["description"] = description.as_str().into();
    }
    wire
}

/// A day gets a time; anything that is neither a day nor a time of RFC 3339 is no date.
fn date_time(text: &str) -> Option<String> {
    let text = text.trim();
    let (day, time) = text.split_at_checked(10)?;
    let shape: String = day.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect();
    if shape != "0000-00-00" {
        return None;
    }
    if time.is_empty() {
        return Some(format!("{day}T00:00:00Z"));
    }
    let shape: String =
        time.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect();
    let rest = shape.strip_prefix("T00:00:00")?;
    let rest = rest.strip_prefix('.').map_or(rest, |fraction| fraction.trim_start_matches('0'));
    matches!(rest, "Z" | "+00:00" | "-00:00").then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_times_and_nonsense_nothing() {
        assert_eq!(date_time("2025-03-01").as_deref(), Some("2025-03-01T00:00:00Z"));
        assert_eq!(date_time("2025-02-14T00:00:00+01:00").as_deref(), Some("2025-02-14T00:00:00+01:00"));
        assert_eq!(date_time("2025-02-14T00:00:00.125Z").as_deref(), Some("2025-02-14T00:00:00.125Z"));
        assert_eq!(date_time("last spring"), None);
        assert_eq!(date_time("2025-02-14 00:00"), None);
    }
}
