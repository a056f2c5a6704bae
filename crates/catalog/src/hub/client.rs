//! The few calls of the hub's API that a source needs, with patience for its limits.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::LINK;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use serde_json::Value;

use super::address::{CheckedResolver, HubAccess};
use super::limits;
use super::pattern::has_prefix;

const TIMEOUT: Duration = Duration::from_secs(30);
const PAGE: usize = 100;
/// A hub that always names a next page would be asked for ever.
const MOST_PAGES: usize = 10_000;
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_mins(5);
const MOST_REDIRECTS: usize = 5;
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;
const LARGEST_README: usize = 1024 * 1024;
const READMES: [&str; 5] = ["README.md", "readme.md", "Readme.md", "README", "readme"];

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum HubError {
    #[error("not found, or private and the token may not see it")]
    NotFound,
    #[error("access denied: the model is gated or private, and the token was not granted access")]
    Denied,
    #[error("the hub answered {0}")]
    Status(StatusCode),
    #[error("the hub cannot be reached: {0}")]
    Unreachable(String),
    #[error("the hub's answer cannot be read: {0}")]
    Unreadable(String),
}

impl HubError {
    /// Whether it may be different the next time.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::NotFound | Self::Denied => false,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable(_) | Self::Unreadable(_) => true,
        }
    }
}

/// A hub, and who is asking.
pub(super) struct Hub<'a> {
    client: Client,
    base: Url,
    token: Option<String>,
    requests: &'a AtomicU64,
    /// Until then the hub wants to be left alone, by all requests of this sync.
    paused: Mutex<Option<Instant>>,
    /// Seconds since the epoch at the beginning of the sync, for hubs that name times.
    started: (u64, Instant),
}

/// A model in a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listed {
    // The hub sends both; older ones send the second alone.
    id: Option<String>,
    model_id: Option<String>,
    sha: Option<String>,
    last_modified: Option<String>,
}

impl Listed {
    pub(super) fn name(&self) -> Option<&str> {
        self.id.as_deref().or(self.model_id.as_deref())
    }

    /// What changes with the model; `None` where the hub does not tell.
    pub(super) fn revision(&self) -> Option<String> {
        revision(self.sha.as_deref(), self.last_modified.as_deref())
    }
}

fn revision(sha: Option<&str>, last_modified: Option<&str>) -> Option<String> {
    Some(format!("{} {}", sha?, last_modified?))
}

/// A model with its card.
pub(super) struct Model {
    pub(super) name: String,
    /// As the hub describes it.
    pub(super) info: Value,
    pub(super) readme: Option<String>,
}

impl Model {
    pub(super) fn revision(&self) -> Option<String> {
        revision(self.info["sha"].as_str(), self.info["lastModified"].as_str())
    }
}

impl<'a> Hub<'a> {
    /// `requests` counts what is sent; `now` is in milliseconds.
    pub(super) fn new(
        url: &str,
        token: Option<&str>,
        access: &HubAccess,
        requests: &'a AtomicU64,
        now: i64,
    ) -> Result<Self, String> {
        let base: Url = format!("{url}/").parse().map_err(|error| format!("url `{url}`: {error}"))?;
        access.check(&base)?;
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
        let builder = Client::builder();
        let client = builder
            .user_agent("model-registry-catalog")
            .timeout(TIMEOUT)
            .redirect(policy)
            .dns_resolver(Arc::new(CheckedResolver(access)))
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        let started = (u64::try_from(now / 1000).unwrap_or_default(), Instant::now());
        Ok(Self { client, base, token: token.map(str::to_owned), requests, paused: Mutex::default(), started })
    }

    /// Whether the hub knows the token, where there is one.
    pub(super) async fn check_token(&self) -> Result<(), String> {
        if self.token.is_none() {
            return Ok(());
        }
        match self.get(self.url(&["api", "whoami-v2"])).await {
            Ok(_) => Ok(()),
            Err(HubError::Denied) => Err("the hub does not know the token: renew it, or unset its variable".to_owned()),
            Err(error) => Err(format!("failed to validate Hugging Face catalog credentials: {error}")),
        }
    }

