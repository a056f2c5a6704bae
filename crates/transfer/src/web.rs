//! Requests to web servers and hubs: repeated when they fail and may pass, continued where they broke.

pub(crate) mod host_headers;
mod validator;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use http::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE};
use http::{HeaderMap, StatusCode};
use model_registry_base::{ConnectionProblem, RefusedAddress, error_chain};
use reqwest::{Client, ClientBuilder, Response};
use url::Url;

pub(crate) use self::validator::Validator;
use crate::endpoint::{ByteStream, Result};
use crate::error::TransferError;
use crate::events::{Event, SharedObserver};
use crate::location::without_secrets;
use crate::network::Network;
use crate::retry::{Retry, requested_pause};

const CONNECT: Duration = Duration::from_secs(10);
/// Time without any byte.
const SILENCE: Duration = Duration::from_mins(1);
/// Longest part of a response that a message shows.
const LONGEST_DETAIL: usize = 200;

/// A client with its way to repeat; clones share connections.
#[derive(Clone)]
pub(crate) struct Web {
    client: Client,
    /// A bearer token for the server of the first request; a redirect to another host does not get it.
    token: Option<Arc<str>>,
    network: Network,
    retry: Retry,
    observer: SharedObserver,
}

/// A request that failed.
struct Failure {
    error: TransferError,
    is_temporary: bool,
    requested: Option<Duration>,
}

impl Web {
    pub(crate) fn new(token: Option<&str>, network: &Network, retry: Retry, observer: &SharedObserver) -> Result<Self> {
        let client = built(network.apply(client())?)?;
        let (network, observer) = (network.clone(), Arc::clone(observer));
        Ok(Self { client, token: token.map(Arc::from), network, retry, observer })
    }

    /// Adds headers to every request, which are secrets: no other host gets them by a redirect.
    pub(crate) fn with_headers(mut self, headers: HeaderMap) -> Result<Self> {
        if !headers.is_empty() {
            let client = self.network.apply(client().default_headers(headers))?;
            self.client = built(client.redirect(host_headers::same_host_only()))?;
        }
        Ok(self)
    }

    /// Sends a GET request until its response is a success; other statuses that `accepts` are returned as well.
    pub(crate) async fn get(&self, url: &Url, headers: &HeaderMap, accepts: &[StatusCode]) -> Result<Response> {
        let mut failures = 0;
        loop {
            match self.try_get(url, headers, accepts).await {
                Ok(response) => return Ok(response),
                Err(failure) => self.wait(failure, &mut failures).await?,
            }
        }
    }

    /// Waits before the next attempt; fails if there is none.
    async fn wait(&self, failure: Failure, failures: &mut u32) -> Result<()> {
        *failures += 1;
        let pause = self.retry.pause(*failures, failure.requested).filter(|_| failure.is_temporary);
        let Some(pause) = pause else { return Err(failure.error) };
        let (at, reason) = match &failure.error {
            TransferError::Unavailable { at, reason } => (at.clone(), reason.clone()),
            other => (String::new(), other.to_string()),
        };
        self.observer.on(&Event::Retry { at, reason, pause });
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn try_get(
        &self,
        url: &Url,
        headers: &HeaderMap,
        accepts: &[StatusCode],
    ) -> std::result::Result<Response, Failure> {
        self.network.check(url).map_err(|refused| refusal(url, &refused))?;
        let mut request = self.client.get(url.clone()).headers(headers.clone()).header(ACCEPT_ENCODING, "identity");
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(|error| connection_failure(url, error))?;
        let status = response.status();
        if status.is_success() || accepts.contains(&status) {
            return Ok(response);
        }
        let requested = requested_pause(response.headers());
        let detail = response.headers().get("x-error-message").and_then(|value| value.to_str().ok()).map(str::to_owned);
        Err(status_failure(url, status, requested, detail))
    }

    /// Reads the whole body of a small response.
    pub(crate) async fn get_small(&self, url: &Url, limit: usize) -> Result<(HeaderMap, Vec<u8>)> {
        let mut failures = 0;
        loop {
            let response = self.get(url, &HeaderMap::new(), &[]).await?;
            let headers = response.headers().clone();
            match read_small(url, response, limit).await {
                Ok(body) => return Ok((headers, body)),
                Err(failure) => self.wait(failure, &mut failures).await?,
            }
        }
    }

    /// Opens a range of a file. When the connection breaks, the stream goes on at its offset. With a validator the server is
    /// requested to send that version only.
    pub(crate) async fn open(&self, url: Url, range: Range<u64>, validator: Option<Validator>) -> Result<ByteStream> {
        let web = self.clone();
        let mut state = Reading { web, url, range, validator, seen: None, body: None, skip: 0, failures: 0 };
        state.body = Some(state.connect().await?);
        let chunks =
            stream::try_unfold(state, |mut state| async move { Ok(state.next().await?.map(|chunk| (chunk, state))) });
        Ok(chunks.boxed())
    }
}

fn client() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("model-registry/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
}

fn built(client: ClientBuilder) -> Result<Client> {
    client.build().map_err(|error| TransferError::invalid(error_chain(&error)))
}

/// A range while it is read.
struct Reading {
    web: Web,
    url: Url,
    /// What is left of it.
    range: Range<u64>,
    validator: Option<Validator>,
    /// The validator of the first response.
    seen: Option<Validator>,
    body: Option<Response>,
    /// Bytes of the body before the range: a server without ranges sends the whole file.
    skip: u64,
    failures: u32,
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        while self.range.start < self.range.end {
            let mut body = match self.body.take() {
                Some(body) => body,
                None => self.connect().await?,
            };
            match body.chunk().await {
                Ok(Some(mut chunk)) => {
                    self.body = Some(body);
                    let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
                    let _ = chunk.split_to(skipped);
                    self.skip -= skipped as u64;
                    chunk.truncate(usize::try_from(self.range.end - self.range.start).unwrap_or(usize::MAX));
                    if chunk.is_empty() {
                        continue;
                    }
                    self.range.start += chunk.len() as u64;
                    self.failures = 0;
                    return Ok(Some(chunk));
                }
                // A response without a length ends here.
                Ok(None) => return Ok(None),
                Err(error) => {
                    let failure = connection_failure(&self.url, error);
                    if self.range.start > 0 && self.validator.is_none() && self.seen.is_none() {
                        // The rest of another version could follow.
                        return Err(TransferError::unavailable(
                            without_secrets(&self.url),
                            format!(
                                "{}: the server sends no entity tag, so the file cannot be continued",
                                failure.error
                            ),
                        ));
                    }
                    self.web.wait(failure, &mut self.failures).await?;
                }
            }
        }
        Ok(None)
    }

