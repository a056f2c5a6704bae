//! Counts the requests and responses of an HTTP/1 connection, for the streams around it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How many requests of a connection have started, and how many responses are sent completely.
///
/// The next byte read starts a request only if every response is sent and no request had a body: the response to a
/// request with a body may be sent before the body is read. Escaping bytes of a body would make it longer than its
/// `Content-Length`, and its end would be parsed as another request (request smuggling). So after a request with a
/// body, `next_begins` is false for the rest of the connection.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestCounts(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    started: AtomicU64,
    responded: AtomicU64,
    had_body: AtomicBool,
}

/// Counts a response when dropped, that is, after its last byte is sent.
pub(super) struct ResponseGuard(RequestCounts);

impl RequestCounts {
    pub(super) fn guard(&self, has_body: bool) -> ResponseGuard {
        if has_body {
            self.0.had_body.store(true, Ordering::Release);
        }
        self.0.started.fetch_add(1, Ordering::AcqRel);
        ResponseGuard(self.clone())
    }

    pub(super) fn responded(&self) -> u64 {
        self.0.responded.load(Ordering::Acquire)
    }

    /// The number of requests so far if all of them are responded to.
    pub(super) fn settled(&self) -> Option<u64> {
        let started = self.0.started.load(Ordering::Acquire);
        (started == self.responded()).then_some(started)
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
        self.0.0.responded.fetch_add(1, Ordering::AcqRel);
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
    fn requests_are_settled_when_every_response_is_sent() {
        let requests = RequestCounts::default();
        assert_eq!(requests.settled(), Some(0));
        let first = requests.guard(false);
        assert_eq!(requests.settled(), None);
        drop(first);
        assert_eq!(requests.settled(), Some(1));
    }
}
