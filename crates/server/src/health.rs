//! Probes. They answer at once, ready or not: a check that does not return within its time has failed.
//!
//! * `/livez`: 200 while the process runs.
//! * any path that ends in `/readyz/isDirty`: the checks of [`Scope::Storage`] (parity, registry-server 2.10).
//! * any path that ends in `/readyz/health`, and `/readyz`: every check.
//!
//! The body is `OK` or what is wrong; `?format=json` tells about each check.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use http::header::{ALLOW, HeaderValue};
use http::{Method, StatusCode};
use model_registry_base::time;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{ApiError, Query, response};

/// How long a check may take; kubelet gives up after one second by default, manifests grant five.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// What a check is about, which decides the probes it takes part in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Storage is reachable and its schema is usable.
    Storage,
    /// The service can answer requests.
    Service,
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Outcome {
    is_healthy: bool,
    message: String,
    details: Map<String, Value>,
}

impl Outcome {
    /// Reports that all is well.
    pub fn pass(message: impl Into<String>) -> Self {
        Self { is_healthy: true, message: message.into(), details: Map::new() }
    }

    /// Reports what is wrong, in words an operator can act on.
    pub fn fail(message: impl Into<String>) -> Self {
        Self { is_healthy: false, ..Self::pass(message) }
    }

    pub fn is_healthy(&self) -> bool {
        self.is_healthy
    }

    /// Adds a detail for `?format=json`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }
}

struct Check {
    name: &'static str,
    scope: Scope,
    run: Box<dyn Fn() -> BoxFuture<'static, Outcome> + Send + Sync>,
}

/// The checks of a server, in the order they were added.
#[derive(Default)]
pub struct Health {
    checks: Vec<Check>,
}

/// Which probe a path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Live,
    Storage,
    Everything,
}

impl Probe {
    /// Recognizes the path of a probe.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/livez" => Some(Self::Live),
            "/readyz" => Some(Self::Everything),
            _ if path.ends_with("/readyz/isDirty") => Some(Self::Storage),
            _ if path.ends_with("/readyz/health") => Some(Self::Everything),
            _ => None,
        }
    }

    /// Returns the name of the probe for logs and metrics: the prefix of a path is the caller's invention.
    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Live => "/livez",
            Self::Storage => "/readyz/isDirty",
            Self::Everything => "/readyz/health",
        }
    }
}

impl Health {
    /// Starts without any check: ready from the first moment.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check; `name` is its key in `?format=json`.
    #[must_use]
    pub fn check<F, Fut>(mut self, name: &'static str, scope: Scope, run: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        self.checks.push(Check { name, scope, run: Box::new(move || run().boxed()) });
        self
    }

    /// Answers a probe.
    pub(crate) async fn answer(&self, probe: Probe, request: Request) -> Response {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = ApiError::MethodNotAllowed.into_response();
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET,HEAD"));
            return response;
        }
        let started = Instant::now();
        let outcomes = self.outcomes(probe).await;
        let failure = outcomes.iter().find(|(_, outcome)| !outcome.is_healthy);
        let status = if failure.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
        let query = Query::parse(request.uri().query().unwrap_or_default()).unwrap_or_default();
        if query.get("format") == Some("json") {
            return response::json(status, document(&outcomes, started.elapsed()));
        }
        let text = failure.map_or("OK", |(_, outcome)| outcome.message.as_str());
        (status, text.to_owned()).into_response()
    }

    async fn outcomes(&self, probe: Probe) -> Vec<(&'static str, Outcome)> {
        let takes_part = |check: &&Check| match probe {
            Probe::Live => false,
            Probe::Storage => check.scope == Scope::Storage,
            Probe::Everything => true,
        };
        join_all(self.checks.iter().filter(takes_part).map(|check| async {
            let outcome = tokio::time::timeout(CHECK_TIMEOUT, (check.run)()).await;
            let outcome = outcome.unwrap_or_else(|_| {
                let seconds = CHECK_TIMEOUT.as_secs();
                Outcome::fail(format!("{} check gave no answer within {seconds} s", check.name))
            });
            (check.name, outcome)
        }))
        .await
    }
}

// parity (registry-server 2.10): the keys of a check are capitalized, those around it are not.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CheckDocument<'a> {
    name: &'a str,
    status: &'a str,
    message: &'a str,
    details: &'a Map<String, Value>,
}

