//! What is told of an entry although it is published.

use model_registry_api::catalog::McpRuntimeMetadata;
use serde_json::Value;

use super::entry::ServerEntry;
use super::{ACCESS_TYPES, DEPLOYMENT_MODES, TRANSPORTS};
use crate::yaml::UnknownKeys;

/// All of it, as ends of sentences about the server.
pub(super) fn notices(entry: &ServerEntry) -> Vec<String> {
    let mut notices = Vec::new();
    let mut tell = |place: &str, unknown: &UnknownKeys| {
        notices.extend(unknown.0.iter().map(|key| format!("has the unknown key `{place}{key}`: it does nothing")));
    };
    tell("", &entry.unknown);
    for (index, tool) in entry.tools.iter().flatten().enumerate() {
        let Some(tool) = tool else { continue };
        tell(&format!("tools[{index}]."), &tool.unknown);
        for (position, parameter) in tool.parameters.iter().flatten().enumerate() {
            tell(&format!("tools[{index}].parameters[{position}]."), &parameter.unknown);
        }
    }
    for (index, artifact) in entry.artifacts.iter().flatten().enumerate() {
        let Some(artifact) = artifact else { continue };
        tell(&format!("artifacts[{index}]."), &artifact.unknown);
    }
    if let Some(endpoints) = &entry.endpoints {
        tell("endpoints.", &endpoints.unknown);
    }
    if let Some(indicators) = &entry.security_indicators {
        tell("securityIndicators.", &indicators.unknown);
    }
    let known = |members: &[&str]| members.join(", ");
    if let Some(mode) = filled(entry.deployment_mode.as_ref()).filter(|mode| !DEPLOYMENT_MODES.contains(mode)) {
        notices.push(format!(
            "has the unknown deploymentMode `{mode}`, which is left out: use {}",
            known(&DEPLOYMENT_MODES)
        ));
    }
    for transport in entry.transports.iter().flatten().filter(|transport| !TRANSPORTS.contains(&transport.as_str())) {
        notices.push(format!("has the unknown transport `{transport}`, which is left out: use {}", known(&TRANSPORTS)));
    }
    for tool in entry.tools.iter().flatten().flatten() {
        if let Some(access) = filled(tool.access_type.as_ref()).filter(|access| !ACCESS_TYPES.contains(access)) {
            notices.push(format!(
                "has a tool with the unknown accessType `{access}`, taken for execute: use {}",
                known(&ACCESS_TYPES)
            ));
        }
    }
    if let Some(Err(reason)) = entry.runtime_metadata.as_ref().map(runtime_metadata) {
        notices.push(format!("has runtimeMetadata that cannot be read and is left out: {reason}"));
    }
    notices
}

pub(super) fn filled(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// Refuses what clients could not read.
pub(super) fn runtime_metadata(given: &Value) -> Result<(), String> {
    serde_json::from_value::<McpRuntimeMetadata>(given.clone()).map(drop).map_err(|error| error.to_string())
}
