//! MCP servers of data files, with their tools.
//!
//! A value that the API does not have, such as an unknown transport, is ignored with a notice.

mod entry;
mod notices;
mod tools;
mod words;

use jiff::civil::Date;
use model_registry_api::catalog::{CatalogKind, LONGEST_DISPLAY_NAME};
use model_registry_base::time::parse_rfc3339;
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde_json::{Map, Value};

use self::entry::{ArtifactEntry, SecurityIndicators, ServerEntry};
use self::notices::{check_runtime_metadata, notices};
use self::tools::tools;
use crate::item_fields::{self, LONGEST_NAME, insert_string};
use crate::item_reader::{EntryPreview, EntryReading, ItemReader, Remark, ValidItem};
use crate::yaml::{Entry, Tolerant, Violation};
use crate::{custom_properties, license};

pub(crate) static READER: ItemReader = ItemReader {
    trims_names: true,
    has_unique_external_ids: false,
    // parity: nothing of a server is checked but its name, as in the Kubeflow Model Registry.
    preview: EntryPreview::NameOnly,
    read,
};

/// The document of the MCP registry, in the API.
const SERVER_JSON: &str = "serverJson";

const LONGEST_VERSION: usize = 100;

const WEB_SCHEMES: &[&str] = &["http", "https"];
const WEBSOCKET_SCHEMES: &[&str] = &["http", "https", "ws", "wss"];

fn read(entry: Entry<'_>, source_id: &str) -> EntryReading {
    EntryReading::of(entry, |server: ServerEntry| {
        let mut violations = Vec::new();
        let mut item = item(&server, source_id, &mut violations)?;
        let written = entry.get("server_json").and_then(|server_json| server_json.node.json_as_written());
        item.written.extend(written.map(|json| (SERVER_JSON, json)));
        let mut notices = notices(entry, &server);
        notices.extend(violations.into_iter().map(|violation| Remark::of(violation, entry)));
        Ok(ValidItem { item, notices })
    })
}

fn item(entry: &ServerEntry, source_id: &str, notices: &mut Vec<Violation>) -> Result<CatalogItem, Violation> {
    let name = entry.name.as_deref().unwrap_or_default().trim();
    let in_key = |key: &str, reason: String| Violation::from(reason).in_key(key);
    item_fields::check_name(name).map_err(|reason| in_key("name", reason))?;
    let version = entry.version.as_deref().unwrap_or_default();
    if name.contains('@') || version.contains('@') {
        let key = if name.contains('@') { "name" } else { "version" };
        return Err(in_key(key, format!("the {key} contains '@'")));
    }
    let key = if version.is_empty() { name.to_owned() } else { format!("{name}@{version}") };
    if version.chars().count() > LONGEST_VERSION || key.chars().count() > LONGEST_NAME {
        let reason = format!(
            "the version is longer than {LONGEST_VERSION} characters, or than {LONGEST_NAME} together with the name"
        );
        return Err(in_key("version", reason));
    }
    let display_name = entry.display_name.as_deref().unwrap_or_default();
    if display_name.chars().count() > LONGEST_DISPLAY_NAME as usize {
        let reason = format!("displayName exceeds maximum length of {LONGEST_DISPLAY_NAME} characters");
        return Err(in_key("displayName", reason));
    }
    let mut document = Map::new();
    document.insert("name".to_owned(), name.into());
    document.insert("version".to_owned(), version.into());
    document.insert("source_id".to_owned(), source_id.into());
    let published = entry.published_date.as_deref().and_then(date_time);
    let updated = entry.last_updated.as_deref().and_then(date_time);
    let mode = entry.deployment_mode.as_deref().and_then(words::deployment_mode).map(str::to_owned);
    for (field, value) in [
        ("deploymentMode", &mode),
        ("description", &entry.description),
        ("displayName", &entry.display_name),
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
    ] {
        insert_string(&mut document, field, value.as_deref().filter(|value| !value.is_empty()));
    }
    let licenses = entry.license.as_ref().map(|list| list.0.as_slice()).unwrap_or_default();
    insert_string(&mut document, "license", license::shown(licenses, entry.license_name.as_deref()).as_deref());
    let transports = words::transports(entry.transports.as_ref().map(|list| list.0.as_slice()).unwrap_or_default());
    for (field, list) in [("tags", entry.tags.clone().unwrap_or_default().0), ("transports", transports)] {
        if !list.is_empty() {
            document.insert(field.to_owned(), list.into());
        }
    }
    insert_endpoints(&mut document, entry)?;
    insert_indicators(&mut document, entry.security_indicators.as_ref(), notices);
    let artifacts = artifacts(entry, notices)?;
    if !artifacts.is_empty() {
        document.insert("artifacts".to_owned(), artifacts.into());
    }
    if let Some(metadata) = entry.runtime_metadata.as_ref().filter(|metadata| check_runtime_metadata(metadata).is_ok())
    {
        document.insert("runtimeMetadata".to_owned(), metadata.clone());
    }
    if let Some(server_json) = entry.server_json.as_ref().filter(|server_json| !server_json.is_empty()) {
        document.insert(SERVER_JSON.to_owned(), server_json.clone().into());
    }
    let properties = custom_properties::encode(entry.custom_properties.as_ref(), notices);
    document.insert("customProperties".to_owned(), properties.into());
    let children = tools(entry, notices);
    document.insert("toolCount".to_owned(), children.len().into());
    Ok(CatalogItem {
        kind: CatalogKind::McpServer,
        key,
        name: Some(name.to_owned()),
        document: Document(document),
        create_time: item_fields::millis("createTimeSinceEpoch", entry.create_time_since_epoch.as_deref())?,
        update_time: item_fields::millis("lastUpdateTimeSinceEpoch", entry.last_update_time_since_epoch.as_deref())?,
        written: Vec::new(),
        children,
    })
}

