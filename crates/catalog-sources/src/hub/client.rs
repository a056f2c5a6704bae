//! The few calls of the hub's API that a source needs, with patience for its limits.

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

use super::address::{CheckedResolver, HubAccess};
use super::gate::{Gate, Gates, LONGEST_PAUSE};
use super::pattern::has_prefix;
use super::{Seen, limits};

const PAGE: usize = 100;
/// A hub that always names a next page would be asked for ever.
const MOST_PAGES: usize = 10_000;
const ATTEMPTS: u32 = 5;
/// After so many requests in a row that failed, with all their attempts, the rest is left to the next sync.
const MOST_FAILURES: u32 = 8;
const MOST_REDIRECTS: usize = 5;
const LARGEST_ANSWER: usize = 32 * 1024 * 1024;
pub(super) const LARGEST_README: usize = 1024 * 1024;
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
    #[error("the hub's answer is longer than {} MiB", .0 / (1024 * 1024))]
    TooLong(usize),
    #[error("the hub wants to be left alone for {} s", .0.as_secs())]
    Busy(Duration),
    #[error("not asked for: the hub failed {MOST_FAILURES} times in a row")]
    GivenUp,
}

impl HubError {
    /// Whether the model is there no more, for whoever asks: what was read before goes as well.
    pub(super) fn says_gone(&self) -> bool {
        let gone = [StatusCode::GONE, StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS];
        matches!(self, Self::NotFound | Self::Denied) || matches!(self, Self::Status(status) if gone.contains(status))
    }

    /// Whether it may be different the next time.
    pub(super) fn is_temporary(&self) -> bool {
        match self {
            Self::NotFound | Self::Denied | Self::TooLong(_) => false,
            Self::Status(status) => status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS,
            Self::Unreachable(_) | Self::Unreadable(_) | Self::Busy(_) | Self::GivenUp => true,
        }
    }
}

/// A hub, and who is asking.
pub(super) struct Hub<'a> {
    client: Client,
    base: Url,
    token: Option<String>,
    requests: &'a Counter,
    gate: Arc<Gate>,
    /// Of all attempts of a request, one request after the other.
    failures: AtomicU32,
    first_pause: Duration,
    /// Seconds since the epoch at the beginning of the sync, for hubs that name times.
    started: (u64, Instant),
}

/// What a list, and the description of a model, tell of a model first.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Listed {
    // The hub sends both; older ones send the second alone.
    id: Option<String>,
    model_id: Option<String>,
    sha: Option<String>,
    last_modified: Option<String>,
    gated: Option<Value>,
    private: Option<bool>,
}

impl Listed {
    pub(super) fn name(&self) -> Option<&str> {
        self.id.as_deref().or(self.model_id.as_deref())
    }

    /// Changes with the model's files; `None` where the hub does not tell.
    /// `measured` is a digest of what was measured of it.
    pub(super) fn revision(&self, measured: Option<&str>) -> Option<String> {
        let revision = format!("{} {}", self.sha.as_deref()?, self.last_modified.as_deref()?);
        Some(measured.map_or(revision.clone(), |measured| format!("{revision} {measured}")))
    }

    pub(super) fn gated(&self) -> Option<String> {
        match self.gated.as_ref()? {
            Value::Bool(gated) => Some(gated.to_string()),
            Value::String(gated) => Some(gated.clone()),
            _ => None,
        }
    }

    pub(super) fn private(&self) -> Option<&'static str> {
        self.private.map(|private| if private { "true" } else { "false" })
    }

    /// Whether the model is as it was read. Who may see it can change without a revision.
    pub(super) fn is_as(&self, seen: &Seen, measured: Option<&str>) -> bool {
        self.revision(measured).is_some_and(|revision| revision == seen.revision)
            && self.gated().is_none_or(|gated| gated == seen.gated)
            && self.private().is_none_or(|private| private == seen.private)
    }
}

/// What came of asking for a model.
pub(super) enum Read {
    /// It is as it was; the name is the hub's.
    Same(String),
    New(Model),
}

/// A model with its card.
pub(super) struct Model {
    pub(super) name: String,
    /// As the hub describes it.
    pub(super) info: Value,
    pub(super) listed: Listed,
    pub(super) readme: Option<String>,
    /// The card is left out: it is too long.
    pub(super) is_cut: bool,
}

