//! The smart HTTP transport of Git: the first request, and the requests of protocol version 2.
//!
//! Each request is checked against the rules of access. A redirect of the first request moves the others, too; credentials
//! are sent to the configured origin only. The number of bytes and the time of all responses are limited.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};
use reqwest::{Client, RequestBuilder, Response, Url};
use tokio::runtime::Handle;

use super::error::GitError;
use crate::hub::HubAccess;
use crate::hub::{CheckedResolver, Progress};

const SERVICE: &str = "git-upload-pack";
const MOST_REDIRECTS: usize = 5;
/// Longest message of a server that is quoted.
const LONGEST_MESSAGE: usize = 300;

/// Limits of all responses together.
#[derive(Clone, Copy, Debug)]
pub(super) struct TransferLimits {
    pub(super) bytes: u64,
    pub(super) time: Duration,
}

/// The repository, as requests reach it. Its methods block.
pub(super) struct Transport<'a> {
    client: Client,
    runtime: Handle,
    access: &'a HubAccess,
    base: Url,
    /// Sent to the origin of the configured URL.
    authorization: Option<HeaderValue>,
    configured: Url,
    requests: &'a Progress,
    state: Arc<State>,
}

/// Shared with the body that is being read.
struct State {
    limits: TransferLimits,
    deadline: Instant,
    received: Mutex<u64>,
    is_cancelled: Arc<AtomicBool>,
    /// The reason of the last I/O error of a body.
    failure: Mutex<Option<GitError>>,
}

impl<'a> Transport<'a> {
    pub(super) fn new(
        url: &str,
        authorization: Option<HeaderValue>,
        access: &'a HubAccess,
        limits: TransferLimits,
        requests: &'a Progress,
        is_cancelled: Arc<AtomicBool>,
    ) -> Result<Self, GitError> {
        let base: Url = url.trim_end_matches('/').parse().map_err(|error| GitError::NotAllowed(format!("{error}")))?;
        access.check_repository(&base).map_err(GitError::NotAllowed)?;
        let client = Client::builder()
            // Some servers respond to Git only.
            .user_agent("git/2 (model-registry-catalog)")
            .connect_timeout(access.timeout)
            .read_timeout(access.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Arc::new(CheckedResolver(Arc::new(access.clone()))));
        let client = access.proxies.apply(client, &base).map_err(GitError::NotAllowed)?;
        let client = client.build().map_err(|error| GitError::Unreachable(error.to_string()))?;
        let deadline = Instant::now() + limits.time;
        let (received, failure) = (Mutex::default(), Mutex::default());
        let state = Arc::new(State { limits, deadline, received, is_cancelled, failure });
        let configured = base.clone();
        Ok(Self { client, runtime: Handle::current(), access, base, authorization, configured, requests, state })
    }

    /// The first request, whose response lists the capabilities of the server.
    pub(super) fn advertisement(&mut self) -> Result<Body, GitError> {
        for _ in 0..=MOST_REDIRECTS {
            let url = self.url("info/refs", Some(SERVICE));
            let request = self.client.get(url.clone());
            let response = self.send(request)?;
            if response.status().is_redirection() {
                self.base = self.redirected(&url, &response)?;
                continue;
            }
            return self.body(response, "application/x-git-upload-pack-advertisement");
        }
        Err(GitError::NotGit(format!("more than {MOST_REDIRECTS} redirects")))
    }

    pub(super) fn post(&self, body: Vec<u8>) -> Result<Body, GitError> {
        let request = self.client.post(self.url(SERVICE, None)).body(body);
        let request = request
            .header(CONTENT_TYPE, "application/x-git-upload-pack-request")
            .header(ACCEPT, "application/x-git-upload-pack-result");
        let response = self.send(request)?;
        if response.status().is_redirection() {
            return Err(GitError::NotGit("it redirects requests other than the first".to_owned()));
        }
        self.body(response, "application/x-git-upload-pack-result")
    }

    /// The reason of an I/O error of a body, or else the error itself.
    pub(super) fn failure(&self, error: &dyn std::fmt::Display) -> GitError {
        let mut failure = self.state.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.take().unwrap_or_else(|| GitError::Unreadable(error.to_string()))
    }

    pub(super) fn is_cancelled(&self) -> &AtomicBool {
        &self.state.is_cancelled
    }