fn insert_endpoints(document: &mut Map<String, Value>, entry: &ServerEntry) -> Result<(), Violation> {
    let mut endpoints = Map::new();
    if let Some(written) = &entry.endpoints {
        for (field, url, schemes) in [
            ("http", &written.http, WEB_SCHEMES),
            ("sse", &written.sse, WEB_SCHEMES),
            ("websocket", &written.websocket, WEBSOCKET_SCHEMES),
        ] {
            let Some(url) = url.as_deref().filter(|url| !url.is_empty()) else { continue };
            let is_valid = url.split_once("://").is_some_and(|(scheme, rest)| {
                schemes.iter().any(|known| scheme.eq_ignore_ascii_case(known)) && !rest.is_empty()
            });
            if !is_valid {
                let schemes = schemes.join(" ");
                let reason = format!(
                    "invalid endpoints: {field} endpoint \"{url}\" must be a valid URL with one of the following \
                     schemes: [{schemes}]"
                );
                return Err(Violation::from(reason).in_key(field).in_key("endpoints"));
            }
            endpoints.insert(field.to_owned(), url.into());
        }
    }
    if entry.deployment_mode.as_deref().and_then(words::deployment_mode) == Some("remote") && endpoints.is_empty() {
        let reason = "deploymentMode 'remote' but no endpoints defined".to_owned();
        return Err(Violation::from(reason).in_key("deploymentMode"));
    }
    if !endpoints.is_empty() {
        document.insert("endpoints".to_owned(), endpoints.into());
    }
    Ok(())
}

fn insert_indicators(
    document: &mut Map<String, Value>,
    written: Option<&SecurityIndicators>,
    notices: &mut Vec<Violation>,
) {
    let Some(written) = written else { return };
    let mut indicators = Map::new();
    for (name, value) in [
        ("verifiedSource", &written.verified_source),
        ("secureEndpoint", &written.secure_endpoint),
        ("sast", &written.sast),
        ("readOnlyTools", &written.read_only_tools),
    ] {
        match value {
            None => {}
            Some(Tolerant(Ok(value))) => _ = indicators.insert(name.to_owned(), (*value).into()),
            Some(Tolerant(Err(reason))) => {
                let reason = format!("is published without a security indicator: {reason}");
                notices.push(Violation::from(reason).in_key(name).in_key("securityIndicators"));
            }
        }
    }
    if !indicators.is_empty() {
        document.insert("securityIndicators".to_owned(), indicators.into());
    }
}

fn artifacts(entry: &ServerEntry, notices: &mut Vec<Violation>) -> Result<Vec<Value>, Violation> {
    let mut artifacts = Vec::new();
    for (index, Tolerant(artifact)) in entry.artifacts.iter().flatten().enumerate() {
        let here = |violation: Violation| violation.in_element("artifacts", "artifact", index);
        match artifact {
            Ok(artifact) => artifacts.push(self::artifact(artifact).map_err(here)?),
            Err(reason) => {
                let violation = here(reason.clone().into());
                notices.push(violation.with_consequence("is published without"));
            }
        }
    }
    Ok(artifacts)
}

fn artifact(artifact: &ArtifactEntry) -> Result<Value, Violation> {
    let uri = artifact.uri.as_deref().unwrap_or_default();
    item_fields::check_artifact_uri(uri).map_err(|reason| Violation::from(reason).in_key("uri"))?;
    let mut wire = Map::new();
    wire.insert("uri".to_owned(), uri.into());
    insert_string(&mut wire, "createTimeSinceEpoch", artifact.create_time_since_epoch.as_deref());
    insert_string(&mut wire, "lastUpdateTimeSinceEpoch", artifact.last_update_time_since_epoch.as_deref());
    Ok(wire.into())
}

/// A time of RFC 3339 as it is written, or the start of a day in UTC; `None` for anything else.
fn date_time(text: &str) -> Option<String> {
    let text = text.trim();
    // jiff also parses forms that RFC 3339 does not have, such as `20250301` or an annotation with a time zone.
    match text.as_bytes().get(10) {
        None if text.len() == "2025-03-01".len() => {
            let day: Date = text.parse().ok()?;
            Some(format!("{day}T00:00:00Z"))
        }
        Some(b'T') if !text.ends_with(']') => parse_rfc3339(text).map(|_| text.to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_times_and_anything_else_is_left_out() {
        assert_eq!(date_time("2025-03-01").as_deref(), Some("2025-03-01T00:00:00Z"));
        assert_eq!(date_time("2025-02-14T00:00:00+01:00").as_deref(), Some("2025-02-14T00:00:00+01:00"));
        assert_eq!(date_time("2025-02-14T00:00:00.125Z").as_deref(), Some("2025-02-14T00:00:00.125Z"));
        for wrong in [
            "last spring",
            "20250301",
            "2025-02-30",
            "2025-02-14 00:00",
            "2025-02-14 00:00:00Z",
            "2025-02-14T00:00:00",
            "2025-02-14T25:00:00Z",
            "2025-02-14T00:00:00Z[UTC]",
        ] {
            assert_eq!(date_time(wrong), None, "{wrong}");
        }
    }
}
