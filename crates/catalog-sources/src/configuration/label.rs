//! Label definitions: descriptions of the labels that sources have.

use model_registry_api::catalog::AssetType;
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::yaml::{Entry, UnknownKey};

/// Keys that clients know. Others are returned as they are.
const KNOWN_KEYS: [&str; 4] = ["name", "displayName", "description", "assetType"];

/// A label as `/labels` returns it.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// `name` is a string or null; all other values are strings.
    pub fields: Map<String, Value>,
}

impl Label {
    /// Reads a label. Scalars are strings as they are written; other values are left out with a notice.
    pub(super) fn read(entry: Entry<'_>) -> Result<(Self, Vec<Problem>), Problem> {
        entry.check_keys().map_err(|error| entry.problem_at(error.position(), format!("invalid label: {error}")))?;
        let name = match entry.get("name") {
            Some(name) if name.node.is_null() => Value::Null,
            Some(name) if name.node.as_str().is_some_and(|name| !name.is_empty()) => name.node.as_str().into(),
            other => {
                let position = other.map(|name| name.node.position);
                return Err(entry.problem_at(position, "invalid label: missing required 'name' field"));
            }
        };
        let shown = name.as_str().unwrap_or("null").to_owned();
        let mut fields = Map::from_iter([("name".to_owned(), name)]);
        let mut notices = Vec::new();
        for (key, value) in entry.node.entries().unwrap_or_default() {
            let field = key.as_str().unwrap_or_default();
            if field == "name" {
                continue;
            }
            let unknown = UnknownKey::new(key.position, field, &KNOWN_KEYS);
            if unknown.nearest().is_some_and(|nearest| !KNOWN_KEYS.contains(&field) && entry.get(nearest).is_none()) {
                let reason = format!("label '{shown}' has the {}", unknown.with(", which clients may not know"));
                notices.push(entry.problem_at(Some(key.position), reason));
            }
            match value.as_str() {
                Some(string) if !string.contains('\0') => _ = fields.insert(field.to_owned(), string.into()),
                _ => {
                    let found = value.describe();
                    let reason = format!(
                        "label '{shown}' is published without its property \"{field}\": expected a string, found {found}"
                    );
                    notices.push(entry.problem_at(Some(value.position), reason));
                }
            }
        }
        Ok((Self { fields }, notices))
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