impl<'a> Hub<'a> {
    /// `requests` counts what is sent; `now` is in milliseconds.
    pub(super) fn new(
        url: &str,
        token: Option<&str>,
        access: &HubAccess,
        requests: &'a Counter,
        now: i64,
    ) -> Result<Self, String> {
        let base: Url =
            format!("{url}/").parse().map_err(|error| format!("the url of the hub cannot be read: {error}"))?;
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
        let builder = Client::builder();
        let client = builder
            .user_agent("model-registry-catalog")
            .timeout(timeout)
            .redirect(policy)
            .dns_resolver(Arc::new(CheckedResolver(access)))
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())?;
        let started = (u64::try_from(now / 1000).unwrap_or_default(), Instant::now());
        Ok(Self {
            client,
            base,
            token: token.map(str::to_owned),
            requests,
            gate: Arc::default(),
            failures: AtomicU32::new(0),
            first_pause,
            started,
        })
    }

    /// Shares limits and pauses with everybody else who asks this hub.
    pub(super) fn sharing(mut self, gates: &Gates) -> Self {
        self.gate = gates.of(&self.base, self.token.as_deref());
        self
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
            let answer = self.get(url.clone()).await?;
            let next = next_page(&answer.response);
            let page: Vec<Listed> = json(answer).await?;
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

    /// A model with its card, unless it is as it was, which is asked of the name that the hub calls it by.
    pub(super) async fn model(
        &self,
        name: &str,
        is_same: impl FnOnce(&str, &Listed) -> bool,
    ) -> Result<Read, HubError> {
        let path: Vec<&str> = ["api", "models"].into_iter().chain(name.split('/')).collect();
        let info: Value = json(self.get(self.url(&path)).await?).await?;
        let listed = Listed::deserialize(&info).map_err(|error| HubError::Unreadable(error.to_string()))?;
        let known = listed.name().unwrap_or(name).to_owned();
        if is_same(&known, &listed) {
            return Ok(Read::Same(known));
        }
        let files = info["siblings"].as_array().into_iter().flatten();
        let files: Vec<&str> = files.filter_map(|file| file["rfilename"].as_str()).collect();
        let (mut readme, mut is_cut) = (None, false);
        for file in READMES.into_iter().filter(|file| files.contains(file)) {
            let path: Vec<&str> = known.split('/').chain(["raw", "main", file]).collect();
            match self.get(self.url(&path)).await {
                Ok(answer) => match limited(answer, LARGEST_README).await {
                    Ok(bytes) => {
                        readme = Some(String::from_utf8_lossy(&bytes).into_owned());
                        break;
                    }
                    Err(HubError::TooLong(_)) => {
                        is_cut = true;
                        break;
                    }
                    Err(error) => return Err(error),
                },
                // The card of a gated model may be closed although its description is not.
                Err(HubError::NotFound | HubError::Denied) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Read::New(Model { name: known, info, listed, readme, is_cut }))
    }

    fn url(&self, path: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        url
    }

    async fn get(&self, url: Url) -> Result<Answer<'_>, HubError> {
        if self.failures.load(Ordering::Relaxed) >= MOST_FAILURES {
            return Err(HubError::GivenUp);
        }
        let answer = self.ask(url).await;
        match &answer {
            Err(error) if error.is_temporary() => {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            _ => self.failures.store(0, Ordering::Relaxed),
        }
        answer
    }

    /// Asks, again and again while the hub is busy; it says itself how long to wait.
    async fn ask(&self, url: Url) -> Result<Answer<'_>, HubError> {
        let mut pause = self.first_pause;
        for attempt in 1.. {
            let place = self.gate.enter().await.map_err(HubError::Busy)?;
            let mut request = self.client.get(url.clone());
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            self.requests.inc();
            let error = match request.send().await {
                Ok(response) => {
                    let wanted = self.note_limits(&response);
                    if response.status().is_success() {
                        return Ok(Answer { response, _place: place });
                    }
                    pause = wanted.unwrap_or(pause);
                    refusal(&response)
                }
                // Without the URL, which a redirect may have filled with signatures.
                Err(error) if error.is_redirect() || error.is_builder() => {
                    return Err(HubError::Unreachable(chain(&error.without_url())));
                }
                Err(error) => HubError::Unreachable(chain(&error.without_url())),
            };
            drop(place);
            if attempt >= ATTEMPTS || !error.is_temporary() || pause > LONGEST_PAUSE {
                return Err(error);
            }
            tracing::debug!(%error, ?pause, "the hub is asked again");
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        unreachable!("the loop returns")
    }

    /// Keeps all requests back for as long as an answer asks for, and tells how long that is.
    fn note_limits(&self, response: &Response) -> Option<Duration> {
        let (epoch, at) = self.started;
        let wanted = limits::pause(response.status(), response.headers(), epoch + at.elapsed().as_secs())?;
        self.gate.pause(wanted);
        Some(wanted)
    }
}

/// An answer whose body is not read yet: it takes a place until then.
struct Answer<'a> {
    response: Response,
    _place: SemaphorePermit<'a>,
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

async fn json<T: serde::de::DeserializeOwned>(answer: Answer<'_>) -> Result<T, HubError> {
    let bytes = limited(answer, LARGEST_ANSWER).await?;
    serde_json::from_slice(&bytes).map_err(|error| HubError::Unreadable(error.to_string()))
}

async fn limited(mut answer: Answer<'_>, limit: usize) -> Result<Vec<u8>, HubError> {
    let mut bytes = Vec::new();
    while let Some(chunk) =
        answer.response.chunk().await.map_err(|error| HubError::Unreachable(chain(&error.without_url())))?
    {
        if bytes.len() + chunk.len() > limit {
            return Err(HubError::TooLong(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
