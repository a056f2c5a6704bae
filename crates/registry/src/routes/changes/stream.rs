//! The change feed as server-sent events: one event per change, with the sequence number as its id, so that a browser's
//! `EventSource` resumes after a lost connection.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use http::HeaderName;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use model_registry_server::ApiError;
use model_registry_server::request::Shutdown;
use model_registry_store::{Change, Store};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::{after, json, read, start, wire};
use crate::routes::request::Request;
use crate::rules::RuleError;

static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

const PAGE: u32 = 500;
/// Interval of comments that keep proxies from closing an idle connection and detect a closed one.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Longest life of a stream: the reader has to reconnect and authenticate again.
const LIFETIME: Duration = Duration::from_hours(1);
/// The first line sets the reader's reconnection delay to one second.
const OPENING: &str = "retry: 1000\n\n";

struct Reader {
    store: Store,
    after: i64,
    shutdown: Shutdown,
    end: Instant,
    is_open: bool,
    _permit: OwnedSemaphorePermit,
}

/// Responds with a stream that ends at shutdown, on a database error, and after [`LIFETIME`].
pub(super) async fn respond(request: &Request, shutdown: Shutdown) -> Result<Response, ApiError> {
    let registry = &request.context.registry;
    let last_seen = request.header(&LAST_EVENT_ID).filter(|id| !id.is_empty());
    // A reader that reconnects repeats its first URL: its last event takes precedence.
    let after = start(&registry.store, after(last_seen.or(request.query.get("after")))?).await?;
    // Fails with 410 before the stream starts if the changes have expired.
    read(&registry.store, after, 1).await?;
    let reader = Reader {
        store: registry.store.clone(),
        after,
        shutdown,
        end: Instant::now() + LIFETIME,
        is_open: false,
        _permit: registry.feed_readers.admit()?,
    };
    let events = stream::unfold(reader, async |mut reader| {
        let chunk = reader.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(chunk)), reader))
    });
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
        // Disables buffering of events in nginx.
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

impl Reader {
    /// The next chunk of the stream: events, or a heartbeat comment; `None` at its end.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.is_open, true) {
            return Some(OPENING.to_owned());
        }
        let result = tokio::select! {
            biased;
            () = self.shutdown.requested() => return None,
            () = tokio::time::sleep_until(self.end) => return None,
            () = tokio::time::sleep(HEARTBEAT) => return Some(": still here\n\n".to_owned()),
            changes = next_changes(&self.store, self.after) => changes,
        };
        match result {
            Ok(changes) => {
                self.after = changes.last()?.sequence;
                changes.into_iter().map(event).collect::<Result<String, _>>().ok()
            }
            Err(error) => {
                // The reader reconnects and resumes after the last event.
                tracing::warn!(error = &error as &dyn std::error::Error, "change stream ended");
                None
            }
        }
    }
}

async fn next_changes(store: &Store, after: i64) -> Result<Vec<Change>, ApiError> {
    loop {
        let changes = read(store, after, PAGE).await?;
        if !changes.items.is_empty() {
            return Ok(changes.items);
        }
        store.wait_for_change(after).await.map_err(RuleError::from)?;
    }
}

fn event(change: Change) -> Result<String, ApiError> {
    let change = wire(change);
    Ok(format!("id: {}\nevent: change\ndata: {}\n\n", change.sequence, json(&change)?))
}
