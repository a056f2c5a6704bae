//! Uploads of blobs whose digest is known only at their end, and of small ones.
//!
//! A blob is sent in parts, each held in memory until the registry has it. After a failure the registry says how many bytes
//! it has; what is missing of the part is sent again. A registry that has lost the upload ([`Error::UploadLost`]) needs the blob
//! from its beginning: some (distribution 2) do so whenever a connection breaks within a part.

use bytes::Bytes;
use futures::stream;
use model_registry_base::run_blocking;
use reqwest::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RANGE};
use reqwest::{Body, Response, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::atomic::Ordering;
use url::Url;

use crate::digest::{Algorithm, Digest, Hasher};
use crate::error::{Error, Result, is_temporary};
use crate::manifest::Descriptor;
use crate::repository::{Access, DIGEST_HEADER, Repository, location};
use crate::transport::{Progress, requested_wait};

const OCTETS: &str = "application/octet-stream";
const WHAT: &str = "an upload";
/// Less than this is hashed at once: passing it to another thread would take longer.
const HASHED_AT_ONCE: usize = 64 << 10;

/// A blob that is being sent, one part after the other. Dropping it cancels the upload at the registry.
pub struct BlobUpload {
    repository: Repository,
    /// Where the next part goes; `None` before the first one, and after the end.
    url: Option<Url>,
    /// Bytes that the registry has confirmed.
    sent: u64,
    hasher: Hasher,
    /// Bytes that wait for a whole part.
    waiting: Vec<Bytes>,
    waiting_length: u64,
    part_size: u64,
}

/// Where an upload stands, for another process to continue it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedUpload {
    location: String,
    /// Bytes of the blob that the registry has.
    pub offset: u64,
    hash: Vec<u8>,
}

/// Without the location, which may have a signature.
impl std::fmt::Debug for SavedUpload {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SavedUpload").field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl Repository {
    /// Begins a blob. The registry hears of it when a part is complete.
    pub fn upload(&self) -> BlobUpload {
        BlobUpload {
            repository: self.clone(),
            url: None,
            sent: 0,
            hasher: Hasher::new(Algorithm::Sha256),
            waiting: Vec::new(),
            waiting_length: 0,
            part_size: self.registry.transport.settings().part_size.max(1),
        }
    }

