//! Lists as streams: the next page is fetched after the last item of the previous one.

use std::collections::VecDeque;

use futures::stream::{self, BoxStream, StreamExt};
use model_registry_api::entities::Page;
use serde::de::DeserializeOwned;

use crate::call::{Call, Query};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::options::ListQuery;

/// The items of a list as a stream, which ends after the first error.
pub type Items<T> = BoxStream<'static, Result<T>>;

enum Next {
    /// The page with this token; empty for the first.
    Page(String),
    End,
}

struct State<T, O> {
    client: Client,
    path: Result<String>,
    options: O,
    fetched: VecDeque<T>,
    next: Next,
}

pub(crate) async fn page<T: DeserializeOwned>(
    client: &Client,
    path: String,
    options: &impl ListQuery,
    token: &str,
) -> Result<Page<T>> {
    client.transport.fetch(Call::get(path, with_token(options.query(), token))).await
}

/// Adds a page token to a query; the empty token selects the first page.
pub(crate) fn with_token(mut query: Query, token: &str) -> Query {
    if !token.is_empty() {
        query.push(("nextPageToken", token.to_owned()));
    }
    query
}

pub(crate) fn items<T: DeserializeOwned + Send + 'static, O: ListQuery>(
    client: Client,
    path: Result<String>,
    options: O,
) -> Items<T> {
    let first = State { client, path, options, fetched: VecDeque::new(), next: Next::Page(String::new()) };
    stream::unfold(first, |mut state| async {
        let item = state.next_item().await.transpose()?;
        if item.is_err() {
            state.next = Next::End;
        }
        Some((item, state))
    })
    .boxed()
}

impl<T: DeserializeOwned, O: ListQuery> State<T, O> {
    async fn next_item(&mut self) -> Result<Option<T>> {
        loop {
            if let Some(item) = self.fetched.pop_front() {
                return Ok(Some(item));
            }
            let Next::Page(token) = std::mem::replace(&mut self.next, Next::End) else { return Ok(None) };
            let path = std::mem::replace(&mut self.path, Err(Error::Usage(String::new())))?;
            let page: Page<T> = page(&self.client, path.clone(), &self.options, &token).await?;
            self.path = Ok(path);
            self.fetched = page.items.into();
            if !page.next_page_token.is_empty() {
                if page.next_page_token == token {
                    return Err(self.client.transport.unreadable("the next page token is that of the same page"));
                }
                self.next = Next::Page(page.next_page_token);
            }
        }
    }
}
