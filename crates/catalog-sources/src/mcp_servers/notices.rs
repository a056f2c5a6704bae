//! Notices about values of an MCP server that the API does not have.

use model_registry_api::catalog::{ACCESS_TYPES, DEPLOYMENT_MODES, McpRuntimeMetadata, TRANSPORTS};
use serde_json::Value;

use super::entry::ServerEntry;
use crate::item_reader::Remark;
use crate::yaml::Entry;

pub(super) fn notices(entry: Entry<'_>, server: &ServerEntry) -> Vec<Remark> {
    let mut notices = Vec::new();
    let mut add = |position, message| notices.push(Remark { position, message });
    if let Some(mode) = non_empty(server.deployment_mode.as_ref()).filter(|mode| !DEPLOYMENT_MODES.contains(mode)) {
        let position = entry.get("deploymentMode").map_or(entry.node.position, |value| value.node.position);
        let known = DEPLOYMENT_MODES.join(", ");
        add(position, format!("has the unknown deploymentMode `{mode}`, which is left out: use {known}"));
    }
    for transport in elements(entry, "transports") {
        if let Some(name) = transport.node.as_str().filter(|name| !TRANSPORTS.contains(name)) {
            let known = TRANSPORTS.join(", ");
            let message = format!("has the unknown transport `{name}`, which is left out: use {known}");
            add(transport.node.position, message);
        }
    }
    for access in elements(entry, "tools").filter_map(|tool| tool.get("accessType")) {
        if let Some(name) = access.node.as_str().filter(|name| !name.is_empty() && !ACCESS_TYPES.contains(name)) {
            let known = ACCESS_TYPES.join(", ");
            let message = format!("has a tool with the unknown accessType `{name}`, replaced by execute: use {known}");
            add(access.node.position, message);
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
    notices
}

fn elements<'a>(entry: Entry<'a>, key: &str) -> impl Iterator<Item = Entry<'a>> {
    let elements = entry.node.get(key).and_then(|list| list.elements()).unwrap_or_default();
    elements.iter().map(move |node| Entry { node, ..entry })
}

pub(super) fn non_empty(value: Option<&String>) -> Option<&str> {
    value.map(String::as_str).filter(|value| !value.is_empty())
}

/// Checks that clients can deserialize the metadata.
pub(super) fn check_runtime_metadata(metadata: &Value) -> Result<(), String> {
    serde_json::from_value::<McpRuntimeMetadata>(metadata.clone()).map(drop).map_err(|error| error.to_string())
}