    /// Requests the rest of the range.
    async fn connect(&mut self) -> Result<Response> {
        let mut headers = HeaderMap::new();
        let Range { start, end } = self.range;
        let is_whole = start == 0 && end == u64::MAX;
        if !is_whole {
            let last = if end == u64::MAX { String::new() } else { (end - 1).to_string() };
            let value = format!("bytes={start}-{last}").parse();
            headers
                .insert(RANGE, value.map_err(|_| TransferError::failed(without_secrets(&self.url), "invalid range"))?);
        }
        if let Some(validator) = &self.validator {
            validator.add_condition(&mut headers);
        }
        let response = self.web.get(&self.url, &headers, &[StatusCode::PRECONDITION_FAILED]).await?;
        let is_same = self.validator.iter().chain(&self.seen).all(|validator| validator.accepts(response.headers()));
        if response.status() == StatusCode::PRECONDITION_FAILED || !is_same {
            return Err(changed(&self.url));
        }
        self.seen = self.seen.take().or_else(|| Validator::of(response.headers()));
        let starts_at = match response.status() {
            StatusCode::PARTIAL_CONTENT => {
                let range = response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
                range.and_then(first_byte)
            }
            _ => Some(0),
        };
        let skip = starts_at.and_then(|starts_at| start.checked_sub(starts_at));
        self.skip = skip.ok_or_else(|| {
            TransferError::failed(without_secrets(&self.url), "the server sent another range than requested")
        })?;
        Ok(response)
    }
}

fn changed(url: &Url) -> TransferError {
    TransferError::Changed { at: without_secrets(url) }
}

/// The first byte of `bytes 10-19/100`.
fn first_byte(range: &str) -> Option<u64> {
    range.strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
}

async fn read_small(url: &Url, mut response: Response, limit: usize) -> std::result::Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| connection_failure(url, error))? {
        if body.len() + chunk.len() > limit {
            let error =
                TransferError::failed(without_secrets(url), format!("the response is longer than {limit} bytes"));
            return Err(Failure { error, is_temporary: false, requested: None });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(url: &Url, refused: &RefusedAddress) -> Failure {
    let error = TransferError::refused(without_secrets(url), refused);
    Failure { error, is_temporary: false, requested: None }
}

fn connection_failure(url: &Url, error: reqwest::Error) -> Failure {
    if let Some(refused) = RefusedAddress::of(&error) {
        return refusal(url, refused);
    }
    let is_permanent = error.is_redirect() || error.is_builder();
    // Without the URL: a redirect may have added a signature to it.
    let error = error.without_url();
    let problem = ConnectionProblem::of(&error);
    let remedy = problem.map(|problem| format!(": {}", problem.remedy())).unwrap_or_default();
    let is_temporary = !is_permanent && problem.is_none_or(ConnectionProblem::is_temporary);
    let reason = format!("{}{remedy}", error_chain(&error));
    Failure { error: TransferError::unavailable(without_secrets(url), reason), is_temporary, requested: None }
}

fn status_failure(url: &Url, status: StatusCode, requested: Option<Duration>, detail: Option<String>) -> Failure {
    let at = without_secrets(url);
    let mut reason = format!("the server responded {status}");
    if let Some(detail) = detail {
        reason = format!("{reason}: {}", detail.chars().take(LONGEST_DETAIL).collect::<String>());
    }
    let is_temporary = status.is_server_error()
        || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY);
    let error = match status {
        StatusCode::NOT_FOUND | StatusCode::GONE => TransferError::not_found(at, reason),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => TransferError::denied(at, reason),
        _ if is_temporary => TransferError::unavailable(at, reason),
        _ => TransferError::failed(at, reason),
    };
    Failure { error, is_temporary, requested }
}
