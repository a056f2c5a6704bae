//! What is told of an entry although it is published, unknown keys apart.

use model_registry_api::catalog::McpRuntimeMetadata;
use serde_json::Value;

use super::entry::ServerEntry;
use super::{ACCESS_TYPES, DEPLOYMENT_MODES, TRANSPORTS};
use crate::yaml::{Entry, Place};

/// All of it, as ends of sentences about the server.
pub(super) fn notices(entry: Entry<'_>, server: &ServerEntry) -> Vec<(Place, String)> {
    let mut notices = Vec::new();
    let place = |key: &str| entry.get(key).map_or(entry.node.place, |value| value.node.place);
    let known = |members: &[&str]| members.join(", ");
    if let Some(mode) = filled(server.deployment_mode.as_ref()).filter(|mode| !DEPLOYMENT_MODES.contains(mode)) {
        let known = known(&DEPLOYMENT_MODES);
        let reason = format!("has the unknown deploymentMode `{mode}`, which is left out: use {known}");
        notices.push((place("deploymentMode"), reason));
    }
    for transport in elements(entry, "transports") {
        if let Some(text) = transport.node.text().filter(|text| !TRANSPORTS.contains(text)) {
            let known = known(&TRANSPORTS);
            let reason = format!("has the unknown transport `{text}`, which is left out: use {known}");
            notices.push((transport.node.place, reason));
        }
    }
    for access in elements(entry, "tools").filter_map(|tool| tool.get("accessType")) {
        if let Some(text) = access.node.text().filter(|text| !text.is_empty() && !ACCESS_TYPES.contains(text)) {
            let known = known(&ACCESS_TYPES);
            let reason = format!("has a tool with the unknown accessType `{text}`, taken for execute: use {known}");
            notices.push((access.node.place, reason));
        }
    }
    if let Some(given) = entry.get("runtimeMetadata").filter(|given| !given.node.is_null()) {
        let (read, unknown) = given.read::<McpRuntimeMetadata>();
        let unreadable = match (read, server.runtime_metadata.as_ref().map(runtime_metadata)) {
            (Err(mistake), _) => Some((mistake.place().unwrap_or(given.node.place), mistake.to_string())),
            (Ok(_), Some(Err(reason))) => Some((given.node.place, reason)),
            (Ok(_), _) => None,
        };
        match unreadable {
            Some((place, reason)) => {
                notices.push((place, format!("has runtimeMetadata that cannot be read and is left out: {reason}")));
            }
            // It is passed on as it is.
            None => notices.extend(unknown.into_iter().map(|key| {
                (key.place, format!("has in its runtimeMetadata the {}", key.with(": clients may not know it")))
            })),
        }
    }
    notices
}

fn elements<'a>(entry: Entry<'a>, key: &str) -> impl Iterator<Item = Entry<'a>> {
    let elements = entry.node.get(key).and_then(|list| list.elements()).unwrap_or_default();
    elements.iter().map(move |node| Entry { node, ..entry })
}

pub(super) fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// Refuses what clients could not read.
pub(super) fn runtime_metadata(given: &Value) -> Result<(), String> {
    serde_json::from_value::<McpRuntimeMetadata>(given.clone()).map(drop).map_err(|error| error.to_string())
}
