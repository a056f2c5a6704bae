//! Sends a call until it is answered or has failed for good.

use std::fmt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use futures::StreamExt;
use model_registry_api::{ApiVersion, ErrorBody};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MATCH, LOCATION, RETRY_AFTER,
};
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use url::Url;
use uuid::Uuid;

use crate::builder::bearer;
use crate::call::Call;
use crate::error::{Answer, Error, Result};
use crate::events::{EventError, Events};
use crate::retries::{Creations, Retries};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// As an OpenAPI document names the header.
const IDEMPOTENCY_PARAMETER: &[u8] = b"\"Idempotency-Key\"";
const OPENAPI: &str = "/openapi.json";
const REQUEST_ID: &str = "x-request-id";
const EVENT_STREAM: &str = "text/event-stream";
/// Longer than servers let one live; silence ends it much earlier.
const LONGEST_STREAM: Duration = Duration::from_hours(24);

/// What says who is calling.
pub(crate) enum Credentials {
    None,
    Token(HeaderValue),
    File(PathBuf),
}

pub(crate) struct Transport {
    http: reqwest::Client,
    /// The server's address as people know it, without a slash at the end.
    server: String,
    credentials: Credentials,
    retries: Retries,
    timeout: Duration,
    /// Whether the server knows `Idempotency-Key`, once that has been asked.
    knows_keys: OnceLock<bool>,
}

/// A successful answer.
pub(crate) struct Reply {
    pub(crate) etag: Option<String>,
    body: Vec<u8>,
    request_id: String,
}

/// A failed attempt: why, whether another one could help, and when the server wants it.
pub(crate) struct Failure {
    error: Error,
    is_temporary: bool,
    /// Whether the server may have done something for all that.
    may_have_arrived: bool,
    retry_after: Option<Duration>,
}

// Credentials stay out.
impl fmt::Debug for Transport {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Transport").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Transport {
    pub(crate) fn new(
        http: reqwest::Client,
        server: &Url,
        credentials: Credentials,
        retries: Retries,
        timeout: Duration,
    ) -> Self {
        let server = server.as_str().trim_end_matches('/').to_owned();
        Self { http, server, credentials, retries, timeout, knows_keys: OnceLock::new() }
    }

    /// The URL of a path as calls have it.
    pub(crate) fn url(&self, path: &str) -> String {
        match path.strip_prefix('/') {
            Some(path) => format!("{}/{path}", self.server),
            None => format!("{}{}/{path}", self.server, ApiVersion::V1Alpha3.base_path()),
        }
    }

    /// Sends a call and reads the entity that answers it.
    pub(crate) async fn fetch<T: DeserializeOwned>(&self, call: Call) -> Result<T> {
        let reply = self.send(call).await?;
        self.read(&reply)
    }

    pub(crate) fn read<T: DeserializeOwned>(&self, reply: &Reply) -> Result<T> {
        self.parse_answer(&reply.body, &reply.request_id)
    }

    /// Reads what came as a part of an answer.
    pub(crate) fn parse<T: DeserializeOwned>(&self, json: &[u8]) -> Result<T> {
        self.parse_answer(json, "")
    }

    fn parse_answer<T: DeserializeOwned>(&self, json: &[u8], request_id: &str) -> Result<T> {
        serde_json::from_slice(json).map_err(|error| Error::Unreadable {
            server: self.server.clone(),
            reason: error.to_string(),
            request_id: request_id.to_owned(),
        })
    }

    /// Opens a stream of events, in one attempt.
    pub(crate) async fn open(&self, call: &Call) -> Result<Events, Failure> {
        let request_id = Uuid::now_v7().to_string();
        let request = self.request(call, &request_id, None).await.map_err(Failure::for_good)?;
        let request = request.header(ACCEPT, EVENT_STREAM).timeout(LONGEST_STREAM);
        let too_slow = |_| {
            Failure::for_good(Error::Timeout {
                server: self.server.clone(),
                after: self.timeout,
                request_id: request_id.clone(),
            })
        };
        let sent = tokio::time::timeout(self.timeout, request.send()).await.map_err(too_slow)?;
        let answer = sent.map_err(|error| self.transport_failure(error, &request_id))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if !status.is_success() {
            let body = answer.bytes().await.map_err(|error| self.transport_failure(error, &request_id))?;
            let request_id = text(&headers, REQUEST_ID).unwrap_or(request_id);
            return Err(self.refusal(status, &headers, &body, request_id));
        }
        if !text(&headers, CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with(EVENT_STREAM)) {
            return Err(Failure::for_good(self.unreadable("it sends no stream of events")));
        }
        let pieces = answer.bytes_stream().map(|piece| match piece {
            Ok(piece) => Ok(piece.to_vec()),
            Err(error) => Err(error.into()),
        });
        Ok(Events::new(pieces.boxed()))
    }

    /// Waits before the next attempt, or fails when there is to be none.
    pub(crate) async fn pause(&self, attempts_made: u32, failure: Failure) -> Result<()> {
        let wait = self.retries.wait(attempts_made, failure.retry_after).filter(|_| failure.is_temporary);
        match wait {
            Some(wait) => tokio::time::sleep(wait).await,
            None => return Err(failure.error),
        }
        Ok(())
    }

