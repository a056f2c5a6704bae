//! A kind's own collection.

use std::marker::PhantomData;

use model_registry_api::entities::Page;

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

/// An entity with the tag of the state that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Tagged<R> {
    pub entity: R,
    /// Empty where the server gives none.
    pub etag: String,
}

impl<R: Resource> Collection<R> {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, kind: PhantomData }
    }

    /// All entities, page after page.
    pub fn list(&self, options: ListOptions) -> Items<R> {
        pages::items(self.client.clone(), Ok(R::COLLECTION.to_owned()), options)
    }

    /// One page; the empty token asks for the first.
    pub async fn page(&self, options: &ListOptions, token: &str) -> Result<Page<R>> {
        pages::page(&self.client, R::COLLECTION.to_owned(), options, token).await
    }

    pub async fn get(&self, id: &str) -> Result<R> {
        self.client.transport.fetch(Call::get(entity_path(R::COLLECTION, id)?, Vec::new())).await
    }

    /// Reads an entity together with its tag, for [`Self::update_if_unchanged`].
    pub async fn get_tagged(&self, id: &str) -> Result<Tagged<R>> {
        let transport = &self.client.transport;
        let reply = transport.send(Call::get(entity_path(R::COLLECTION, id)?, Vec::new())).await?;
        Ok(Tagged { entity: transport.read(&reply)?, etag: reply.etag.unwrap_or_default() })
    }

    /// The entity, if there is one.
    pub async fn find(&self, by: FindBy<'_>) -> Result<Option<R>> {
        match self.client.transport.fetch(Call::get(R::ONE.to_owned(), by.query())).await {
            Ok(entity) => Ok(Some(entity)),
            Err(Error::NotFound(answer)) if says_none(&answer.message) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub async fn create(&self, create: &R::Create) -> Result<R> {
        self.client.transport.fetch(Call::post(R::COLLECTION.to_owned(), create)?).await
    }

    /// Changes what `update` mentions. It is never sent twice.
    pub async fn update(&self, id: &str, update: &R::Update) -> Result<R> {
        self.client.transport.fetch(Call::patch(entity_path(R::COLLECTION, id)?, update, None)?).await
    }

    /// Changes an entity unless somebody else changed it since it was read; then it fails with [`Error::Changed`].
    pub async fn update_if_unchanged(&self, id: &str, update: &R::Update, etag: &str) -> Result<R> {
        let etag = Some(etag).filter(|etag| !etag.is_empty());
        self.client.transport.fetch(Call::patch(entity_path(R::COLLECTION, id)?, update, etag)?).await
    }
}

/// Whether a 404 is about the entity. Others say that there are several (`multiple … found`), or come from something
/// that does not know the path.
fn says_none(message: &str) -> bool {
    message.starts_with("no ") && message.contains(" found")
}
