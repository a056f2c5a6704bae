//! Sends requests, with retries.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use futures::StreamExt;
use model_registry_api::{ApiVersion, ErrorBody};
use model_registry_base::{ConnectionProblem, files, run_blocking};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MATCH, LOCATION, RETRY_AFTER,
};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::builder::bearer;
use crate::call::Call;
use crate::error::{Error, ErrorResponse, Result};
use crate::events::{EventError, Events};
use crate::notice::{Notice, OnNotice};
use crate::retries::{Creations, Retries};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The header in an OpenAPI document.
const IDEMPOTENCY_PARAMETER: &[u8] = b"\"Idempotency-Key\"";
const OPENAPI: &str = "/openapi.json";
const REQUEST_ID: &str = "x-request-id";
const EVENT_STREAM: &str = "text/event-stream";
/// Time limit of a whole event stream. Servers close it earlier, and missing data is noticed much earlier.
const LONGEST_STREAM: Duration = Duration::from_hours(24);
/// In the response of servers (also nginx) to a request without TLS on a port with TLS.
const PLAIN_REQUEST: &str = "plain HTTP request";
/// The longest file with a token, in bytes.
const LONGEST_TOKEN: u64 = 64 << 10;
/// Time without a response before each [`Notice::Waiting`].
const NOTICE_AFTER: Duration = Duration::from_secs(5);

/// The source of the bearer token.
pub(crate) enum Credentials {
    None,
    Token(HeaderValue),
    File(PathBuf),
}

pub(crate) struct Transport {
    http: reqwest::Client,
    /// The address of the server, without a trailing slash.
    server: String,
    credentials: Credentials,
    retries: Retries,
    timeout: Duration,
    on_notice: Option<OnNotice>,
    /// Whether the server supports `Idempotency-Key`, once that is known.
    supports_keys: OnceLock<bool>,
}

/// A successful response.
pub(crate) struct Response {
    pub(crate) etag: Option<String>,
    body: Vec<u8>,
    request_id: String,
}

/// A failed attempt: the error, and whether and when to retry.
pub(crate) struct Failure {
    error: Error,
    is_temporary: bool,
    /// Whether the server may have processed the request.
    may_have_arrived: bool,
    retry_after: Option<Duration>,
}

