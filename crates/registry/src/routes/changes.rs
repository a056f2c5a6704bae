//! The change feed: every mutation in one order, read in pages, by waiting for the next, or as a stream of events.

mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use http::header::ACCEPT;
use model_registry_api::entities::{ChangePage, LoggedChange};
use model_registry_server::request::{Stopping, TimeLimit};
use model_registry_server::{ApiError, Query, response};
use model_registry_store::{Change, Changes, Store};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::request::Request;
use crate::rules::RuleError;

const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 1_000;
/// Shorter than the idle time after which common load balancers close a connection.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// What of a request's time limit is kept for reading and answering.
const RESERVE: Duration = Duration::from_secs(1);
/// Those who wait hold memory and, when they poll, one of the server's places for requests.
const MOST_WAITING: usize = 512;

/// Room for those who wait for changes; cheap to clone.
#[derive(Clone)]
pub(crate) struct WaitingRoom(Arc<Semaphore>);

impl WaitingRoom {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MOST_WAITING)))
    }

    fn enter(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let full = || ApiError::Unavailable("too many callers are waiting for changes: try again shortly".to_owned());
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| full())
    }
}

/// Where a reader of the feed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Sequence(i64),
    /// Only what comes from now on.
    Newest,
}

pub(super) async fn list(request: Request, stopping: Stopping, time_limit: TimeLimit) -> Result<Response, ApiError> {
    let limit = limit(&request.query)?;
    if request.header(&ACCEPT).is_some_and(|accept| accept.contains("text/event-stream")) {
        return stream::answer(&request, stopping).await;
    }
    let wait = wait(&request.query, time_limit)?;
    let store = &request.context.registry.store;
    let after = start(store, after(request.query.get("after"))?).await?;
    let mut changes = read(store, after, limit).await?;
    if changes.items.is_empty() && !wait.is_zero() {
        let _place = request.context.registry.waiting.enter()?;
        changes = wait_and_read(store, after, limit, wait, stopping).await?;
    }
    let next = changes.items.last().map_or(after, |change| change.sequence);
    let page = ChangePage { items: changes.items.into_iter().map(wire).collect(), next };
    Ok(response::json(StatusCode::OK, json(&page)?))
}

async fn wait_and_read(
    store: &Store,
    after: i64,
    limit: u32,
    wait: Duration,
    mut stopping: Stopping,
) -> Result<Changes, ApiError> {
    tokio::select! {
        waited = store.wait_for_change(after) => waited.map_err(RuleError::from)?,
        () = tokio::time::sleep(wait) => {}
        () = stopping.stopped() => {}
    }
    read(store, after, limit).await
}

/// Reads what is behind `after`, all of it or nothing.
async fn read(store: &Store, after: i64, limit: u32) -> Result<Changes, ApiError> {
    let changes = store.changes(after, limit).await.map_err(RuleError::from)?;
    match changes.first_kept(after) {
        None => Ok(changes),
        Some(first) => Err(ApiError::Gone(format!(
            "the changes behind {after} are not kept any more, the oldest that is kept is {first}: take `next` of \
             after=newest, read everything again, and go on from there; after={} reads what is kept",
            first - 1
        ))),
    }
}

/// The number to read behind. One that was never given is refused: its reader saw another database, and would miss
/// what this one has done since.
async fn start(store: &Store, after: After) -> Result<i64, ApiError> {
    let after = match after {
        After::Sequence(0) => return Ok(0),
        After::Sequence(after) if after <= store.newest_known_change() => return Ok(after),
        after => after,
    };
    let newest = store.newest_change().await.map_err(RuleError::from)?;
    match after {
        After::Newest => Ok(newest),
        After::Sequence(after) if after <= newest => Ok(after),
        After::Sequence(after) => Err(ApiError::Invalid(format!(
            "there is no change {after}: the newest is {newest}; if an older backup was restored, read everything \
             again, with after=0"
        ))),
    }
}

fn after(text: Option<&str>) -> Result<After, ApiError> {
    match text {
        None => Ok(After::Sequence(0)),
        Some("newest") => Ok(After::Newest),
        Some(text) => match text.parse() {
            Ok(after) if after >= 0 => Ok(After::Sequence(after)),
            _ => Err(ApiError::Invalid(format!(
                "invalid `after`: use `next` of the last answer, 0 for everything or `newest`, not `{text}`"
            ))),
        },
    }
}

/// More than the maximum gets the maximum: `next` leads to the rest.
fn limit(query: &Query) -> Result<u32, ApiError> {
    let Some(text) = query.get("limit") else { return Ok(DEFAULT_LIMIT) };
    match text.parse::<i64>() {
        Ok(limit) if limit >= 1 => Ok(u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
        _ => Err(ApiError::Invalid(format!("invalid `limit`: use a number from 1 to {MAX_LIMIT}, not `{text}`"))),
    }
}

/// A longer wait than possible is the longest possible: the caller asks again anyway.
fn wait(query: &Query, TimeLimit(time_limit): TimeLimit) -> Result<Duration, ApiError> {
    let Some(text) = query.get("wait") else { return Ok(Duration::ZERO) };
    let longest = LONGEST_WAIT.min(time_limit.saturating_sub(RESERVE).max(time_limit / 2));
    let invalid = || ApiError::Invalid(format!("invalid `wait`: use a number of seconds, not `{text}`"));
    text.parse().map(|seconds| Duration::from_secs(seconds).min(longest)).map_err(|_| invalid())
}

/// A change as the API shows it.
fn wire(change: Change) -> LoggedChange {
    LoggedChange {
        sequence: change.sequence,
        time: change.time.into(),
        actor: change.actor,
        kind: change.kind.name().to_owned(),
        id: change.id.to_string(),
        verb: change.verb,
        revision: change.revision,
    }
}

fn json(answer: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(answer).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_cut_to_what_the_request_has_time_for() {
        let wait = |text: &str, limit| wait(&Query::parse(text).unwrap(), TimeLimit(Duration::from_secs(limit)));
        assert_eq!(wait("", 60).unwrap(), Duration::ZERO);
        assert_eq!(wait("wait=5", 60).unwrap(), Duration::from_secs(5));
        assert_eq!(wait("wait=99999999999", 60).unwrap(), LONGEST_WAIT);
        assert_eq!(wait("wait=60", 10).unwrap(), Duration::from_secs(9));
        assert_eq!(wait("wait=60", 1).unwrap(), Duration::from_millis(500));
        assert!(wait("wait=-1", 60).is_err());
    }

    #[test]
    fn a_reader_says_where_it_is() {
        assert_eq!(after(None).unwrap(), After::Sequence(0));
        assert_eq!(after(Some("17")).unwrap(), After::Sequence(17));
        assert_eq!(after(Some("newest")).unwrap(), After::Newest);
        for bad in ["-1", "x", "1.5", "99999999999999999999"] {
            assert!(after(Some(bad)).is_err(), "{bad}");
        }
    }
}
