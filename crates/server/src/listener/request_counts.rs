//! Counts the requests and responses of a connection, for the streams around it, and to find idle connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// How many requests of a connection have started, and how many responses are sent completely.
///
/// The next byte read starts a request only if every response is sent and no request had a body: the response to a
/// request with a body may be sent before the body is read. Escaping bytes of a body would make it longer than its
/// `Content-Length`, and its end would be parsed as another request (request smuggling). So after a request with a
/// body, `next_begins` is false for the rest of the connection.
#[derive(Clone, Debug)]
pub(super) struct RequestCounts(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    opened: Instant,
    started: AtomicU64,
    responded: AtomicU64,
    had_body: AtomicBool,
    /// The body of the last request is not read to its end.
    has_unread_body: AtomicBool,
    /// When the last response was sent, in milliseconds after the connection was opened.
    responded_at: AtomicU64,
}

impl Default for RequestCounts {
    fn default() -> Self {
        Self(Arc::new(Counters {
            opened: Instant::now(),
            started: AtomicU64::new(0),
            responded: AtomicU64::new(0),
            had_body: AtomicBool::new(false),
            has_unread_body: AtomicBool::new(false),
            responded_at: AtomicU64::new(0),
        }))
    }
}

/// Counts a response when dropped, that is, after its last byte is sent.
pub(super) struct ResponseGuard(RequestCounts);

impl RequestCounts {
    pub(super) fn guard(&self, has_body: bool) -> ResponseGuard {
        if has_body {
            self.0.had_body.store(true, Ordering::Release);
            self.0.has_unread_body.store(true, Ordering::Release);
        }
        self.0.started.fetch_add(1, Ordering::AcqRel);
        ResponseGuard(self.clone())
    }

    /// Notes that the body of a request was read to its end.
    pub(super) fn body_was_read(&self) {
        self.0.has_unread_body.store(false, Ordering::Release);
    }

    /// Whether a part of the body of the last request is unread; for HTTP/1, whose requests follow each other.
    pub(super) fn has_unread_body(&self) -> bool {
        self.0.has_unread_body.load(Ordering::Acquire)
    }

    pub(super) fn responded(&self) -> u64 {
        self.0.responded.load(Ordering::Acquire)
    }

    /// The number of requests so far if all of them are responded to.
    pub(super) fn settled(&self) -> Option<u64> {
        let started = self.0.started.load(Ordering::Acquire);
        (started == self.responded()).then_some(started)
    }

    /// How long the connection has had no request: since it was opened, or since the last response. `None` if it has one.
    pub(super) fn idle_for(&self) -> Option<Duration> {
        self.settled()?;
        let responded_at = Duration::from_millis(self.0.responded_at.load(Ordering::Acquire));
        Some(self.0.opened.elapsed().saturating_sub(responded_at))
    }

    /// Completes when the connection has had no request for this long.
    pub(super) async fn idle(&self, limit: Duration) {
        loop {
            let idle_for = self.idle_for().unwrap_or_default();
            if idle_for >= limit {
                return;
            }
            tokio::time::sleep(limit.saturating_sub(idle_for)).await;
        }
    }

    /// Whether the next byte starts a request; `known` is the number of responses at the start of the previous one.
    pub(super) fn next_begins(&self, known: u64) -> bool {
        let responded = self.responded();
        responded != known
            && responded == self.0.started.load(Ordering::Acquire)
            && !self.0.had_body.load(Ordering::Acquire)
    }
}

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        let counters = &self.0.0;
        let now = u64::try_from(counters.opened.elapsed().as_millis()).unwrap_or(u64::MAX);
        counters.responded_at.store(now, Ordering::Release);
        counters.responded.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_begins_during_another_or_after_one_with_a_body() {
        let requests = RequestCounts::default();
        assert!(!requests.next_begins(0));
        let (first, second) = (requests.guard(false), requests.guard(false));
        drop(first);
        assert!(!requests.next_begins(0));
        drop(second);
        assert!(requests.next_begins(0));
        drop(requests.guard(true));
        assert!(!requests.next_begins(0));
    }

    #[test]
    fn a_connection_is_idle_between_its_requests() {
        let requests = RequestCounts::default();
        assert!(requests.idle_for().is_some());
        let request = requests.guard(false);
        assert_eq!(requests.idle_for(), None);
        drop(request);
        assert!(requests.idle_for().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn idle_time_begins_with_the_last_response() {
        let requests = RequestCounts::default();
        let limit = Duration::from_secs(30);
        let request = requests.guard(false);
        let begun = Instant::now();
        let respond = async {
            tokio::time::sleep(Duration::from_secs(45)).await;
            drop(request);
        };
        tokio::join!(requests.idle(limit), respond);
        assert!(begun.elapsed() >= Duration::from_secs(75), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_body_is_unread_until_its_end() {
        let requests = RequestCounts::default();
        drop(requests.guard(false));
        assert!(!requests.has_unread_body());
        drop(requests.guard(true));
        assert!(requests.has_unread_body());
        requests.body_was_read();
        assert!(!requests.has_unread_body());
    }

    #[test]
    fn requests_are_settled_when_every_response_is_sent() {
        let requests = RequestCounts::default();
        assert_eq!(requests.settled(), Some(0));
        let first = requests.guard(false);
        assert_eq!(requests.settled(), None);
        drop(first);
        assert_eq!(requests.settled(), Some(1));
    }
}
