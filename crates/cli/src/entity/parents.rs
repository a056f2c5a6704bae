//! The names of what listed entities belong to.

use std::collections::{BTreeSet, HashMap};

use futures::TryStreamExt;
use model_registry_client::{Client, ListOptions};
use serde_json::Value;

use super::noun::Noun;

/// Names by id.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, String>);

impl Names {
    /// How the command line names the parent of an id.
    pub(crate) fn of(&self, id: &str) -> String {
        self.0.get(id).cloned().unwrap_or_else(|| format!("id:{id}"))
    }
}

/// Looks all parents up with one list.
pub(crate) async fn names(client: &Client, noun: &Noun, entities: &[Value]) -> anyhow::Result<Names> {
    let Some((parent, _)) = noun.parent else { return Ok(Names::default()) };
    let ids: BTreeSet<&str> = entities.iter().filter_map(|entity| noun.parent_id(entity)).collect();
    let ids: Vec<&str> = ids.into_iter().filter(|id| super::noun::is_digits(id)).collect();
    if ids.is_empty() {
        return Ok(Names::default());
    }
    let filter = format!("id IN ({})", ids.join(","));
    let found: Vec<Value> = (parent.operations.list)(client, ListOptions::filtered(filter)).try_collect().await?;
    let named = found.iter().filter_map(|entity| {
        Some((entity.get("id")?.as_str()?.to_owned(), parent.reference(entity, &Names::default())))
    });
    Ok(Names(named.collect()))
}
