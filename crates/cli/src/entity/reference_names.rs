//! Looks up the names of the entities that fields refer to: the columns `model` and `version` of a service.

use std::collections::{BTreeSet, HashMap};

use futures::TryStreamExt;
use model_registry_client::{Client, ListOptions};
use serde_json::Value;

use super::kind_command::{KindCommand, is_digits};
use super::reference_fields::reference_fields;

/// What a service without a version serves.
const NEWEST: &str = "(newest)";

/// The names for each column with a reference.
#[derive(Debug, Default)]
pub(super) struct ReferenceNames(HashMap<&'static str, Names>);

#[derive(Debug)]
struct Names {
    /// The field with the id.
    field: &'static str,
    by_id: HashMap<String, String>,
}

impl ReferenceNames {
    /// The cell of a column; `None` if the column is not a reference.
    pub(super) fn cell(&self, entity: &Value, column: &str) -> Option<String> {
        let names = self.0.get(column)?;
        Some(match entity.get(names.field).and_then(Value::as_str) {
            Some(id) => names.by_id.get(id).cloned().unwrap_or_else(|| format!("id:{id}")),
            None => NEWEST.to_owned(),
        })
    }
}

/// Loads the entities that the given columns refer to, with one list request for each column.
pub(super) async fn load(
    client: &Client,
    kind: &KindCommand,
    columns: &[String],
    entities: &[Value],
) -> anyhow::Result<ReferenceNames> {
    let mut loaded = HashMap::new();
    for (field, target) in reference_fields(kind) {
        if !columns.iter().any(|column| column == target.singular) {
            continue;
        }
        let ids = entities.iter().filter_map(|entity| entity.get(field.name)?.as_str());
        let ids: BTreeSet<&str> = ids.filter(|id| is_digits(id)).collect();
        let mut by_id = HashMap::new();
        if !ids.is_empty() {
            let filter = format!("id IN ({})", ids.into_iter().collect::<Vec<_>>().join(","));
            let found: Vec<Value> =
                (target.operations.list)(client, ListOptions::filtered(filter)).try_collect().await?;
            by_id.extend(found.iter().filter_map(|entity| {
                Some((entity.get("id")?.as_str()?.to_owned(), entity.get("name")?.as_str()?.to_owned()))
            }));
        }
        loaded.insert(target.singular, Names { field: field.name, by_id });
    }
    Ok(ReferenceNames(loaded))
}
