//! The collection of a kind.

use std::marker::PhantomData;

use model_registry_api::entities::{FilterOptions, Page};

use crate::call::{Call, entity_path};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::options::{FindBy, ListOptions};
use crate::pages::{self, Items};
use crate::resource::Resource;

/// The operations on all entities of a kind.
///
/// ```
/// # use model_registry_client::{Change, Client, FindBy, RegisteredModelCreate, RegisteredModelUpdate};
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doctest/server.rs"));
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), model_registry_client::Error> {
/// # let client = Client::new(&registry().await)?;
/// let models = client.registered_models();
/// let model = models.create(&RegisteredModelCreate { name: "fraud".to_owned(), ..Default::default() }).await?;
/// let update = RegisteredModelUpdate { owner: Change::Set("risk".to_owned()), ..Default::default() };
/// let model = models.update(&model.id, &update).await?;
/// assert_eq!(models.find(FindBy::Name("fraud")).await?, Some(model));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Collection<R> {
    client: Client,
    kind: PhantomData<fn() -> R>,
}

/// An entity with its entity tag.
#[derive(Clone, Debug, PartialEq)]
pub struct Tagged<R> {
    pub entity: R,
    /// Empty if the server sent none.
    pub etag: String,
}

impl<R: Resource> Collection<R> {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, kind: PhantomData }
    }

    /// All entities; pages are fetched as needed.
    pub fn list(&self, options: ListOptions) -> Items<R> {
        pages::items(self.client.clone(), Ok(R::COLLECTION.to_owned()), options)
    }

    /// One page; the empty token selects the first.
    pub async fn page(&self, options: &ListOptions, token: &str) -> Result<Page<R>> {
        pages::page(&self.client, R::COLLECTION.to_owned(), options, token).await
    }

    /// What filters on the list can use: names, types, frequent values, ranges of numbers. The Kubeflow Model Registry does not
    /// have it.
    pub async fn filter_options(&self) -> Result<FilterOptions> {
        self.client.transport.fetch(Call::get(format!("{}/filter_options", R::COLLECTION), Vec::new())).await
    }

    /// Reads an entity by id.
    pub async fn get(&self, id: &str) -> Result<R> {
        self.client.transport.fetch(Call::get(entity_path(R::COLLECTION, id)?, Vec::new())).await
    }

    /// Reads an entity with its entity tag, for [`Self::update_if_unchanged`].
    pub async fn get_tagged(&self, id: &str) -> Result<Tagged<R>> {
        let transport = &self.client.transport;
        let response = transport.send(Call::get(entity_path(R::COLLECTION, id)?, Vec::new())).await?;
        Ok(Tagged { entity: transport.read(&response)?, etag: response.etag.unwrap_or_default() })
    }

    /// Finds an entity; `None` if it does not exist.
    pub async fn find(&self, by: FindBy<'_>) -> Result<Option<R>> {
        match self.client.transport.fetch(Call::get(R::ONE.to_owned(), by.query())).await {
            Ok(entity) => Ok(Some(entity)),
            Err(Error::NotFound(response)) if is_about_the_entity(&response.message) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Creates an entity.
    pub async fn create(&self, create: &R::Create) -> Result<R> {
        self.client.transport.fetch(Call::post(R::COLLECTION.to_owned(), create)?).await
    }

    /// Updates the fields that are set in `update`. It is never retried.
    pub async fn update(&self, id: &str, update: &R::Update) -> Result<R> {
        self.client.transport.fetch(Call::patch(entity_path(R::COLLECTION, id)?, update, None)?).await
    }

    /// Updates an entity if it still has this entity tag; otherwise fails with [`Error::Changed`]. It is never retried.
    pub async fn update_if_unchanged(&self, id: &str, update: &R::Update, etag: &str) -> Result<R> {
        let etag = Some(etag).filter(|etag| !etag.is_empty());
        self.client.transport.fetch(Call::patch(entity_path(R::COLLECTION, id)?, update, etag)?).await
    }
}

/// Whether a 404 means that the entity does not exist. Other ones mean several matches (`multiple … found`), or come from
/// a server that does not have the path.
fn is_about_the_entity(message: &str) -> bool {
    message.starts_with("no ") && message.contains(" found")
}
