//! Client of the API of a hub, with retries and rate limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::LINK;
use prometheus_client::metrics::counter::Counter;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::SemaphorePermit;

use super::access::{CheckedResolver, HubAccess};
use super::error::HubError;
use super::model::{Model, ModelRead, ModelSummary};
use super::rate_limit_headers;
use super::rate_limiter::{LONGEST_PAUSE, RateLimiter, RateLimiters};
use super::selector::has_prefix;

const PAGE_SIZE: usize = 100;
/// Stops at a hub whose list has no last page.
const MOST_PAGES: usize = 10_000;
/// Attempts of a request, the first one included.
const ATTEMPTS: u32 = 5;
/// After this number of failed requests in a row, with all their attempts, the rest is left to the next sync.
pub(super) const MOST_FAILURES: u32 = 8;
const MOST_REDIRECTS: usize = 5;
const LONGEST_RESPONSE: usize = 32 * 1024 * 1024;
pub(super) const LONGEST_README: usize = 1024 * 1024;
const READMES: [&str; 5] = ["README.md", "readme.md", "Readme.md", "README", "readme"];

/// A hub, used with one token.
pub(super) struct Hub<'a> {
    client: Client,
    base: Url,
    token: Option<String>,
    requests: &'a Counter,
    limiter: Arc<RateLimiter>,
    /// Requests that failed in a row, with all their attempts.
    failures: AtomicU32,
    first_pause: Duration,
    /// Start of the sync in seconds since the epoch: some hubs send absolute times.
    started: (u64, Instant),
}

