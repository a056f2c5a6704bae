//! Looks up the names of the parents of entities.

use std::collections::{BTreeSet, HashMap};

use futures::TryStreamExt;
use model_registry_client::{Client, ListOptions};
use serde_json::Value;

use super::kind_command::{KindCommand, is_digits};

/// References of parents by id.
#[derive(Debug, Default)]
pub(crate) struct ParentNames(HashMap<String, String>);

impl ParentNames {
    /// The reference of the parent with an id.
    pub(crate) fn of(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| format!("id:{id}"))
    }
}

/// Loads the parents of all entities with one list request.
pub(crate) async fn load(client: &Client, kind: &KindCommand, entities: &[Value]) -> anyhow::Result<ParentNames> {
    let Some((parent, _)) = kind.parent() else { return Ok(ParentNames::default()) };
    let ids: BTreeSet<&str> = entities.iter().filter_map(|entity| kind.parent_id(entity)).collect();
    let ids: Vec<&str> = ids.into_iter().filter(|id| is_digits(id)).collect();
    if ids.is_empty() {
        return Ok(ParentNames::default());
    }
    let filter = format!("id IN ({})", ids.join(","));
    let found: Vec<Value> = (parent.operations.list)(client, ListOptions::filtered(filter)).try_collect().await?;
    let names = found.iter().filter_map(|entity| {
        Some((entity.get("id")?.as_str()?.to_owned(), parent.reference(entity, &ParentNames::default())))
    });
    Ok(ParentNames(names.collect()))
}
