//! Label definitions: descriptions of the labels that sources have.

use std::collections::BTreeMap;

use model_registry_api::catalog::AssetType;
use model_registry_api::custom_property::json_type;
use serde_json::{Map, Value};

use crate::yaml::Violation;

/// A label as `/labels` returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// `name` is a string or null; all other values are strings.
    pub fields: Map<String, Value>,
}

impl Label {
    pub(super) fn read(fields: BTreeMap<String, Value>) -> Result<Self, Violation> {
        let name = match fields.get("name") {
            Some(Value::Null) => "null".to_owned(),
            Some(Value::String(name)) if !name.is_empty() => name.clone(),
            _ => {
                let reason = "invalid label: missing required 'name' field".to_owned();
                return Err(Violation::from(reason).in_key("name"));
            }
        };
        for (field, value) in &fields {
            if field != "name" && !value.is_string() {
                let found = json_type(value);
                let reason =
                    format!("label '{name}' has invalid property \"{field}\": expected a string, found {found}");
                return Err(Violation::from(reason).in_key(field));
            }
        }
        Ok(Self { fields: fields.into_iter().collect() })
    }

    pub fn name(&self) -> Option<&str> {
        self.string("name")
    }

    pub fn string(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// Whether the list of labels of an asset type has it; a label with an unknown asset type is in none (parity).
    pub fn is_for(&self, asset_type: AssetType) -> bool {
        self.string("assetType").unwrap_or(AssetType::default().as_str()) == asset_type.as_str()
    }
}
