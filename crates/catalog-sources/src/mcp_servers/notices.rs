//! Notices about values of an MCP server that the API does not have.

use model_registry_api::catalog::{ACCESS_TYPES, DEPLOYMENT_MODES, McpRuntimeMetadata, TRANSPORTS};
use serde_json::Value;

use super::entry::ServerEntry;
use super::words;
use crate::item_reader::Remark;
use crate::yaml::Entry;

/// Tools that a message quotes.
const MOST_QUOTED: usize = 5;

pub(super) fn notices(entry: Entry<'_>, server: &ServerEntry) -> Vec<Remark> {
    let mut notices = Vec::new();
    let mut add = |position, message| notices.push(Remark::new(position, message));
    if let Some(mode) = server.deployment_mode.as_deref().filter(|mode| !mode.is_empty())
        && words::deployment_mode(mode).is_none()
    {
        let position = entry.get("deploymentMode").map_or(entry.node.position, |value| value.node.position);
        let known = DEPLOYMENT_MODES.join(", ");
        add(position, format!("has the unknown deploymentMode `{mode}`, which is left out: use {known}"));
    }
    for transport in elements(entry, "transports") {
        if let Some(name) = transport.node.as_str().filter(|name| words::transport(name).is_none()) {
            let known = TRANSPORTS.join(", ");
            let message = format!("has the unknown transport `{name}`, which is left out: use {known}");
            add(transport.node.position, message);
        }
    }
    if let Some(metadata) = entry.get("runtimeMetadata").filter(|metadata| !metadata.node.is_null()) {
        let (read, unknown) = metadata.read::<McpRuntimeMetadata>();
        let error = match (read, server.runtime_metadata.as_ref().map(check_runtime_metadata)) {
            (Err(error), _) => Some((error.position().unwrap_or(metadata.node.position), error.to_string())),
            (Ok(_), Some(Err(reason))) => Some((metadata.node.position, reason)),
            (Ok(_), _) => None,
        };
        match error {
            Some((position, reason)) => {
                add(position, format!("has runtimeMetadata that cannot be read and is left out: {reason}"));
            }
            // Unknown keys are published.
            None => {
                for key in unknown {
                    let key_message = key.with(", which clients may not know");
                    add(key.position, format!("has in its runtimeMetadata the {key_message}"));
                }
            }
        }
    }
    // Most lists of real servers have no access types: that alone is not a reason to look at the source.
    notices.extend(unknown_access(entry).map(|remark| Remark { is_logged_only: true, ..remark }));
    notices
}

/// One message for all tools of a server that do not say what a call may do: lists of real servers often have many.
fn unknown_access(entry: Entry<'_>) -> Option<Remark> {
    let mut position = None;
    let mut tools = Vec::new();
    for tool in elements(entry, "tools").filter(|tool| tool.node.entries().is_some()) {
        let access = tool.get("accessType");
        let word = access.and_then(|access| access.node.as_str());
        if word.and_then(words::access_type).is_some() {
            continue;
        }
        position.get_or_insert(access.unwrap_or(tool).node.position);
        let name = tool.get("name").and_then(|name| name.node.as_str()).unwrap_or_default();
        tools.push(match word.filter(|word| !word.is_empty()) {
            Some(word) => format!("`{name}` (`{word}`)"),
            None => format!("`{name}`"),
        });
    }
    let more = tools.len().saturating_sub(MOST_QUOTED);
    tools.truncate(MOST_QUOTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let known = ACCESS_TYPES.join(", ");
    let careful = words::most_careful_access();
    let tools = tools.join(", ");
    let message = format!("has tools without a known accessType, published as {careful}: {tools}{more}: use {known}");
    Some(Remark::new(position?, message))
}

fn elements<'a>(entry: Entry<'a>, key: &str) -> impl Iterator<Item = Entry<'a>> {
    let elements = entry.node.get(key).and_then(|list| list.elements()).unwrap_or_default();
    elements.iter().map(move |node| Entry { node, ..entry })
}

/// Checks that clients can deserialize the metadata.
pub(super) fn check_runtime_metadata(metadata: &Value) -> Result<(), String> {
    serde_json::from_value::<McpRuntimeMetadata>(metadata.clone()).map(drop).map_err(|error| error.to_string())
}
