//! A list of the catalog.

use std::marker::PhantomData;

use model_registry_api::entities::Page;
use serde::de::DeserializeOwned;

use crate::client::Client;
use crate::error::{Error, Result};
use crate::options::ListQuery;
use crate::pages::{self, Items};

/// Something that is listed with options of its own.
#[derive(Debug)]
pub struct Listed<T, O> {
    client: Client,
    path: std::result::Result<String, String>,
    kind: PhantomData<fn(O) -> T>,
}

impl<T, O> Clone for Listed<T, O> {
    fn clone(&self) -> Self {
        Self { client: self.client.clone(), path: self.path.clone(), kind: PhantomData }
    }
}

impl<T: DeserializeOwned + Send + 'static, O: ListQuery> Listed<T, O> {
    /// A path that no name gives is an error of the list, not of whoever asks for it.
    pub(super) fn new(client: Client, path: Result<String>) -> Self {
        Self { client, path: path.map_err(|error| error.to_string()), kind: PhantomData }
    }

    fn path(&self) -> Result<String> {
        self.path.clone().map_err(Error::Usage)
    }

    /// All items, page after page.
    pub fn list(&self, options: O) -> Items<T> {
        pages::items(self.client.clone(), self.path(), options)
    }

    /// One page; the empty token asks for the first.
    pub async fn page(&self, options: &O, token: &str) -> Result<Page<T>> {
        pages::page(&self.client, self.path()?, options, token).await
    }
}