// Without the credentials.
impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transport").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Transport {
    pub(crate) fn new(
        http: reqwest::Client,
        server: String,
        credentials: Credentials,
        retries: Retries,
        timeout: Duration,
        on_notice: Option<OnNotice>,
    ) -> Self {
        Self { http, server, credentials, retries, timeout, on_notice, supports_keys: OnceLock::new() }
    }

    fn notify(&self, notice: &Notice<'_>) {
        if let Some(on_notice) = &self.on_notice {
            on_notice(notice);
        }
    }

    /// The URL of the path of a call.
    pub(crate) fn url(&self, path: &str) -> String {
        match path.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.server),
            None => format!("{}{}/{path}", self.server, ApiVersion::V1Alpha3.base_path()),
        }
    }

    /// Sends a call and parses the response.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let response = self.send(call).await?;
        self.read(&response)
    }

    pub(crate) fn read<T: DeserializeOwned>(&self, response: &Response) -> Result<T> {
        self.parse_body(&response.body, &response.request_id)
    }

    /// Parses a part of a response body.
    pub(crate) fn parse<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T> {
        self.parse_body(json, "")
    }

    fn parse_body<T: DeserializeOwned>(&self, json: &[u8], request_id: &str) -> Result<T> {
        serde_json::from_slice(json).map_err(|error| Error::Unreadable {
            server: self.server.clone(),
            reason: error.to_string(),
            request_id: request_id.to_owned(),
        })
    }

    /// Opens an event stream, in one attempt.
    pub(crate) async fn open(&self, call: &Call) -> Result<Events, Failure> {
        let request_id = Uuid::now_v7().to_string();
        let request = self.request(call, &request_id, None).await.map_err(Failure::permanent)?;
        let request = request.header(ACCEPT, EVENT_STREAM).timeout(LONGEST_STREAM);
        let too_slow = |_| {
            Failure::permanent(Error::Timeout {
                server: self.server.clone(),
                after: self.timeout,
                request_id: request_id.clone(),
            })
        };
        let sent = tokio::time::timeout(self.timeout, request.send()).await.map_err(too_slow)?;
        let response = sent.map_err(|error| self.transport_failure(error, &request_id))?;
        let (status, headers) = (response.status(), response.headers().clone());
        if !status.is_success() {
            let body = response.bytes().await.map_err(|error| self.transport_failure(error, &request_id))?;
            let request_id = header(&headers, REQUEST_ID).unwrap_or(request_id);
            return Err(self.error_response(status, &headers, &body, request_id));
        }
        if !header(&headers, CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with(EVENT_STREAM)) {
            return Err(Failure::permanent(self.unreadable("the response is not an event stream")));
        }
        let chunks = response.bytes_stream().map(|chunk| match chunk {
            Ok(chunk) => Ok(chunk.to_vec()),
            Err(error) => Err(error.into()),
        });
        Ok(Events::new(chunks.boxed()))
    }

    /// Waits before the next attempt, or fails if there is none. `since` is the start of the first attempt.
    pub(crate) async fn pause(&self, attempts_made: u32, since: Instant, failure: Failure) -> Result<()> {
        let elapsed = since.elapsed();
        let wait = self.retries.wait(attempts_made, elapsed, failure.retry_after).filter(|_| failure.is_temporary);
        let Some(wait) = wait else { return Err(failure.error) };
        self.notify(&Notice::Retrying { error: &failure.error, wait, elapsed });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// The failure of an event stream; a broken stream counts as a lost connection.
    pub(crate) fn broken(&self, error: EventError) -> Failure {
        let is_temporary = matches!(error, EventError::Broken(_) | EventError::Silent);
        let (server, reason, request_id) = (self.server.clone(), root_cause(&error), String::new());
        let error = if is_temporary {
            Error::Unreachable {
                server,
                problem: ConnectionProblem::Other,
                reason,
                request_id,
                source: Box::new(error),
            }
        } else {
            Error::Unreadable { server, reason, request_id }
        };
        Failure { error, is_temporary, may_have_arrived: true, retry_after: None }
    }

    pub(crate) async fn send(&self, call: Call) -> Result<Response> {
        // The same for all attempts, because they are one request of the caller.
        let request_id = Uuid::now_v7().to_string();
        let is_creation = call.method == Method::POST && !call.is_read;
        let key = is_creation.then(|| call.idempotency_key.clone().unwrap_or_else(|| Uuid::now_v7().to_string()));
        let since = Instant::now();
        for attempts_made in 1.. {
            let failure = match self.observed_attempt(&call, &request_id, key.as_deref()).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            if !self.may_repeat(&call, &failure).await {
                return Err(failure.error);
            }
            self.pause(attempts_made, since, failure).await?;
        }
        unreachable!("attempts end")
    }

    /// An attempt that reports when the response takes long.
    async fn observed_attempt(&self, call: &Call, request_id: &str, key: Option<&str>) -> Result<Response, Failure> {
        let attempt = self.attempt(call, request_id, key);
        // A long poll takes long as a rule.
        if self.on_notice.is_none() || !call.more_time.is_zero() {
            return attempt.await;
        }
        let mut attempt = std::pin::pin!(attempt);
        let mut elapsed = Duration::ZERO;
        loop {
            if let Ok(result) = tokio::time::timeout(NOTICE_AFTER, attempt.as_mut()).await {
                return result;
            }
            elapsed += NOTICE_AFTER;
            self.notify(&Notice::Waiting { server: &self.server, elapsed });
        }
    }

    /// Whether it is safe to retry a call.
    async fn may_repeat(&self, call: &Call, failure: &Failure) -> bool {
        if call.is_read {
            return true;
        }
        let is_creation = call.method == Method::POST;
        is_creation
            && failure.is_temporary
            && match self.retries.creations {
                Creations::Once => false,
                Creations::WhereSafe => !failure.may_have_arrived || self.supports_keys().await,
                Creations::Always => true,
            }
    }

    /// Whether the server supports `Idempotency-Key` according to its OpenAPI document. The Kubeflow Model Registry serves
    /// none.
    async fn supports_keys(&self) -> bool {
        if let Some(supports_keys) = self.supports_keys.get() {
            return *supports_keys;
        }
        // As a read, it is retried while the server is unavailable.
        let document = Box::pin(self.send(Call::get(OPENAPI.to_owned(), Vec::new()))).await;
        let supports_keys = match document {
            Ok(document) => {
                document.body.windows(IDEMPOTENCY_PARAMETER.len()).any(|part| part == IDEMPOTENCY_PARAMETER)
            }
            // Still unknown.
            Err(error) if error.is_temporary() => return false,
            Err(_) => false,
        };
        *self.supports_keys.get_or_init(|| supports_keys)
    }

    async fn attempt(&self, call: &Call, request_id: &str, key: Option<&str>) -> Result<Response, Failure> {
        let request = self.request(call, request_id, key).await.map_err(Failure::permanent)?;
        let response = request.send().await.map_err(|error| self.transport_failure(error, request_id))?;
        let (status, headers) = (response.status(), response.headers().clone());
        // A truncated body counts as a lost connection.
        let body = response.bytes().await.map_err(|error| self.transport_failure(error, request_id))?;
        let request_id = header(&headers, REQUEST_ID).unwrap_or_else(|| request_id.to_owned());
        if status.is_success() {
            return Ok(Response { etag: header(&headers, ETAG.as_str()), body: body.to_vec(), request_id });
        }
        Err(self.error_response(status, &headers, &body, request_id))
    }

    async fn request(&self, call: &Call, request_id: &str, key: Option<&str>) -> Result<reqwest::RequestBuilder> {
        let mut url = self.url(&call.path);
        if !call.query.is_empty() {
            let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&call.query).finish();
            url = format!("{url}?{query}");
        }
        let mut request = self.http.request(call.method.clone(), url).header(REQUEST_ID, request_id);
        match &self.credentials {
            Credentials::None => {}
            Credentials::Token(value) => request = request.header(AUTHORIZATION, value.clone()),
            Credentials::File(path) => {
                let file = path.clone();
                let token = run_blocking(move || files::read_text(&file, LONGEST_TOKEN)).await.map_err(|error| {
                    Error::Usage(format!("cannot read the token file `{}`: {error}", path.display()))
                })?;
                request = request.header(AUTHORIZATION, bearer(&token)?);
            }
        }
        if !call.more_time.is_zero() {
            request = request.timeout(self.timeout + call.more_time);
        }
        if let Some(body) = &call.body {
            request = request.header(CONTENT_TYPE, &body.content_type).body(body.bytes.clone());
        }
        if let Some(key) = key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(tag) = &call.if_match {
            request = request.header(IF_MATCH, tag);
        }
        Ok(request)
    }

    fn transport_failure(&self, error: reqwest::Error, request_id: &str) -> Failure {
        let (server, request_id) = (self.server.clone(), request_id.to_owned());
        if error.is_builder() {
            return Failure::permanent(Error::Usage(format!("the request cannot be sent: {}", root_cause(&error))));
        }
        // A timeout while connecting is retried; a timeout of the response is not.
        if error.is_timeout() && !error.is_connect() {
            return Failure::permanent(Error::Timeout { server, after: self.timeout, request_id });
        }
        let unknown = if error.is_timeout() { ConnectionProblem::NoResponse } else { ConnectionProblem::Other };
        let (problem, reason) = (ConnectionProblem::of(&error).unwrap_or(unknown), root_cause(&error));
        let may_have_arrived = !error.is_connect();
        let error = Error::Unreachable { server, problem, reason, request_id, source: Box::new(error) };
        Failure { error, is_temporary: problem.is_temporary(), may_have_arrived, retry_after: None }
    }

    fn error_response(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], request_id: String) -> Failure {
        if status.is_redirection() {
            let target = header(headers, LOCATION.as_str()).unwrap_or_default();
            let reason = format!("it redirects to {target}; check the address of the server");
            return Failure::permanent(Error::Unreadable { server: self.server.clone(), reason, request_id });
        }
        if status == StatusCode::BAD_REQUEST && String::from_utf8_lossy(body).contains(PLAIN_REQUEST) {
            let (server, problem) = (self.server.clone(), ConnectionProblem::PortWithTls);
            let reason = "the port uses TLS".to_owned();
            let error =
                Error::Unreachable { server, problem, reason: reason.clone(), request_id, source: reason.into() };
            return Failure::permanent(error);
        }
        let (code, message) = match serde_json::from_slice::<ErrorBody>(body) {
            Ok(body) => (body.code, body.message),
            Err(_) => (status.canonical_reason().unwrap_or("Error").to_owned(), foreign_message(body)),
        };
        let has_token = !matches!(self.credentials, Credentials::None);
        let response = ErrorResponse { status: status.as_u16(), code, message, request_id };
        let error = Error::from_response(response, has_token);
        let is_temporary = matches!(error, Error::Unavailable(_));
        // A date is ignored, because it would depend on the clock of the server.
        let retry_after =
            header(headers, RETRY_AFTER.as_str()).and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        Failure { error, is_temporary, may_have_arrived: true, retry_after }
    }

    /// The error for a response that does not conform to the API.
    pub(crate) fn unreadable(&self, reason: &str) -> Error {
        Error::Unreadable { server: self.server.clone(), reason: reason.to_owned(), request_id: String::new() }
    }
}

impl Failure {
    fn permanent(error: Error) -> Self {
        Self { error, is_temporary: false, may_have_arrived: true, retry_after: None }
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// The message of an error body that is not from the API, but most likely from a proxy.
fn foreign_message(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() || text.starts_with('<') {
        return "no message".to_owned();
    }
    text.chars().take(LONGEST).collect()
}

/// The last error of the chain, which is the most specific: "connection refused".
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
