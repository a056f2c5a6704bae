//! What a source would publish: a question with files in it.

use futures::stream::{self, BoxStream, StreamExt};
use model_registry_api::catalog::{MODEL_CATALOG, ModelPreview, PreviewPage};
use uuid::Uuid;

use crate::call::{Body, Call};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::pages;

/// A source that nobody has configured yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreviewRequest {
    /// The source as one entry of a sources file, in YAML.
    pub config: String,
    /// The model file that a source of type `yaml` would read.
    pub catalog_data: Option<String>,
    /// Only names that are published (`Some(true)`), or only those that are not.
    pub included: Option<bool>,
    pub page_size: Option<u32>,
}

/// The names that a source has, and whether it would publish them.
#[derive(Clone, Debug)]
pub struct Previewed {
    client: Client,
    request: PreviewRequest,
}

impl Previewed {
    pub(super) fn new(client: Client, request: PreviewRequest) -> Self {
        Self { client, request }
    }

    /// One page, with the counts of all names; the empty token asks for the first.
    pub async fn page(&self, token: &str) -> Result<PreviewPage> {
        let mut query = Vec::new();
        if let Some(included) = self.request.included {
            query.push(("filterStatus", if included { "included" } else { "excluded" }.to_owned()));
        }
        query.extend(self.request.page_size.map(|size| ("pageSize", size.to_string())));
        let path = format!("{MODEL_CATALOG}/sources/preview");
        let call = Call::ask(path, pages::with_token(query, token), form(&self.request));
        self.client.transport.fetch(call).await
    }

    /// All names, page after page; the source is read again for every page.
    pub fn list(&self) -> BoxStream<'static, Result<ModelPreview>> {
        let previewed = self.clone();
        let pages = stream::try_unfold(Some(String::new()), move |token| {
            let previewed = previewed.clone();
            async move {
                let Some(token) = token else { return Ok(None) };
                let page = previewed.page(&token).await?;
                if !token.is_empty() && page.next_page_token == token {
                    return Err(previewed.client.transport.unreadable("it gives the same page for ever"));
                }
                let next = Some(page.next_page_token).filter(|next| !next.is_empty());
                Ok::<_, Error>(Some((page.items, next)))
            }
        });
        pages
            .flat_map(|page| match page {
                Ok(items) => stream::iter(items.into_iter().map(Ok).collect::<Vec<_>>()),
                Err(error) => stream::iter(vec![Err(error)]),
            })
            .boxed()
    }
}

/// The form with the files (RFC 7578).
fn form(request: &PreviewRequest) -> Body {
    // Random, so that no file contains it.
    let boundary = Uuid::now_v7().simple().to_string();
    let parts = [("config", Some(&request.config)), ("catalogData", request.catalog_data.as_ref())];
    let mut text = String::new();
    for (name, content) in parts.into_iter().filter_map(|(name, content)| Some((name, content?))) {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.yaml\"\r\n\
             Content-Type: application/yaml\r\n\r\n"
        );
        text.extend([head.as_str(), content, "\r\n"]);
    }
    text.extend(["--", &boundary, "--\r\n"]);
    Body { content_type: format!("multipart/form-data; boundary={boundary}"), bytes: text.into_bytes() }
}
