//! The tools of an MCP server.

use std::collections::HashSet;

use model_registry_api::catalog::CatalogKind;
use model_registry_catalog_store::CatalogItem;
use model_registry_store::Document;
use serde_json::{Map, Value, json};

use super::entry::{ParameterEntry, ServerEntry, ToolEntry};
use super::words;
use crate::custom_properties;
use crate::item_fields::{self, insert_string};
use crate::yaml::{Tolerant, Violation};

/// The valid tools. One with a mistake is left out, and its server is published (parity: the Kubeflow Model Registry does so).
pub(super) fn tools(server: &ServerEntry, notices: &mut Vec<Violation>) -> Vec<CatalogItem> {
    let mut tools = Vec::new();
    let mut names = HashSet::new();
    for (index, Tolerant(entry)) in server.tools.iter().flatten().enumerate() {
        let here = |violation: Violation| violation.in_element("tools", "tool", index);
        let mut tool_notices = Vec::new();
        match tool(entry.as_ref(), &mut names, &mut tool_notices) {
            Ok(tool) => {
                tools.push(tool);
                notices.extend(tool_notices.into_iter().map(here));
            }
            Err(violation) => notices.push(here(violation).with_consequence("is published without")),
        }
    }
    tools
}

fn tool<'a>(
    entry: Result<&'a ToolEntry, &String>,
    names: &mut HashSet<&'a str>,
    notices: &mut Vec<Violation>,
) -> Result<CatalogItem, Violation> {
    let entry = entry.map_err(Clone::clone)?;
    let name = entry.name.as_deref().unwrap_or_default().trim();
    let in_name = |reason: String| Violation::from(reason).in_key("name");
    item_fields::check_name(name).map_err(in_name)?;
    if names.contains(name) {
        return Err(in_name(format!("there are two tools `{name}`")));
    }
    let mut document = Map::new();
    document.insert("name".to_owned(), name.into());
    insert_string(&mut document, "accessType", Some(access_type(entry)));
    insert_string(&mut document, "description", entry.description.as_deref());
    insert_string(&mut document, "externalId", entry.external_id.as_deref());
    let properties = custom_properties::encode(entry.custom_properties.as_ref(), notices);
    document.insert("customProperties".to_owned(), properties.into());
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
        written: Vec::new(),
        children: Vec::new(),
    })
}

/// A missing or unknown access type is replaced by the one that permits most: clients have to be careful with such a tool.
fn access_type(entry: &ToolEntry) -> &'static str {
    let known = entry.access_type.as_ref().and_then(|Tolerant(word)| words::access_type(word.as_deref().ok()?));
    known.unwrap_or_else(words::most_careful_access)
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