impl<'a> Hub<'a> {
    /// `requests` counts requests sent; `now` is in milliseconds.
    pub(super) fn new(
        url: &str,
        token: Option<&str>,
        access: &HubAccess,
        requests: &'a Counter,
        now: i64,
    ) -> Result<Self, String> {
        let base: Url = format!("{url}/").parse().map_err(|error| format!("invalid url of the hub: {error}"))?;
        access.check(&base)?;
        let (timeout, first_pause) = (access.timeout, access.first_pause);
        let access = Arc::new(access.clone());
        let checked = Arc::clone(&access);
        let policy = Policy::custom(move |attempt: Attempt<'_>| {
            if attempt.previous().len() > MOST_REDIRECTS {
                return attempt.error("too many redirects");
            }
            match checked.check(attempt.url()) {
                Ok(()) => attempt.follow(),
                Err(reason) => attempt.error(reason),
            }
        });
        let client = Client::builder()
            .user_agent("model-registry-catalog")
            .timeout(timeout)
            .redirect(policy)
            .dns_resolver(Arc::new(CheckedResolver(Arc::clone(&access))));
        let client = access.proxies.apply(client, &base)?.build().map_err(|error| error.to_string())?;
        let started = (u64::try_from(now / 1000).unwrap_or_default(), Instant::now());
        Ok(Self {
            client,
            base,
            token: token.map(str::to_owned),
            requests,
            limiter: Arc::default(),
            failures: AtomicU32::new(0),
            first_pause,
            started,
        })
    }

    /// Shares the rate limiter with all other users of this hub and token.
    pub(super) fn sharing(mut self, limiters: &RateLimiters) -> Self {
        self.limiter = limiters.get(&self.base, self.token.as_deref());
        self
    }

    /// Checks that the hub accepts the token, if there is one. Only 401 means that it does not: proxies of hubs do not know the
    /// route, and what it cannot tell is left to the requests that need it.
    pub(super) async fn check_token(&self) -> Result<(), HubError> {
        if self.token.is_none() {
            return Ok(());
        }
        match self.request(self.url(&["api", "whoami-v2"]), 1).await {
            Err(HubError::TokenRejected) => Err(HubError::TokenRejected),
            Err(error) => {
                tracing::debug!(%error, "the hub does not tell whether it accepts the token");
                Ok(())
            }
            Ok(_) => Ok(()),
        }
    }

    /// The address of a file of a model for people. The path is relative to the repository.
    pub(super) fn file_url(&self, model: &str, file: &str) -> String {
        let path: Vec<&str> = file.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect();
        let model = model.split('/').chain(["blob", "main"]);
        self.url(&model.chain(path).collect::<Vec<_>>()).to_string()
    }

    /// Lists the models of an organisation whose names start with the prefix, ignoring case. Stops at the end of the page on
    /// which `enough` are found.
    pub(super) async fn list(
        &self,
        organization: &str,
        prefix: &str,
        enough: usize,
    ) -> Result<Vec<ModelSummary>, HubError> {
        let mut url = self.url(&["api", "models"]);
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("author", organization)
                .append_pair("limit", &PAGE_SIZE.to_string())
                .append_pair("full", "true");
            if !prefix.is_empty() {
                query.append_pair("search", prefix);
            }
        }
        let mut models = Vec::new();
        for _ in 0..MOST_PAGES {
            let response = self.get(url.clone()).await?;
            let next = next_page(&response.response);
            let page: Vec<Value> = json(response).await?;
            let page = page.iter().filter_map(|model| ModelSummary::deserialize(model).ok());
            models.extend(page.filter(|model| model.name().is_some_and(|name| has_prefix(name, prefix))));
            if models.len() >= enough {
                return Ok(models);
            }
            let Some(next) = next else { return Ok(models) };
            // Only the cursor of the link is used: the next page comes from the same hub.
            let cursor = url.join(&next).ok().and_then(|next| {
                next.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned())
            });
            // Without an error, the list would be taken for complete.
            let cursor = cursor.ok_or_else(|| HubError::Unreadable(format!("no cursor in the next page `{next}`")))?;
            let others: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(name, _)| name != "cursor").collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("cursor", &cursor);
        }
        Err(HubError::Unreadable(format!("more than {MOST_PAGES} pages")))
    }

    /// Reads a model with its card. `is_unchanged` gets the name that the hub uses, and decides whether the card is read.
    pub(super) async fn model(
        &self,
        name: &str,
        is_unchanged: impl FnOnce(&str, &ModelSummary) -> bool,
    ) -> Result<ModelRead, HubError> {
        let path: Vec<&str> = ["api", "models"].into_iter().chain(name.split('/')).collect();
        let info: Value = json(self.get(self.url(&path)).await?).await?;
        let summary = ModelSummary::deserialize(&info).map_err(|error| HubError::Unreadable(error.to_string()))?;
        let name = summary.name().unwrap_or(name).to_owned();
        if is_unchanged(&name, &summary) {
            return Ok(ModelRead::Unchanged(name));
        }
        let (readme, readme_problem) = match self.readme(&name, &info).await? {
            Readme::Text(text) => (Some(text), None),
            Readme::None => (None, None),
            Readme::LeftOut(problem) => (None, Some(problem)),
        };
        Ok(ModelRead::Changed(Box::new(Model { name, info, summary, readme, readme_problem })))
    }

    /// Reads the card of a model. An error that may pass is one of the model; with any other the model has no card.
    async fn readme(&self, name: &str, info: &Value) -> Result<Readme, HubError> {
        let listed: Option<Vec<&str>> = info["siblings"]
            .as_array()
            .map(|files| files.iter().filter_map(|file| file["rfilename"].as_str()).collect());
        let mut problem = None;
        for file in READMES {
            // Without a list of files, only the usual name is tried.
            if !listed.as_ref().map_or(file == READMES[0], |listed| listed.contains(&file)) {
                continue;
            }
            // Proxies may have only the second route.
            let mut temporary = None;
            for route in ["raw", "resolve"] {
                let path: Vec<&str> = name.split('/').chain([route, "main", file]).collect();
                let error = match self.get(self.url(&path)).await {
                    Ok(response) => match read_body(response, LONGEST_README).await {
                        Ok(bytes) => return Ok(Readme::Text(String::from_utf8_lossy(&bytes).into_owned())),
                        Err(HubError::TooLong(_)) => {
                            let limit = LONGEST_README / 1024;
                            return Ok(Readme::LeftOut(format!("which is longer than {limit} KiB")));
                        }
                        Err(error) => error,
                    },
                    Err(error) => error,
                };
                match error {
                    HubError::TokenRejected | HubError::GivenUp => return Err(error),
                    // The card of a gated model may be inaccessible although its description is not.
                    HubError::NotFound | HubError::Denied => {}
                    error if route == "raw" && error.is_temporary() => temporary = Some(error),
                    error => problem = Some(format!("which cannot be read: {error}")),
                }
            }
            if let Some(error) = temporary {
                return Err(error);
            }
        }
        Ok(problem.map_or(Readme::None, Readme::LeftOut))
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    async fn get(&self, url: Url) -> Result<HubResponse<'_>, HubError> {
        if self.failures.load(Ordering::Relaxed) >= MOST_FAILURES {
            return Err(HubError::GivenUp);
        }
        let response = self.request(url, ATTEMPTS).await;
        match &response {
            // All other requests would be rejected, too.
            Err(HubError::TokenRejected) => self.failures.store(MOST_FAILURES, Ordering::Relaxed),
            Err(error) if error.is_temporary() => {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            _ => self.failures.store(0, Ordering::Relaxed),
        }
        response
    }

    /// Retries temporary errors after the pause that the hub requests, or with an exponential back-off.
    async fn request(&self, url: Url, attempts: u32) -> Result<HubResponse<'_>, HubError> {
        let mut pause = self.first_pause;
        for attempt in 1.. {
            let permit = self.limiter.acquire().await.map_err(HubError::RateLimited)?;
            let mut request = self.client.get(url.clone());
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            self.requests.inc();
            let error = match request.send().await {
                Ok(response) => {
                    let requested = self.note_rate_limit(&response);
                    if response.status().is_success() {
                        return Ok(HubResponse { response, _permit: permit });
                    }
                    pause = requested.unwrap_or(pause);
                    response_error(&response, self.token.is_some())
                }
                // Without the URL: a redirect may have added signatures to it.
                Err(error) if error.is_redirect() || error.is_builder() => {
                    return Err(HubError::Unreachable(chain(&error.without_url())));
                }
                Err(error) => HubError::Unreachable(chain(&error.without_url())),
            };
            drop(permit);
            if attempt >= attempts || !error.is_temporary() || pause > LONGEST_PAUSE {
                return Err(error);
            }
            tracing::debug!(%error, ?pause, "retrying a request to the hub");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        unreachable!("the loop returns")
    }

    /// Delays all requests for the pause that a response requests, if any, and returns it.
    fn note_rate_limit(&self, response: &Response) -> Option<Duration> {
        let (epoch, at) = self.started;
        let now = epoch + at.elapsed().as_secs();
        let pause = rate_limit_headers::pause(response.status(), response.headers(), now)?;
        self.limiter.pause(pause);
        Some(pause)
    }
}

