//! A list of the catalog.

use std::marker::PhantomData;

use model_registry_api::entities::Page;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::options::ListQuery;
use crate::pages::{self, Items};

/// A list with options `O` and items `T`.
#[derive(Debug)]
pub struct CatalogList<T, O> {
    client: Client,
    path: std::result::Result<String, String>,
    kind: PhantomData<fn(O) -> T>,
}

impl<T, O> Clone for CatalogList<T, O> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), path: self.path.clone(), kind: PhantomData }
    }
}

impl<T: DeserializeOwned + Send + 'static, O: ListQuery> CatalogList<T, O> {
    /// Keeps an invalid path as an error, which the first page returns.
    pub(super) fn new(client: Client, path: Result<String>) -> Self {
        Self { client, path: path.map_err(|error| error.to_string()), kind: PhantomData }
    }

    fn path(&self) -> Result<String> {
        self.path.clone().map_err(Error::Usage)
    }

    /// All items; pages are fetched as needed.
    pub fn list(&self, options: O) -> Items<T> {
        pages::items(self.client.clone(), self.path(), options)
    }

    /// One page; the empty token selects the first.
    pub async fn page(&self, options: &O, token: &str) -> Result<Page<T>> {
        pages::page(&self.client, self.path()?, options, token).await
    }
}