    fn url(&self, path: &str, service: Option<&str>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        if let Some(service) = service {
            url.set_query(Some(&format!("service={service}")));
        }
        url
    }

    fn send(&self, request: RequestBuilder) -> Result<Response, GitError> {
        self.state.check()?;
        let mut request = request.header("Git-Protocol", "version=2");
        if let Some(authorization) = &self.authorization
            && self.base.origin() == self.configured.origin()
        {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        self.requests.requests.inc();
        let sent = self.runtime.block_on(tokio::time::timeout_at(self.state.deadline.into(), request.send()));
        let response = sent.map_err(|_| self.state.timed_out())?;
        let response = response.map_err(unreachable)?;
        match response.status() {
            status if status.is_success() || status.is_redirection() => Ok(response),
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(GitError::NotFound),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(GitError::Denied(self.denied())),
            status => Err(GitError::Status(status)),
        }
    }

    fn denied(&self) -> String {
        let reason = match &self.authorization {
            None => "the repository is private or does not exist; name its credentials with authSecretName",
            Some(_) if self.base.origin() != self.configured.origin() => {
                "the server redirects to another host, which gets no credentials: configure that URL"
            }
            Some(_) => "the server rejects the credentials, or they do not allow to read the repository",
        };
        reason.to_owned()
    }

    /// The URL of the repository after a redirect of its first request.
    fn redirected(&self, from: &Url, response: &Response) -> Result<Url, GitError> {
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let location = location.and_then(|location| from.join(location).ok());
        let mut url = location.ok_or_else(|| GitError::NotGit("a redirect without a place".to_owned()))?;
        self.access.check_repository(&url).map_err(|reason| GitError::NotAllowed(format!("a redirect: {reason}")))?;
        let path = url.path().strip_suffix("/info/refs").map(str::to_owned);
        let path =
            path.ok_or_else(|| GitError::NotGit("it redirects to something else than a repository".to_owned()))?;
        url.set_path(&path);
        url.set_query(None);
        Ok(url)
    }

    fn body(&self, response: Response, expected: &str) -> Result<Body, GitError> {
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if content_type.is_none_or(|found| !found.starts_with(expected)) {
            let found: String = content_type.unwrap_or("none").chars().take(LONGEST_MESSAGE).collect();
            return Err(GitError::NotGit(format!("its response has the content type {found}")));
        }
        Ok(Body { runtime: self.runtime.clone(), response, chunk: bytes::Bytes::new(), state: Arc::clone(&self.state) })
    }
}

impl State {
    fn check(&self) -> Result<(), GitError> {
        if self.is_cancelled.load(Ordering::Relaxed) {
            return Err(GitError::Stopped);
        }
        if Instant::now() >= self.deadline {
            return Err(self.timed_out());
        }
        Ok(())
    }

    fn timed_out(&self) -> GitError {
        GitError::TimedOut(self.limits.time.as_secs())
    }

    fn count(&self, bytes: usize) -> Result<(), GitError> {
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        *received += bytes as u64;
        if *received > self.limits.bytes { Err(GitError::TooLarge(self.limits.bytes)) } else { Ok(()) }
    }
}

/// The message of an error with those of its sources, without the URL.
fn unreachable(error: reqwest::Error) -> GitError {
    let error = error.without_url();
    let mut message = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    GitError::Unreachable(message)
}

/// The body of a response, read as it arrives.
pub(super) struct Body {
    runtime: Handle,
    response: Response,
    chunk: bytes::Bytes,
    state: Arc<State>,
}

impl Body {
    fn next_chunk(&mut self) -> Result<bytes::Bytes, GitError> {
        self.state.check()?;
        let next = tokio::time::timeout_at(self.state.deadline.into(), self.response.chunk());
        let next = self.runtime.block_on(next).map_err(|_| self.state.timed_out())?;
        let chunk = next.map_err(unreachable)?.unwrap_or_default();
        self.state.count(chunk.len())?;
        Ok(chunk)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() {
            self.chunk = self.next_chunk().map_err(|error| {
                let message = error.to_string();
                *self.state.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                io::Error::other(message)
            })?;
        }
        let count = self.chunk.len().min(buffer.len());
        let read = self.chunk.split_to(count);
        if let Some(target) = buffer.get_mut(..count) {
            target.copy_from_slice(&read);
        }
        Ok(count)
    }
}
