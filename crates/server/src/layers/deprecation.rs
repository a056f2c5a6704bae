//! Headers on the responses of an API that will be removed.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::response::Response;
use http::header::{HeaderName, HeaderValue, LINK};

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Warnings about calls are logged at most once in this time.
const LOG_INTERVAL: Duration = Duration::from_mins(1);

/// Finds the path that replaces a path of the deprecated API; `None` if nothing does. The first argument is the route, if the
/// path has one.
pub type Successor = fn(route: Option<&str>, path: &str) -> Option<String>;

/// An API that is deprecated.
pub struct Deprecation {
    /// What its paths begin with.
    prefixes: Vec<String>,
    sunset: HeaderValue,
    successor: Successor,
    last_logged: Mutex<Option<Instant>>,
}

impl Deprecation {
    /// Deprecates all paths that begin with one of `prefixes`; the API may be removed from `sunset`, an HTTP date, onwards.
    pub fn new(prefixes: Vec<String>, sunset: &str, successor: Successor) -> Self {
        let sunset = HeaderValue::from_str(sunset).expect("a date is ASCII");
        Self { prefixes, sunset, successor, last_logged: Mutex::new(None) }
    }

    /// Whether the path is one of the deprecated API.
    pub(super) fn covers(&self, path: &str) -> bool {
        self.prefixes.iter().any(|prefix| path.starts_with(prefix))
    }

    /// Adds the headers to a response of a deprecated path, and logs the call now and then.
    pub(super) fn decorate(&self, method: &str, path: &str, route: Option<&str>, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(DEPRECATION, HeaderValue::from_static("true"));
        headers.insert(SUNSET, self.sunset.clone());
        let link = (self.successor)(route, path).filter(|path| !path.contains('>'));
        if let Some(link) = link.and_then(|path| format!("<{path}>; rel=\"successor-version\"").parse().ok()) {
            headers.append(LINK, link);
        }
        if self.is_log_due(Instant::now()) {
            let sunset = self.sunset.to_str().unwrap_or_default();
            tracing::warn!("deprecated alpha API called: {method} {path} (sunset: {sunset})");
        }
    }

    fn is_log_due(&self, now: Instant) -> bool {
        let mut last = self.last_logged.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let is_due = last.is_none_or(|last| now.duration_since(last) >= LOG_INTERVAL);
        if is_due {
            *last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn deprecation() -> Deprecation {
        let successor: Successor = |route, path| route.map(|_| path.replace("/old/", "/new/"));
        Deprecation::new(vec!["/old/".to_owned()], "Thu, 29 Apr 2027 00:00:00 GMT", successor)
    }

    #[test]
    fn a_link_is_added_to_others_where_there_is_a_successor() {
        let mut response = Response::new(Body::empty());
        response.headers_mut().insert(LINK, HeaderValue::from_static("</x>; rel=\"next\""));
        deprecation().decorate("GET", "/old/1", Some("/old/{id}"), &mut response);
        let links: Vec<_> = response.headers().get_all(LINK).iter().collect();
        assert_eq!(links, ["</x>; rel=\"next\"", "</new/1>; rel=\"successor-version\""]);
        assert_eq!(response.headers()["deprecation"], "true");
        assert_eq!(response.headers()["sunset"], "Thu, 29 Apr 2027 00:00:00 GMT");
        let mut response = Response::new(Body::empty());
        deprecation().decorate("GET", "/old/1", None, &mut response);
        assert!(!response.headers().contains_key(LINK));
    }

    #[test]
    fn calls_are_logged_at_most_once_a_minute() {
        let (deprecation, start) = (deprecation(), Instant::now());
        let due = [0, 59, 60, 61, 121].map(|seconds| deprecation.is_log_due(start + Duration::from_secs(seconds)));
        assert_eq!(due, [true, false, true, false, true]);
    }
}
