//! A file of a web server.

use std::ops::Range;

use futures::future::BoxFuture;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, HeaderValue, RANGE};
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::endpoint::{ByteStream, Entry, Listing, Result, Shape, Source};
use crate::error::TransferError;
use crate::location::without_secrets;
use crate::relative_path::RelativePath;
use crate::web::{Validator, Web};

/// One file. Its name is the last segment of the path.
pub(crate) struct WebFile {
    web: Web,
    url: Url,
    reads_ranges: std::sync::OnceLock<bool>,
}

impl WebFile {
    pub(crate) fn new(web: Web, url: Url) -> Self {
        Self { web, url, reads_ranges: std::sync::OnceLock::new() }
    }

    fn at(&self) -> String {
        without_secrets(&self.url)
    }

    /// Requests one byte: that shows the size, the version and whether ranges are served. Not HEAD: signed URLs allow only GET.
    async fn probe(&self) -> Result<Listing> {
        let path = file_name(&self.url)?;
        let first = HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-0"))]);
        let response = self.web.get(&self.url, &first, &[StatusCode::RANGE_NOT_SATISFIABLE]).await?;
        let headers = response.headers();
        if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|encoding| *encoding != "identity") {
            let encoding = encoding.to_str().unwrap_or_default().to_owned();
            return Err(TransferError::failed(
                self.at(),
                format!("the server sends the file encoded as `{encoding}` although that was not requested"),
            ));
        }
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let (size, reads_ranges) = match response.status() {
            StatusCode::PARTIAL_CONTENT => (text(CONTENT_RANGE).and_then(total), true),
            // Only an empty file has no first byte.
            StatusCode::RANGE_NOT_SATISFIABLE => (Some(0), true),
            _ => (text(CONTENT_LENGTH).and_then(|length| length.trim().parse().ok()), false),
        };
        let _ = self.reads_ranges.set(reads_ranges && size.is_some());
        let version = Validator::of(headers).map(|validator| validator.to_string());
        Ok(Listing { shape: Shape::File, entries: vec![Entry { path, size, version, digest: None }] })
    }
}

/// The total of `bytes 0-0/100`; `None` if the server does not know it.
fn total(range: &str) -> Option<u64> {
    range.rsplit('/').next()?.trim().parse().ok()
}

/// The last segment of the path.
pub(crate) fn file_name(url: &Url) -> Result<RelativePath> {
    let at = || without_secrets(url);
    let segment = url.path_segments().and_then(|mut segments| segments.next_back()).unwrap_or_default();
    let name = percent_decode_str(segment).decode_utf8_lossy();
    if name.is_empty() {
        return Err(TransferError::invalid(format!("the URL {} has no file name: its path ends with `/`", at())));
    }
    let refused = |problem| TransferError::UnsafeName { at: at(), name: name.escape_debug().to_string(), problem };
    if name.contains('/') {
        return Err(refused(crate::NameProblem::NotNormal));
    }
    RelativePath::parse(&name).map_err(refused)
}

impl Source for WebFile {
    fn list(&self) -> BoxFuture<'_, Result<Listing>> {
        Box::pin(self.probe())
    }

    fn open(&self, entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        let validator = entry.version.as_deref().and_then(Validator::parse);
        // A range up to the end, so that a server without ranges sends the file as usual.
        let is_to_end = !self.reads_ranges() && range.start == 0;
        let range = if is_to_end && entry.size.is_none() { 0..u64::MAX } else { range };
        Box::pin(self.web.open(self.url.clone(), range, validator))
    }

    fn reads_ranges(&self) -> bool {
        self.reads_ranges.get().copied().unwrap_or(false)
    }
}
