//! `--order-by`: the keys of all lists, and fields and properties.

use futures::TryStreamExt;
use model_registry_base::nearest_name;
use model_registry_client::{Client, ListOptions, OrderBy};

use super::kind_command::KindCommand;
use crate::failure::CommandError;

const KEYS: [&str; 3] = ["id", "created", "updated"];

pub(super) async fn order_by(client: &Client, kind: &KindCommand, key: String) -> anyhow::Result<OrderBy> {
    match key.as_str() {
        "id" | "" => Ok(OrderBy::Id),
        "created" => Ok(OrderBy::CreateTime),
        "updated" => Ok(OrderBy::LastUpdateTime),
        _ => {
            check(client, kind, &key).await?;
            Ok(OrderBy::Value(key))
        }
    }
}

/// Servers list by id for a name that nothing has: a mistake would not be noticed.
async fn check(client: &Client, kind: &KindCommand, key: &str) -> anyhow::Result<()> {
    if names(kind).any(|name| name == key) {
        return Ok(());
    }
    let has_any = async |options: ListOptions| {
        let options = ListOptions { page_size: Some(1), ..options };
        (kind.operations.list)(client, options).try_next().await.map(|first| first.is_some())
    };
    if has_any(ListOptions::filtered(format!("{key} IS NOT NULL"))).await? || !has_any(ListOptions::default()).await? {
        return Ok(());
    }
    let error = CommandError::usage(format!("--order-by: no {} has the field or property `{key}`", kind.singular));
    let known: Vec<&str> = KEYS.into_iter().chain(names(kind)).collect();
    Err(match nearest_name(key, known) {
        Some(nearest) => error.hint(format!("did you mean `{nearest}`?")),
        None => error.hint("use id, created, updated, a field, or a custom property such as `accuracy`"),
    }
    .into())
}

/// The names of fields.
fn names(kind: &KindCommand) -> impl Iterator<Item = &'static str> {
    let fields = kind.kinds.iter().flat_map(|kind| kind.spec().all_fields()).map(|field| field.name);
    ["name", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"].into_iter().chain(fields)
}
