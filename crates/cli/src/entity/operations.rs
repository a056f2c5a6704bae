//! The operations of a kind on JSON values, on top of the typed client: the commands of all kinds share them.

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use model_registry_client::{Client, Error, FindBy, Items, ListOptions, Resource, Result, Tagged};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The operations of a kind.
pub(crate) struct Operations {
    pub(crate) list: fn(&Client, ListOptions) -> Items<Value>,
    pub(crate) get: for<'a> fn(&'a Client, &'a str) -> BoxFuture<'a, Result<Tagged<Value>>>,
    pub(crate) find: for<'a> fn(&'a Client, FindBy<'a>) -> BoxFuture<'a, Result<Option<Value>>>,
    pub(crate) create: for<'a> fn(&'a Client, Value) -> BoxFuture<'a, Result<Value>>,
    /// The last argument is the expected entity tag; an empty one matches any.
    pub(crate) update: for<'a> fn(&'a Client, &'a str, Value, &'a str) -> BoxFuture<'a, Result<Value>>,
    pub(crate) url: fn(&Client, &str) -> Result<String>,
}

/// The operations of the kind of `R`.
pub(crate) const fn of<R: Resource>() -> Operations {
    Operations {
        list: |client, options| values(client.collection::<R>().list(options)),
        get: |client, id| {
            async move {
                let found = client.collection::<R>().get_tagged(id).await?;
                Ok(Tagged { entity: value(&found.entity)?, etag: found.etag })
            }
            .boxed()
        },
        find: |client, by| {
            async move { client.collection::<R>().find(by).await?.map(|entity| value(&entity)).transpose() }.boxed()
        },
        create: |client, create| async move { value(&client.collection::<R>().create(&typed(create)?).await?) }.boxed(),
        update: |client, id, update, etag| {
            async move { value(&client.collection::<R>().update_if_unchanged(id, &typed(update)?, etag).await?) }
                .boxed()
        },
        url: |client, id| client.entity_url::<R>(id),
    }
}

/// Converts a list of typed entities to JSON values.
pub(crate) fn values<T: Serialize + Send + 'static>(items: Items<T>) -> Items<Value> {
    items.map(|item| item.and_then(|entity| value(&entity))).boxed()
}

pub(crate) fn value(entity: &impl Serialize) -> Result<Value> {
    serde_json::to_value(entity).map_err(|error| Error::Usage(error.to_string()))
}

pub(super) fn typed<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| Error::Usage(error.to_string()))
}
