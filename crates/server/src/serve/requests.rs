//! What has happened to the requests of a connection, as far as the streams around it have to know.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Which requests have begun and which are answered.
///
/// Only behind a complete answer, with no other request under way, does the next byte read begin a request. A request
/// with a body ends all certainty: its answer may come before its body was read, and escaping a body would make it longer
/// than announced, its end a request of its own. From there on nothing is escaped any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Requests(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    begun: AtomicU64,
    answered: AtomicU64,
    had_body: AtomicBool,
}

/// Counts an answer when it is dropped, that is, when its last byte has been taken.
pub(super) struct UntilAnswered(Requests);

impl Requests {
    pub(super) fn guard(&self, has_body: bool) -> UntilAnswered {
        if has_body {
            self.0.had_body.store(true, Ordering::Release);
        }
        self.0.begun.fetch_add(1, Ordering::AcqRel);
        UntilAnswered(self.clone())
    }

    pub(super) fn answered(&self) -> u64 {
        self.0.answered.load(Ordering::Acquire)
    }

    /// How many requests have begun, when all of them are answered.
    pub(super) fn settled(&self) -> Option<u64> {
        let begun = self.0.begun.load(Ordering::Acquire);
        (begun == self.answered()).then_some(begun)
    }

    /// Whether the next byte begins a request, given how many answers were known when the last one was looked for.
    pub(super) fn next_begins(&self, known: u64) -> bool {
        let answered = self.answered();
        answered != known
            && answered == self.0.begun.load(Ordering::Acquire)
            && !self.0.had_body.load(Ordering::Acquire)
    }
}

impl Drop for UntilAnswered {
    fn drop(&mut self) {
        self.0.0.answered.fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_begins_while_a_request_is_under_way_or_after_one_with_a_body() {
        let requests = Requests::default();
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
    fn requests_are_settled_when_all_are_answered() {
        let requests = Requests::default();
        assert_eq!(requests.settled(), Some(0));
        let first = requests.guard(false);
        assert_eq!(requests.settled(), None);
        drop(first);
        assert_eq!(requests.settled(), Some(1));
    }
}
