//! Label definitions: free texts about a label, which sources carry by name.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::yaml::Breach;
use model_registry_api::catalog::AssetType;

/// A label as `/labels` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// `name` is there, as a text or null; everything else is a text.
    pub fields: Map<String, Value>,
}

impl Label {
    pub(super) fn read(fields: BTreeMap<String, Value>) -> Result<Self, Breach> {
        let name = match fields.get("name") {
            Some(Value::Null) => "null".to_owned(),
            Some(Value::String(name)) if !name.is_empty() => name.clone(),
            _ => {
                let reason = "invalid label: missing required 'name' field".to_owned();
                return Err(Breach::from(reason).in_key("name"));
            }
        };
        for (field, value) in &fields {
            if field != "name" && !value.is_string() {
                let found = match value {
                    Value::Null => "null",
                    Value::Bool(_) => "a boolean",
                    Value::Number(_) => "a number",
                    Value::Array(_) => "a list",
                    Value::Object(_) | Value::String(_) => "a map",
                };
                let reason = format!("label '{name}' has invalid property \"{field}\": {found} instead of a text");
                return Err(Breach::from(reason).in_key(field));
            }
        }
        Ok(Self { fields: fields.into_iter().collect() })
    }

    pub fn name(&self) -> Option<&str> {
        self.text("name")
    }

    pub fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }

    /// The list that shows it; an unknown asset type is in none (parity, catalog-service 1.6).
    pub fn is_for(&self, asset: AssetType) -> bool {
        self.text("assetType").unwrap_or(AssetType::Models.as_str()) == asset.as_str()
    }
}