/// A response whose body is not read yet. It counts as a parallel request until it is dropped.
struct HubResponse<'a> {
    response: Response,
    _permit: SemaphorePermit<'a>,
}

/// The card of a model.
enum Readme {
    Text(String),
    None,
    /// Why: `which is longer than 1024 KiB`.
    LeftOut(String),
}

/// The error of an unsuccessful response. To unauthenticated users, the hub responds with 401 for missing and gated models, too,
/// with a code that says so.
fn response_error(response: &Response, has_token: bool) -> HubError {
    let code = response.headers().get("x-error-code").and_then(|code| code.to_str().ok());
    match (response.status(), code) {
        (StatusCode::NOT_FOUND, _) | (StatusCode::UNAUTHORIZED, Some("RepoNotFound")) => HubError::NotFound,
        (StatusCode::UNAUTHORIZED, None) if has_token => HubError::TokenRejected,
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => HubError::Denied,
        (status, _) => HubError::Status(status),
    }
}

/// The message of an error with those of its sources.
fn chain(error: &reqwest::Error) -> String {
    let mut message = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        message = format!("{message}: {error}");
        source = error.source();
    }
    message
}

/// The URL of the link with `rel="next"`.
fn next_page(response: &Response) -> Option<String> {
    let header = response.headers().get(LINK)?.to_str().ok()?;
    let next = header.split(',').find(|link| link.contains("rel=\"next\""))?;
    Some(next.split_once('<')?.1.split_once('>')?.0.to_owned())
}

async fn json<T: serde::de::DeserializeOwned>(response: HubResponse<'_>) -> Result<T, HubError> {
    let bytes = read_body(response, LONGEST_RESPONSE).await?;
    crate::json::read(&String::from_utf8_lossy(&bytes)).map_err(|error| HubError::Unreadable(error.to_string()))
}

async fn read_body(mut response: HubResponse<'_>, limit: usize) -> Result<Vec<u8>, HubError> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        response.response.chunk().await.map_err(|error| HubError::Unreachable(chain(&error.without_url())))?
    {
        if bytes.len() + chunk.len() > limit {
            return Err(HubError::TooLong(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