    /// Continues an upload of another process; `None` if the registry does not have it any more, or not exactly so.
    pub async fn continue_upload(&self, saved: &SavedUpload) -> Result<Option<BlobUpload>> {
        let Some(hasher) = Hasher::restore(&saved.hash) else { return Ok(None) };
        let url = self.registry.transport.resolve(&saved.location)?;
        match self.upload_status(&url).await {
            Ok(Some((url, offset))) if offset == saved.offset => {
                let mut upload = self.upload();
                (upload.url, upload.sent, upload.hasher) = (Some(url), offset, hasher);
                Ok(Some(upload))
            }
            Ok(found) => {
                if let Some((url, _)) = found {
                    self.cancel_upload(&url).await;
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Sends a small blob whole, unless the repository has it.
    pub async fn put_blob(&self, media_type: &str, bytes: impl Into<Bytes>) -> Result<Descriptor> {
        let bytes = bytes.into();
        let descriptor = Descriptor::of(media_type, &bytes);
        if self.blob_size(&descriptor.digest).await?.is_some() {
            return Ok(descriptor);
        }
        let mut upload = self.upload();
        upload.part_size = u64::MAX;
        upload.append(vec![bytes]).await?;
        upload.finish(media_type).await
    }

    /// Copies a blob of another repository, unless it is here: within a registry by mounting it, else its bytes.
    pub async fn copy_blob(&self, from: &Self, blob: &Descriptor) -> Result<CopiedBlob> {
        if self.blob_size(&blob.digest).await?.is_some() {
            return Ok(CopiedBlob::Existing);
        }
        if self.mount(&blob.digest, from).await? {
            return Ok(CopiedBlob::Mounted);
        }
        let mut failed = 0;
        loop {
            match self.copy_bytes(from, blob).await {
                Ok(()) => return Ok(CopiedBlob::Sent),
                Err(error @ Error::UploadLost { .. }) => {
                    failed += 1;
                    self.registry.transport.back_off(failed, error, None).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn copy_bytes(&self, from: &Self, blob: &Descriptor) -> Result<()> {
        let mut upload = self.upload();
        let mut stream = from.blob(blob);
        while let Some(chunk) = stream.next().await? {
            upload.append(vec![chunk]).await?;
        }
        if blob.digest.algorithm() == Algorithm::Sha256 {
            upload.finish(&blob.media_type).await?;
        } else {
            upload.commit(&blob.digest).await?;
        }
        Ok(())
    }

    /// Verifies that the registry permits pushing, by an upload that is cancelled.
    pub(crate) async fn check_push(&self) -> Result<()> {
        let url = self.uploads_url();
        let what = format!("pushing to {}", self.name());
        let build = |http: &reqwest::Client| http.post(url.clone()).header(CONTENT_LENGTH, 0);
        let response = self.request(Access::Push, &what, build).await?;
        if let Some(location) = location(&response) {
            self.cancel_upload(&self.registry.transport.resolve(&location)?).await;
        }
        Ok(())
    }

    /// How many bytes of an upload the registry has, and where the next ones go; `None` if it does not know the upload.
    async fn upload_status(&self, url: &Url) -> Result<Option<(Url, u64)>> {
        let response = self.send_to(url, WHAT, |http| http.get(url.clone())).await?;
        match response.status() {
            StatusCode::NO_CONTENT | StatusCode::ACCEPTED | StatusCode::OK => {
                let end = response.headers().get(RANGE).and_then(|value| value.to_str().ok()).and_then(range_end);
                let Some(end) = end else { return Ok(None) };
                Ok(Some((self.next_location(&response, url)?, end)))
            }
            status if status.is_client_error() => Ok(None),
            _ => Err(self.refused(WHAT, response).await),
        }
    }

    fn next_location(&self, response: &Response, current: &Url) -> Result<Url> {
        location(response).map_or_else(|| Ok(current.clone()), |location| self.registry.transport.resolve(&location))
    }

    /// Sends a request to the address of an upload, which need not be at the registry itself.
    async fn send_to(
        &self,
        url: &Url,
        what: &str,
        build: impl Fn(&reqwest::Client) -> reqwest::RequestBuilder,
    ) -> Result<Response> {
        if self.registry.transport.is_own(url) {
            return self.send(Access::Push, what, build).await;
        }
        self.registry.transport.send_repeated(what, build).await
    }
}

/// How a blob came into a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopiedBlob {
    Existing,
    Mounted,
    Sent,
}

impl BlobUpload {
    /// Bytes that were appended.
    pub fn length(&self) -> u64 {
        self.sent + self.waiting_length
    }

    /// Appends bytes. Whole parts are sent before it returns.
    pub async fn append(&mut self, chunks: Vec<Bytes>) -> Result<()> {
        for mut chunk in chunks {
            while !chunk.is_empty() {
                let room = self.part_size - self.waiting_length;
                let length = usize::try_from(room).unwrap_or(usize::MAX).min(chunk.len());
                let head = chunk.split_to(length);
                self.waiting_length += head.len() as u64;
                self.waiting.push(head);
                if self.waiting_length == self.part_size {
                    self.flush().await?;
                }
            }
        }
        Ok(())
    }

    /// Sends what waits. [`BlobUpload::append`] does so for whole parts.
    pub async fn flush(&mut self) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        // At the same time: the digest is needed only at the end.
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(Algorithm::Sha256));
        let hashing = hashed(hasher, self.waiting.clone());
        let (hasher, sent) = tokio::join!(hashing, self.send_waiting());
        self.hasher = hasher;
        sent
    }

    async fn send_waiting(&mut self) -> Result<()> {
        if self.url.is_none() {
            let url = self.repository.uploads_url();
            let build = |http: &reqwest::Client| http.post(url.clone()).header(CONTENT_LENGTH, 0);
            let response = self.repository.request(Access::Push, WHAT, build).await?;
            let Some(location) = location(&response) else { return Err(self.invalid("it has no header `Location`")) };
            self.url = Some(self.repository.registry.transport.resolve(&location)?);
        }
        self.send_part().await?;
        self.sent += self.waiting_length;
        self.waiting.clear();
        self.waiting_length = 0;
        Ok(())
    }

    async fn hash_waiting(&mut self) {
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new(Algorithm::Sha256));
        self.hasher = hashed(hasher, self.waiting.clone()).await;
    }

    /// Sends the waiting part, and after a failure what the registry lacks of it.
    async fn send_part(&mut self) -> Result<()> {
        let (mut done, mut failed, mut has_learned) = (0, 0, false);
        while done < self.waiting_length {
            let Some(url) = self.url.clone() else { return Err(self.lost()) };
            let (error, requested) = match self.patch(&url, done).await {
                Ok(response) if response.status().is_success() => {
                    self.url = Some(self.repository.next_location(&response, &url)?);
                    return Ok(());
                }
                Ok(response) if response.status() == StatusCode::UNAUTHORIZED && !has_learned => {
                    has_learned = true;
                    if !self.repository.learn(Access::Push, &response) {
                        return Err(self.repository.refused(WHAT, response).await);
                    }
                    continue;
                }
                Ok(response) if is_temporary(response.status().as_u16()) => {
                    let requested = requested_wait(&response);
                    (self.repository.refused(WHAT, response).await, requested)
                }
                Ok(response) if is_lost(response.status()) => {
                    tracing::debug!(status = response.status().as_u16(), "the registry does not continue an upload");
                    self.url = None;
                    return Err(self.lost());
                }
                Ok(response) => return Err(self.repository.refused(WHAT, response).await),
                Err(error) => (error, None),
            };
            failed += 1;
            self.repository.registry.transport.back_off(failed, error, requested).await?;
            let status = self.repository.upload_status(&url).await?;
            let Some((next, end)) = status else {
                self.url = None;
                return Err(self.lost());
            };
            // Bytes that were confirmed and are gone, or that nobody has sent.
            if end < self.sent || end > self.sent + self.waiting_length {
                return Err(self.lost());
            }
            done = end - self.sent;
            self.url = Some(next);
        }
        Ok(())
    }

    async fn patch(&self, url: &Url, done: u64) -> Result<Response> {
        let chunks = after(&self.waiting, done);
        let length = self.waiting_length - done;
        let first = self.sent + done;
        let transport = &self.repository.registry.transport;
        let request = transport
            .http()
            .patch(url.clone())
            .header(CONTENT_TYPE, OCTETS)
            .header(CONTENT_RANGE, format!("{first}-{}", first + length - 1));
        let (request, progress) = with_body(request, chunks, length);
        let request = self.repository.authorized(Access::Push, url, request).await?;
        transport.send(WHAT, request, &progress, transport.settings().stall_limit).await
    }

    /// Sends the rest and commits the blob under its digest. A blob that fits into one part, and that the repository has, is not
    /// sent.
    pub async fn finish(mut self, media_type: &str) -> Result<Descriptor> {
        let size = self.length();
        if self.url.is_none() {
            self.hash_waiting().await;
            let digest = self.hasher.clone().finish();
            if self.repository.blob_size(&digest).await?.is_none() {
                self.put_whole(&digest).await?;
            }
            return Ok(Descriptor::new(media_type, digest, size));
        }
        self.flush().await?;
        let digest = self.hasher.clone().finish();
        self.commit_sent(&digest).await?;
        Ok(Descriptor::new(media_type, digest, size))
    }

    /// Like [`BlobUpload::finish`], with a digest that is known and verified by the registry.
    async fn commit(mut self, digest: &Digest) -> Result<()> {
        if self.url.is_none() {
            return self.put_whole(digest).await;
        }
        self.flush().await?;
        self.commit_sent(digest).await
    }

    /// Sends the whole blob, which waits, in one request. It can be repeated from the beginning.
    async fn put_whole(&mut self, digest: &Digest) -> Result<()> {
        let mut failed = 0;
        loop {
            let url = self.repository.uploads_url();
            let build = |http: &reqwest::Client| http.post(url.clone()).header(CONTENT_LENGTH, 0);
            let response = self.repository.request(Access::Push, WHAT, build).await?;
            let Some(location) = location(&response) else { return Err(self.invalid("it has no header `Location`")) };
            let url = self.repository.registry.transport.resolve(&location)?;
            self.url = Some(url.clone());
            let target = with_digest(&url, digest);
            let transport = &self.repository.registry.transport;
            let request = transport.http().put(target).header(CONTENT_TYPE, OCTETS);
            let (request, progress) = with_body(request, self.waiting.clone(), self.waiting_length);
            let request = self.repository.authorized(Access::Push, &url, request).await?;
            let sent = transport.send(WHAT, request, &progress, transport.settings().commit_limit).await;
            let (error, requested) = match sent {
                Ok(response) if response.status().is_success() => return self.committed(&response, digest),
                Ok(response) if is_temporary(response.status().as_u16()) => {
                    let requested = requested_wait(&response);
                    (self.repository.refused(WHAT, response).await, requested)
                }
                Ok(response) => return Err(self.repository.refused(WHAT, response).await),
                Err(error) => (error, None),
            };
            failed += 1;
            self.repository.cancel_upload(&url).await;
            self.url = None;
            self.repository.registry.transport.back_off(failed, error, requested).await?;
        }
    }

    /// Commits what was sent.
    async fn commit_sent(&mut self, digest: &Digest) -> Result<()> {
        let Some(url) = self.url.clone() else { return Err(self.lost()) };
        let target = with_digest(&url, digest);
        let build =
            |http: &reqwest::Client| http.put(target.clone()).header(CONTENT_LENGTH, 0).header(CONTENT_TYPE, OCTETS);
        let response = self.repository.send_to(&url, WHAT, build).await?;
        if response.status().is_success() {
            return self.committed(&response, digest);
        }
        // The response to an earlier attempt may have been lost.
        if self.repository.blob_size(digest).await?.is_some() {
            self.url = None;
            return Ok(());
        }
        if is_lost(response.status()) && response.status() != StatusCode::BAD_REQUEST {
            self.url = None;
            return Err(self.lost());
        }
        Err(self.repository.refused(WHAT, response).await)
    }

    fn committed(&mut self, response: &Response, digest: &Digest) -> Result<()> {
        self.url = None;
        let announced = response.headers().get(DIGEST_HEADER).and_then(|value| value.to_str().ok());
        match announced.and_then(|found| found.parse::<Digest>().ok()) {
            Some(found) if found.algorithm() == digest.algorithm() && found != *digest => {
                let what = format!("the uploaded blob of {}", self.repository.name());
                Err(Error::DigestMismatch { what, expected: digest.clone(), found })
            }
            _ => Ok(()),
        }
    }

    /// Where the upload stands, without what waits for a whole part; `None` before the first part.
    pub fn save(&self) -> Option<SavedUpload> {
        // While bytes wait they are not part of the digest.
        let url = self.url.as_ref()?;
        Some(SavedUpload { location: url.to_string(), offset: self.sent, hash: self.hasher.save()? })
    }

    /// Leaves the upload as it is, for [`Repository::continue_upload`].
    pub fn keep(mut self) {
        self.url = None;
    }

    /// Ends the upload, and waits until the registry knows.
    pub async fn cancel(mut self) {
        if let Some(url) = self.url.take() {
            self.repository.cancel_upload(&url).await;
        }
    }

    fn lost(&self) -> Error {
        Error::UploadLost { registry: self.repository.registry().to_owned() }
    }

    fn invalid(&self, reason: &str) -> Error {
        let what = format!("the response of {} to the beginning of an upload", self.repository.registry());
        Error::Invalid { what, reason: reason.to_owned() }
    }
}

impl Drop for BlobUpload {
    fn drop(&mut self) {
        let Some(url) = self.url.take() else { return };
        let repository = self.repository.clone();
        // Outside a runtime, at the end of the process, the upload is left to expire.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { repository.cancel_upload(&url).await });
        }
    }
}

/// The digest over some more bytes.
async fn hashed(mut hasher: Hasher, chunks: Vec<Bytes>) -> Hasher {
    let length: usize = chunks.iter().map(Bytes::len).sum();
    let update = move || {
        for chunk in &chunks {
            hasher.update(chunk);
        }
        hasher
    };
    if length < HASHED_AT_ONCE { update() } else { run_blocking(update).await }
}

/// Responses of registries that do not continue an upload: they do not know it, or do not have its last bytes.
fn is_lost(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::RANGE_NOT_SATISFIABLE | StatusCode::BAD_REQUEST
    )
}

/// A request with this body, which may be sent again, and the count of its bytes.
fn with_body(request: reqwest::RequestBuilder, chunks: Vec<Bytes>, length: u64) -> (reqwest::RequestBuilder, Progress) {
    let progress = Progress::default();
    let counter = Progress::clone(&progress);
    let counted = chunks.into_iter().map(move |chunk| {
        counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        Ok::<_, std::convert::Infallible>(chunk)
    });
    let body = Body::wrap_stream(stream::iter(counted));
    (request.header(CONTENT_LENGTH, length).body(body), progress)
}

/// The chunks without the first bytes.
fn after(chunks: &[Bytes], mut skip: u64) -> Vec<Bytes> {
    let mut rest = Vec::with_capacity(chunks.len());
    for chunk in chunks {
        let skipped = skip.min(chunk.len() as u64);
        skip -= skipped;
        let chunk = chunk.slice(usize::try_from(skipped).unwrap_or(chunk.len())..);
        if !chunk.is_empty() {
            rest.push(chunk);
        }
    }
    rest
}

fn with_digest(url: &Url, digest: &Digest) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair("digest", &digest.to_string());
    url
}

/// `0-99` is 100 bytes; `0-0` is written both for one byte and for none, and nobody sends one.
fn range_end(header: &str) -> Option<u64> {
    let end: u64 = header.trim().trim_start_matches("bytes=").split_once('-')?.1.parse().ok()?;
    Some(if end == 0 { 0 } else { end + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_part_begins_anywhere_in_its_chunks() {
        let chunks = [Bytes::from_static(b"abc"), Bytes::from_static(b"de"), Bytes::from_static(b"f")];
        for skip in 0..=6 {
            let rest: Vec<u8> = after(&chunks, skip).concat();
            assert_eq!(rest, b"abcdef"[usize::try_from(skip).unwrap()..]);
        }
        assert!(after(&chunks, 6).is_empty());
    }

    #[test]
    fn the_range_of_an_upload_is_read_in_both_forms() {
        assert_eq!(range_end("0-99"), Some(100));
        assert_eq!(range_end("bytes=0-99"), Some(100));
        assert_eq!(range_end("0-0"), Some(0));
        for wrong in ["", "x", "0-", "0-x", "5"] {
            assert_eq!(range_end(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_digest_is_added_to_the_query_of_an_upload() {
        let digest = Digest::of(b"");
        let url = with_digest(&"https://h/v2/u?_state=a%3D".parse().unwrap(), &digest);
        assert!(url.as_str().starts_with("https://h/v2/u?_state=a%3D&digest=sha256%3A"), "{url}");
    }
}
