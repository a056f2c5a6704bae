//! Preview of a source: a read with the configuration and a file in the request body.

use futures::stream::{self, BoxStream, StreamExt};
use model_registry_api::catalog::{AssetPreview, MODEL_CATALOG, PreviewPage};
use uuid::Uuid;

use crate::call::{Body, Call};
use crate::client::Client;
use crate::error::{Error, Result};
use crate::pages;

/// A source to preview.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PreviewRequest {
    /// One entry of a sources file, in YAML.
    pub config: String,
    /// The content of the data file of a source of type `yaml`.
    pub catalog_data: Option<String>,
    /// Selects the names that would be published (`Some(true)`) or those that would not (`Some(false)`).
    pub included: Option<bool>,
    pub page_size: Option<u32>,
}

/// The names that a source has, and whether it would publish each.
#[derive(Clone, Debug)]
pub struct SourcePreview {
    client: Client,
    request: PreviewRequest,
}

impl SourcePreview {
    pub(super) fn new(client: Client, request: PreviewRequest) -> Self {
        Self { client, request }
    }

    /// One page, with the counts of all names; the empty token selects the first.
    pub async fn page(&self, token: &str) -> Result<PreviewPage> {
        let mut query = Vec::new();
        if let Some(included) = self.request.included {
            query.push(("filterStatus", if included { "included" } else { "excluded" }.to_owned()));
        }
        query.extend(self.request.page_size.map(|size| ("pageSize", size.to_string())));
        let path = format!("{MODEL_CATALOG}/sources/preview");
        let call = Call::read_by_post(path, pages::with_token(query, token), form(&self.request));
        self.client.transport.fetch(call).await
    }

    /// All names. The server reads the source again for each page.
    pub fn list(&self) -> BoxStream<'static, Result<AssetPreview>> {
        let preview = self.clone();
        let pages = stream::try_unfold(Some(String::new()), move |token| {
            let preview = preview.clone();
            async move {
                let Some(token) = token else { return Ok(None) };
                let page = preview.page(&token).await?;
                if !token.is_empty() && page.next_page_token == token {
                    return Err(preview.client.transport.unreadable("the next page token is that of the same page"));
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

/// The multipart form (RFC 7578).
fn form(request: &PreviewRequest) -> Body {
    // Random, so that no file contains the boundary.
    let boundary = Uuid::now_v7().simple().to_string();
    let parts = [("config", Some(&request.config)), ("catalogData", request.catalog_data.as_ref())];
    let mut form = String::new();
    for (name, content) in parts.into_iter().filter_map(|(name, content)| Some((name, content?))) {
        let head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{name}.yaml\"\r\n\
             Content-Type: application/yaml\r\n\r\n"
        );
        form.extend([head.as_str(), content, "\r\n"]);
    }
    form.extend(["--", &boundary, "--\r\n"]);
    Body { content_type: format!("multipart/form-data; boundary={boundary}"), bytes: form.into_bytes() }
}