fn document(outcomes: &[(&'static str, Outcome)], took: Duration) -> Vec<u8> {
    let word = |is_healthy| if is_healthy { "pass" } else { "fail" };
    let is_healthy = outcomes.iter().all(|(_, outcome)| outcome.is_healthy);
    let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let meta = Outcome { is_healthy, ..Outcome::pass("") }
        .with("check_duration_ms", milliseconds)
        .with("timestamp", time::rfc3339(now_in_seconds()));
    let checks: Map<String, Value> = outcomes
        .iter()
        .map(|(name, outcome)| (*name, outcome))
        .chain([("meta", &meta)])
        .map(|(name, outcome)| {
            let check = CheckDocument {
                name,
                status: word(outcome.is_healthy),
                message: &outcome.message,
                details: &outcome.details,
            };
            (name.to_owned(), serde_json::to_value(check).expect("strings and a map serialize"))
        })
        .collect();
    let document = serde_json::json!({ "status": word(is_healthy), "checks": checks });
    document.to_string().into_bytes()
}

#[expect(clippy::disallowed_methods, reason = "a probe reports the moment it was answered; nothing is decided by it")]
fn now_in_seconds() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::response::tests::{content_type, text};

    fn health(storage: Outcome, service: Outcome) -> Health {
        Health::new().check("database", Scope::Storage, move || futures::future::ready(storage.clone())).check(
            "model-registry",
            Scope::Service,
            move || futures::future::ready(service.clone()),
        )
    }

    async fn probe(health: &Health, method: &str, path: &str) -> Response {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let probe = Probe::of(request.uri().path()).unwrap();
        health.answer(probe, request).await
    }

    #[tokio::test]
    async fn answers_ok_under_any_prefix() {
        let health = health(Outcome::pass("fine"), Outcome::pass("fine"));
        for path in ["/readyz", "/livez", "/readyz/isDirty", "/readyz/health", "/any/prefix/readyz/health"] {
            let response = probe(&health, "GET", path).await;
            assert_eq!(response.status(), 200);
            assert_eq!(text(response).await, "OK");
        }
        for path in ["/", "/readyz/other", "/readyz/health/more", "/x/livez"] {
            assert_eq!(Probe::of(path), None);
        }
    }

    #[tokio::test]
    async fn tells_what_is_wrong_and_stays_alive() {
        let health = health(Outcome::pass("fine"), Outcome::fail("still migrating"));
        let response = probe(&health, "GET", "/readyz/health").await;
        assert_eq!(response.status(), 503);
        assert_eq!(text(response).await, "still migrating");
        assert_eq!(probe(&health, "GET", "/readyz/isDirty").await.status(), 200);
        assert_eq!(probe(&health, "GET", "/livez").await.status(), 200);
    }

    #[tokio::test]
    async fn describes_each_check_in_json() {
        let health = health(Outcome::pass("database is healthy").with("schema_version", 7), Outcome::fail("no"));
        let response = probe(&health, "GET", "/readyz/health?format=json").await;
        assert_eq!(response.status(), 503);
        assert!(content_type(&response).starts_with("application/json"));
        let mut body: Value = serde_json::from_str(&text(response).await).unwrap();
        body["checks"]["meta"]["Details"] = Value::Null;
        let expected = serde_json::json!({"status": "fail", "checks": {
            "database": {"Name": "database", "Status": "pass", "Message": "database is healthy", "Details": {"schema_version": 7}},
            "model-registry": {"Name": "model-registry", "Status": "fail", "Message": "no", "Details": {}},
            "meta": {"Name": "meta", "Status": "fail", "Message": "", "Details": null},
        }});
        assert_eq!(body, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_hangs_has_failed() {
        let health = Health::new().check("database", Scope::Storage, futures::future::pending);
        let response = probe(&health, "GET", "/readyz/isDirty").await;
        assert_eq!(response.status(), 503);
        assert_eq!(text(response).await, "database check gave no answer within 3 s");
    }

    #[tokio::test]
    async fn other_methods_are_refused() {
        let response = probe(&Health::new(), "POST", "/readyz/health").await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET,HEAD");
        assert_eq!(probe(&Health::new(), "HEAD", "/readyz/health").await.status(), 200);
    }
}
