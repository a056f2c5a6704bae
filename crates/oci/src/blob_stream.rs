//! The bytes of a blob as they arrive: continued where the connection broke, counted, and verified.

use std::ops::Range;

use bytes::Bytes;
use futures::Stream;
use reqwest::header::{CONTENT_RANGE, RANGE};
use reqwest::{Response, StatusCode};

use crate::digest::Hasher;
use crate::error::{Error, Result};
use crate::manifest::Descriptor;
use crate::repository::{Access, Repository};

/// A blob, or a part of one, that is being read.
pub struct BlobStream {
    repository: Repository,
    descriptor: Descriptor,
    /// The next byte, and the end.
    range: Range<u64>,
    /// `None` for a part of a blob.
    hasher: Option<Hasher>,
    response: Option<Response>,
    failed: u32,
    /// Bytes of the response that precede the range, because the registry does not serve ranges.
    skip: u64,
}

impl BlobStream {
    pub(crate) fn new(repository: Repository, descriptor: Descriptor, range: Range<u64>) -> Self {
        let is_whole = range.start == 0 && range.end == descriptor.size;
        let hasher = is_whole.then(|| Hasher::new(descriptor.digest.algorithm()));
        Self { repository, descriptor, range, hasher, response: None, failed: 0, skip: 0 }
    }

    /// The next bytes, never empty; `None` after the last one, if the digest is right.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.range.is_empty() {
                return self.end().map(|()| None);
            }
            match self.read().await {
                Ok(Some(chunk)) => {
                    // Progress: a connection that breaks again much later gets all its attempts.
                    self.failed = 0;
                    if let Some(hasher) = &mut self.hasher {
                        hasher.update(&chunk);
                    }
                    self.range.start += chunk.len() as u64;
                    return Ok(Some(chunk));
                }
                Ok(None) => {}
                Err(error) => {
                    self.response = None;
                    self.failed += 1;
                    self.repository.registry.transport.back_off(self.failed, error, None).await?;
                }
            }
        }
    }

    /// The same as a stream.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> + Send {
        futures::stream::try_unfold(self, |mut blob| async move {
            let chunk = blob.next().await?;
            Ok(chunk.map(|chunk| (chunk, blob)))
        })
    }

    fn what(&self) -> String {
        format!("the blob {} of {}", self.descriptor.digest, self.repository.name())
    }

    /// Reads from the response; `None` if there is nothing for the caller yet.
    async fn read(&mut self) -> Result<Option<Bytes>> {
        if self.response.is_none() {
            self.open().await?;
        }
        let Some(response) = &mut self.response else { return Ok(None) };
        let transport = &self.repository.registry.transport;
        let limit = transport.settings().stall_limit;
        let chunk = tokio::time::timeout(limit, response.chunk()).await;
        let chunk = chunk.map_err(|_| transport.stalled("the blob", limit))?;
        let Some(mut chunk) = chunk.map_err(|error| transport.unreachable(error))? else {
            return Err(Error::Unreachable {
                registry: self.repository.registry().to_owned(),
                problem: model_registry_base::ConnectionProblem::Other,
                source: format!("{} ended {} bytes early", self.what(), self.range.end - self.range.start).into(),
            });
        };
        let skipped = self.skip.min(chunk.len() as u64);
        self.skip -= skipped;
        let mut chunk = chunk.split_off(usize::try_from(skipped).unwrap_or(chunk.len()));
        let left = usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX);
        if chunk.len() > left {
            if self.hasher.is_some() {
                let limit = self.descriptor.size;
                return Err(Error::TooLarge { what: self.what(), limit });
            }
            chunk.truncate(left);
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }

    async fn open(&mut self) -> Result<()> {
        let what = self.what();
        let url = self.repository.blob_url(&self.descriptor.digest);
        let is_whole = self.range.start == 0 && self.range.end == self.descriptor.size;
        let range = format!("bytes={}-{}", self.range.start, self.range.end - 1);
        let build = |http: &reqwest::Client| {
            let request = http.get(url.clone());
            if is_whole { request } else { request.header(RANGE, &range) }
        };
        let response = self.repository.request(Access::Pull, &what, build).await?;
        self.skip = if response.status() == StatusCode::PARTIAL_CONTENT {
            let start = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
            let start: Option<u64> =
                start.and_then(|value| value.trim().strip_prefix("bytes ")?.split('-').next()?.parse().ok());
            match start {
                Some(start) if start <= self.range.start => self.range.start - start,
                _ => {
                    let reason = "its header `Content-Range` is not the requested one".to_owned();
                    return Err(Error::Invalid { what: format!("the response for {what}"), reason });
                }
            }
        } else {
            self.range.start
        };
        self.response = Some(response);
        Ok(())
    }

    /// Verifies the digest after the last byte.
    fn end(&mut self) -> Result<()> {
        let Some(hasher) = self.hasher.take() else { return Ok(()) };
        let found = hasher.finish();
        if found == self.descriptor.digest {
            return Ok(());
        }
        let (what, expected) = (self.what(), self.descriptor.digest.clone());
        Err(Error::DigestMismatch { what, expected, found })
    }
}