    /// A stream that broke off: as good as a connection that did.
    pub(crate) fn broken(&self, error: EventError) -> Failure {
        let is_temporary = matches!(error, EventError::Broken(_) | EventError::Silent);
        let (server, reason, request_id) = (self.server.clone(), root_cause(&error), String::new());
        let error = if is_temporary {
            Error::Unreachable { server, reason, request_id, source: Box::new(error) }
        } else {
            Error::Unreadable { server, reason, request_id }
        };
        Failure { error, is_temporary, may_have_arrived: true, retry_after: None }
    }

    pub(crate) async fn send(&self, call: Call) -> Result<Reply> {
        // The same for every attempt: it is one request to the caller.
        let request_id = Uuid::now_v7().to_string();
        let is_creation = call.method == Method::POST && !call.is_read;
        let key = is_creation.then(|| Uuid::now_v7().to_string());
        for attempts_made in 1.. {
            let failure = match self.attempt(&call, &request_id, key.as_deref()).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            if !self.may_repeat(&call, &failure).await {
                return Err(failure.error);
            }
            self.pause(attempts_made, failure).await?;
        }
        unreachable!("attempts end")
    }

    /// Whether sending a call again can do no harm.
    async fn may_repeat(&self, call: &Call, failure: &Failure) -> bool {
        if call.is_read {
            return true;
        }
        let is_creation = call.method == Method::POST;
        is_creation
            && failure.is_temporary
            && match self.retries.creations {
                Creations::Once => false,
                Creations::WhereSafe => !failure.may_have_arrived || self.knows_keys().await,
                Creations::Always => true,
            }
    }

    /// Whether the server knows `Idempotency-Key`: its OpenAPI document says so. The Kubeflow Model Registry has none.
    async fn knows_keys(&self) -> bool {
        if let Some(knows_keys) = self.knows_keys.get() {
            return *knows_keys;
        }
        // A read, which is repeated while the server is away.
        let document = Box::pin(self.send(Call::get(OPENAPI.to_owned(), Vec::new()))).await;
        let knows_keys = match document {
            Ok(document) => {
                document.body.windows(IDEMPOTENCY_PARAMETER.len()).any(|part| part == IDEMPOTENCY_PARAMETER)
            }
            // Nothing was learnt.
            Err(error) if error.is_temporary() => return false,
            Err(_) => false,
        };
        *self.knows_keys.get_or_init(|| knows_keys)
    }

    async fn attempt(&self, call: &Call, request_id: &str, key: Option<&str>) -> Result<Reply, Failure> {
        let request = self.request(call, request_id, key).await.map_err(Failure::for_good)?;
        let answer = request.send().await.map_err(|error| self.transport_failure(error, request_id))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        // An answer that breaks off is a connection that broke.
        let body = answer.bytes().await.map_err(|error| self.transport_failure(error, request_id))?;
        let request_id = text(&headers, REQUEST_ID).unwrap_or_else(|| request_id.to_owned());
        if status.is_success() {
            return Ok(Reply { etag: text(&headers, ETAG.as_str()), body: body.to_vec(), request_id });
        }
        Err(self.refusal(status, &headers, &body, request_id))
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
                let token = tokio::fs::read_to_string(path).await.map_err(|error| {
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
            return Failure::for_good(Error::Usage(format!("the request cannot be sent: {}", root_cause(&error))));
        }
        // A connection that does not come about is as good as none; an answer that takes too long has had its time.
        if error.is_timeout() && !error.is_connect() {
            return Failure::for_good(Error::Timeout { server, after: self.timeout, request_id });
        }
        let (reason, may_have_arrived) = (root_cause(&error), !error.is_connect());
        let error = Error::Unreachable { server, reason, request_id, source: Box::new(error) };
        Failure { error, is_temporary: true, may_have_arrived, retry_after: None }
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, body: &[u8], request_id: String) -> Failure {
        if status.is_redirection() {
            let target = text(headers, LOCATION.as_str()).unwrap_or_default();
            let reason = format!("it redirects to {target}; is this the address of the registry?");
            return Failure::for_good(Error::Unreadable { server: self.server.clone(), reason, request_id });
        }
        let (code, message) = match serde_json::from_slice::<ErrorBody>(body) {
            Ok(body) => (body.code, body.message),
            Err(_) => (status.canonical_reason().unwrap_or("Error").to_owned(), foreign_message(body)),
        };
        let error = Error::from_answer(Answer { status: status.as_u16(), code, message, request_id });
        let is_temporary = matches!(error, Error::Unavailable(_));
        // The form with a date would need a clock that agrees with the server's.
        let retry_after =
            text(headers, RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()).map(Duration::from_secs);
        Failure { error, is_temporary, may_have_arrived: true, retry_after }
    }

    /// An answer that is JSON but not what it should be.
    pub(crate) fn unreadable(&self, reason: &str) -> Error {
        Error::Unreadable { server: self.server.clone(), reason: reason.to_owned(), request_id: String::new() }
    }
}

impl Failure {
    fn for_good(error: Error) -> Self {
        Self { error, is_temporary: false, may_have_arrived: true, retry_after: None }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// The message of an error body that is not the API's: a proxy's, most likely.
fn foreign_message(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() || text.starts_with('<') {
        return "no message".to_owned();
    }
    text.chars().take(LONGEST).collect()
}

/// The last error of the chain is the one that says something: "connection refused".
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
