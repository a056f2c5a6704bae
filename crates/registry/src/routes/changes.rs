//! The change feed: every mutation in one order, read in pages, by long polling, or as server-sent events.

mod stream;

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use http::header::ACCEPT;
use model_registry_api::entities::{ChangePage, LoggedChange};
use model_registry_server::request::{Shutdown, TimeLimit};
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
/// Part of a request's time limit that is reserved for reading and responding.
const RESERVE: Duration = Duration::from_secs(1);
/// Most waiting readers: each holds memory and, when long polling, one of the server's concurrent requests.
const MAX_WAITING: usize = 512;

/// Limits the readers that wait for changes, by long polling or on a stream; cheap to clone.
#[derive(Clone)]
pub(crate) struct FeedReaders(Arc<Semaphore>);

impl FeedReaders {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(MAX_WAITING)))
    }

    /// Admits a reader while the permit lives; 503 if too many wait already.
    fn admit(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let full = || ApiError::Unavailable("too many callers are waiting for changes: try again shortly".to_owned());
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| full())
    }
}

/// The position from which a reader continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Sequence(i64),
    /// Only changes from now on.
    Newest,
}

pub(crate) async fn list(request: Request, shutdown: Shutdown, time_limit: TimeLimit) -> Result<Response, ApiError> {
    let limit = limit(&request.query)?;
    if request.header(&ACCEPT).is_some_and(|accept| accept.contains("text/event-stream")) {
        return stream::respond(&request, shutdown).await;
    }
    let wait = wait(&request.query, time_limit)?;
    let store = &request.context.registry.store;
    let after = start(store, after(request.query.get("after"))?).await?;
    let mut changes = read(store, after, limit).await?;
    if changes.items.is_empty() && !wait.is_zero() {
        let _permit = request.context.registry.feed_readers.admit()?;
        changes = wait_and_read(store, after, limit, wait, shutdown).await?;
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
    mut shutdown: Shutdown,
) -> Result<Changes, ApiError> {
    tokio::select! {
        waited = store.wait_for_change(after) => waited.map_err(RuleError::from)?,
        () = tokio::time::sleep(wait) => {}
        () = shutdown.requested() => {}
    }
    read(store, after, limit).await
}

/// Reads the changes after a sequence number; 410 if retention has deleted some of them.
async fn read(store: &Store, after: i64, limit: u32) -> Result<Changes, ApiError> {
    let changes = store.changes(after, limit).await.map_err(RuleError::from)?;
    match changes.first_retained(after) {
        None => Ok(changes),
        Some(first) => Err(ApiError::Gone(format!(
            "the changes after {after} have expired, the oldest one left is {first}: take `next` of after=newest, read \
             all entities again, and continue from there; after={} reads the changes that are left",
            first - 1
        ))),
    }
}

/// Resolves the start position to a sequence number. One that does not exist yet is 400: its reader saw another
/// database, for example before a backup was restored, and would miss changes.
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
            "change {after} does not exist: the newest is {newest}; if an older backup was restored, read everything \
             again, with after=0"
        ))),
    }
}

fn after(value: Option<&str>) -> Result<After, ApiError> {
    match value {
        None => Ok(After::Sequence(0)),
        Some("newest") => Ok(After::Newest),
        Some(value) => match value.parse() {
            Ok(after) if after >= 0 => Ok(After::Sequence(after)),
            _ => Err(ApiError::Invalid(format!(
                "invalid `after` `{value}`: use `next` of the previous response, 0 for all changes, or `newest`"
            ))),
        },
    }
}

/// Larger limits are reduced to the maximum: `next` leads to the rest.
fn limit(query: &Query) -> Result<u32, ApiError> {
    let Some(value) = query.get("limit") else { return Ok(DEFAULT_LIMIT) };
    match value.parse::<i64>() {
        Ok(limit) if limit >= 1 => Ok(u32::try_from(limit).unwrap_or(MAX_LIMIT).min(MAX_LIMIT)),
        _ => Err(ApiError::Invalid(format!("invalid `limit` `{value}`: use a number from 1 to {MAX_LIMIT}"))),
    }
}

/// Longer waits are reduced to the longest one that the time limit of the request allows.
fn wait(query: &Query, TimeLimit(time_limit): TimeLimit) -> Result<Duration, ApiError> {
    let Some(value) = query.get("wait") else { return Ok(Duration::ZERO) };
    let longest = LONGEST_WAIT.min(time_limit.saturating_sub(RESERVE).max(time_limit / 2));
    let invalid = || ApiError::Invalid(format!("invalid `wait` `{value}`: use a number of seconds"));
    value.parse().map(|seconds| Duration::from_secs(seconds).min(longest)).map_err(|_| invalid())
}

/// The wire form of a change.
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

fn json(value: &impl Serialize) -> Result<String, ApiError> {
    serde_json::to_string(value).map_err(ApiError::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_limited_by_the_time_limit_of_the_request() {
        let wait = |value: &str, limit| wait(&Query::parse(value).unwrap(), TimeLimit(Duration::from_secs(limit)));
        assert_eq!(wait("", 60).unwrap(), Duration::ZERO);
        assert_eq!(wait("wait=5", 60).unwrap(), Duration::from_secs(5));
        assert_eq!(wait("wait=99999999999", 60).unwrap(), LONGEST_WAIT);
        assert_eq!(wait("wait=60", 10).unwrap(), Duration::from_secs(9));
        assert_eq!(wait("wait=60", 1).unwrap(), Duration::from_millis(500));
        assert!(wait("wait=-1", 60).is_err());
    }

    #[test]
    fn the_start_position_is_a_sequence_number_or_newest() {
        assert_eq!(after(None).unwrap(), After::Sequence(0));
        assert_eq!(after(Some("17")).unwrap(), After::Sequence(17));
        assert_eq!(after(Some("newest")).unwrap(), After::Newest);
        for bad in ["-1", "x", "1.5", "99999999999999999999"] {
            assert!(after(Some(bad)).is_err(), "{bad}");
        }
    }
}