    /// All models of an organisation whose names begin with the prefix, whatever the case; no further page is read when
    /// there are `enough`.
    pub(super) async fn list(&self, organization: &str, prefix: &str, enough: usize) -> Result<Vec<Listed>, HubError> {
        let mut url = self.url(&["api", "models"]);
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("author", organization)
                .append_pair("limit", &PAGE.to_string())
                .append_pair("full", "true");
            if !prefix.is_empty() {
                query.append_pair("search", prefix);
            }
        }
        let mut models = Vec::new();
        for _ in 0..MOST_PAGES {
            let response = self.get(url.clone()).await?;
            let next = next_page(&response);
            let page: Vec<Listed> = json(response).await?;
            models.extend(page.into_iter().filter(|model| model.name().is_some_and(|name| has_prefix(name, prefix))));
            if models.len() >= enough {
                return Ok(models);
            }
            let Some(next) = next else { return Ok(models) };
            // Only the cursor is taken over: the next page is asked of the same hub.
            let cursor = url.join(&next).ok().and_then(|next| {
                next.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned())
            });
            // To end here would look as if there were no more models.
            let cursor = cursor.ok_or_else(|| HubError::Unreadable(format!("no cursor in the next page `{next}`")))?;
            let others: Vec<(String, String)> =
                url.query_pairs().into_owned().filter(|(name, _)| name != "cursor").collect();
            url.query_pairs_mut().clear().extend_pairs(others).append_pair("cursor", &cursor);
        }
        Err(HubError::Unreadable(format!("more than {MOST_PAGES} pages")))
    }

    /// A model with its card.
    pub(super) async fn model(&self, name: &str) -> Result<Model, HubError> {
        let path: Vec<&str> = ["api", "models"].into_iter().chain(name.split('/')).collect();
        let info: Value = json(self.get(self.url(&path)).await?).await?;
        let known = info["id"].as_str().or_else(|| info["modelId"].as_str()).unwrap_or(name).to_owned();
        let files = info["siblings"].as_array().into_iter().flatten();
        let files: Vec<&str> = files.filter_map(|file| file["rfilename"].as_str()).collect();
        let mut readme = None;
        for file in READMES.into_iter().filter(|file| files.contains(file)) {
            let path: Vec<&str> = known.split('/').chain(["raw", "main", file]).collect();
            match self.get(self.url(&path)).await {
                Ok(response) => {
                    let bytes = limited(response, LARGEST_README).await?;
                    readme = Some(String::from_utf8_lossy(&bytes).replace('\0', ""));
                    break;
                }
                // The card of a gated model may be closed although its description is not.
                Err(HubError::NotFound | HubError::Denied) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Model { name: known, info, readme })
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    /// Asks, again and again while the hub is busy; it says itself how long to wait.
    async fn get(&self, url: Url) -> Result<Response, HubError> {
        let mut pause = FIRST_PAUSE;
        for attempt in 1.. {
            self.wait().await;
            let mut request = self.client.get(url.clone());
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            self.requests.fetch_add(1, Ordering::Relaxed);
            let error = match request.send().await {
                Ok(response) => {
                    let wanted = self.note_limits(&response);
                    if response.status().is_success() {
                        return Ok(response);
                    }
                    pause = wanted.unwrap_or(pause);
                    refusal(&response)
                }
                // Without the URL, which a redirect may have filled with signatures.
                Err(error) if error.is_redirect() => return Err(HubError::Unreachable(chain(&error.without_url()))),
                Err(error) => HubError::Unreachable(chain(&error.without_url())),
            };
            if attempt >= ATTEMPTS || !error.is_temporary() || pause > LONGEST_PAUSE {
                return Err(error);
            }
            tracing::debug!(%error, ?pause, "the hub is asked again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        unreachable!("the loop returns")
    }

    /// Waits until the hub wants to be asked again.
    async fn wait(&self) {
        let paused = *self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = paused {
            tokio::time::sleep_until(until.into()).await;
        }
    }

    /// Keeps all requests back for as long as an answer asks for, and tells how long that is.
    fn note_limits(&self, response: &Response) -> Option<Duration> {
        let (epoch, at) = self.started;
        let wanted = limits::pause(response.status(), response.headers(), epoch + at.elapsed().as_secs())?;
        let until = Instant::now() + wanted.min(LONGEST_PAUSE);
        let mut paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner);
        *paused = Some(paused.map_or(until, |before| before.max(until)));
        Some(wanted)
    }
}

/// What an answer that is no success says. Whoever is not known to the hub is told 401 of what does not exist as well.
fn refusal(response: &Response) -> HubError {
    let code = response.headers().get("x-error-code").and_then(|code| code.to_str().ok());
    match (response.status(), code) {
        (StatusCode::NOT_FOUND, _) | (StatusCode::UNAUTHORIZED, Some("RepoNotFound")) => HubError::NotFound,
        (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => HubError::Denied,
        (status, _) => HubError::Status(status),
    }
}

fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

/// The address behind `rel="next"`.
fn next_page(response: &Response) -> Option<String> {
    let header = response.headers().get(LINK)?.to_str().ok()?;
    let next = header.split(',').find(|link| link.contains("rel=\"next\""))?;
    Some(next.split_once('<')?.1.split_once('>')?.0.to_owned())
}

async fn json<T: serde::de::DeserializeOwned>(response: Response) -> Result<T, HubError> {
    let bytes = limited(response, LARGEST_ANSWER).await?;
    serde_json::from_slice(&bytes).map_err(|error| HubError::Unreadable(error.to_string()))
}

async fn limited(mut response: Response, limit: usize) -> Result<Vec<u8>, HubError> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        response.chunk().await.map_err(|error| HubError::Unreachable(chain(&error.without_url())))?
    {
        if bytes.len() + chunk.len() > limit {
            return Err(HubError::Unreadable(format!("it is longer than {limit} bytes")));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
