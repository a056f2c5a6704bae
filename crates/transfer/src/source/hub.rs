//! A repository of the Hugging Face hub, or of another server with the same API.

use std::ops::Range;
use std::sync::OnceLock;

use futures::future::BoxFuture;
use http::header::LINK;
use serde::Deserialize;
use url::Url;

use crate::digest::Sha256;
use crate::endpoint::{ByteStream, Entry, Listing, Result, Shape, Source};
use crate::error::TransferError;
use crate::location::HubLocation;
use crate::relative_path::RelativePath;
use crate::web::Web;

/// The hub unless `HF_ENDPOINT` names another.
pub(crate) const DEFAULT_ENDPOINT: &str = "https://huggingface.co";
const DEFAULT_REVISION: &str = "main";
const LONGEST_RESPONSE: usize = 32 << 20;
/// Stops at a hub whose list has no last page.
const MOST_PAGES: usize = 10_000;

pub(crate) struct Hub {
    web: Web,
    endpoint: Url,
    location: HubLocation,
    /// The commit that the revision is now: all files are of the same one.
    commit: OnceLock<String>,
}

#[derive(Deserialize)]
struct Revision {
    sha: Option<String>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    size: Option<u64>,
    lfs: Option<LargeFile>,
}

/// A large file: its identifier is the SHA-256 digest of its content.
#[derive(Deserialize)]
struct LargeFile {
    #[serde(alias = "sha256")]
    oid: Option<String>,
    size: Option<u64>,
}

impl Hub {
    pub(crate) fn new(web: Web, endpoint: Url, location: HubLocation) -> Self {
        Self { web, endpoint, location, commit: OnceLock::new() }
    }

    fn at(&self) -> String {
        crate::location::Location::Hub(self.location.clone()).to_string()
    }

    fn revision(&self) -> &str {
        self.location.revision.as_deref().unwrap_or(DEFAULT_REVISION)
    }

    /// A URL below the endpoint. A revision is one segment, although it may contain `/`.
    fn url(&self, before: &[&str], segments: &[&str]) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(before).extend(self.location.repository.split('/')).extend(segments);
        }
        url
    }

    async fn list_all(&self) -> Result<Listing> {
        let commit = self.find_commit().await?;
        let mut url = self.url(&["api", "models"], &["tree", &commit]);
        url.query_pairs_mut().append_pair("recursive", "true");
        let _ = self.commit.set(commit.clone());
        let mut entries = Vec::new();
        for _ in 0..MOST_PAGES {
            let (headers, body) =
                self.web.get_small(&url, LONGEST_RESPONSE).await.map_err(|error| self.explain(error))?;
            let nodes: Vec<Node> = serde_json::from_slice(&body).map_err(|error| self.unreadable(&error))?;
            for node in nodes.into_iter().filter(|node| node.kind == "file") {
                entries.push(self.entry(node, &commit)?);
            }
            let next = headers.get(LINK).and_then(|value| value.to_str().ok()).and_then(next_page);
            let Some(cursor) = next.and_then(|next| cursor(&url, &next)) else {
                return Ok(Listing { shape: Shape::Tree, entries });
            };
            // Only the cursor of the link is used: the next page comes from the same hub.
            url.query_pairs_mut().clear().append_pair("recursive", "true").append_pair("cursor", &cursor);
        }
        Err(TransferError::failed(self.at(), format!("the list of files has more than {MOST_PAGES} pages")))
    }

    async fn find_commit(&self) -> Result<String> {
        let url = self.url(&["api", "models"], &["revision", self.revision()]);
        let (_, body) = self.web.get_small(&url, LONGEST_RESPONSE).await.map_err(|error| self.explain(error))?;
        let found: Revision = serde_json::from_slice(&body).map_err(|error| self.unreadable(&error))?;
        let is_commit = |sha: &String| !sha.is_empty() && sha.chars().all(|digit| digit.is_ascii_alphanumeric());
        // Mirrors may not know commits.
        Ok(found.sha.filter(is_commit).unwrap_or_else(|| self.revision().to_owned()))
    }

    fn entry(&self, node: Node, commit: &str) -> Result<Entry> {
        let refused =
            |problem| TransferError::UnsafeName { at: self.at(), name: node.path.escape_debug().to_string(), problem };
        let path = RelativePath::parse(&node.path).map_err(refused)?;
        let digest: Option<Sha256> = node.lfs.as_ref().and_then(|large| large.oid.as_deref()?.parse().ok());
        let size = node.lfs.and_then(|large| large.size).or(node.size);
        let version = Some(digest.map_or_else(|| commit.to_owned(), |digest| digest.to_string()));
        Ok(Entry { path, size, version, digest })
    }

    fn explain(&self, error: TransferError) -> TransferError {
        match error {
            TransferError::NotFound { .. } => TransferError::not_found(
                self.at(),
                format!(
                    "the hub has no such repository or revision (`{}`), or HF_TOKEN has no access to it",
                    self.revision()
                ),
            ),
            TransferError::Denied { reason, .. } => TransferError::denied(
                self.at(),
                format!("{reason}: set HF_TOKEN to a token of a user with access to the repository"),
            ),
            other => other,
        }
    }

    fn unreadable(&self, error: &serde_json::Error) -> TransferError {
        TransferError::failed(self.at(), format!("the response of the hub cannot be read: {error}"))
    }
}

/// The URL of the link with `rel="next"`.
fn next_page(header: &str) -> Option<String> {
    let next = header.split(',').find(|link| link.contains("rel=\"next\""))?;
    Some(next.split_once('<')?.1.split_once('>')?.0.to_owned())
}

fn cursor(url: &Url, next: &str) -> Option<String> {
    let next = url.join(next).ok()?;
    next.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned())
}

impl Source for Hub {
    fn list(&self) -> BoxFuture<'_, Result<Listing>> {
        Box::pin(self.list_all())
    }

    fn open(&self, entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        let commit = self.commit.get().map_or(self.revision(), String::as_str);
        let segments: Vec<&str> = ["resolve", commit].into_iter().chain(entry.path.as_str().split('/')).collect();
        let url = self.url(&[], &segments);
        // The commit is the version. Entity tags belong to the store that the hub redirects to.
        Box::pin(async move { self.web.open(url, range, None).await.map_err(|error| self.explain(error)) })
    }
}
