//! Health probes. A check that does not complete within a timeout fails.
//!
//! * `/livez`, and `/healthz` as JSON (parity): 200 while the process runs.
//! * any path that ends in `/readyz/isDirty`: the checks of [`Scope::Storage`] (parity).
//! * any path that ends in `/readyz/health`, and `/readyz`: all checks.
//!
//! The body is `OK` or the message of the first failure; with `?format=json`, a document with every check. `/readyz` of a
//! server with plugins is a short JSON document instead (parity): see [`Health::plugins`].

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

/// Timeout of a check. The timeout of kubelet is one second by default; the manifests set five.
const CHECK_TIMEOUT: Duration = Duration::from_secs(3);

/// The subject of a check, which determines the probes that run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The database is reachable and its schema usable.
    Storage,
    /// The service is ready for requests.
    Service,
}

/// The result of a check.
#[derive(Clone, Debug)]
pub struct Outcome {
    is_healthy: bool,
    message: String,
    details: Map<String, Value>,
}

impl Outcome {
    /// A passed check.
    pub fn pass(message: impl Into<String>) -> Self {
        Self { is_healthy: true, message: message.into(), details: Map::new() }
    }

    /// A failed check; the message tells an operator what to fix.
    pub fn fail(message: impl Into<String>) -> Self {
        Self { is_healthy: false, ..Self::pass(message) }
    }

    pub fn is_healthy(&self) -> bool {
        self.is_healthy
    }

    /// Adds a detail, shown with `?format=json`.
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

/// The checks of a server, in order.
#[derive(Default)]
pub struct Health {
    checks: Vec<Check>,
    plugins: Vec<&'static str>,
}

/// The probe of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    Live,
    /// The same in JSON.
    Alive,
    Storage,
    Everything,
    /// The same for a server with plugins in JSON.
    Ready,
}

impl Probe {
    /// The probe of a path, if it is one.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            "/livez" => Some(Self::Live),
            "/healthz" => Some(Self::Alive),
            "/readyz" => Some(Self::Ready),
            _ if path.ends_with("/readyz/isDirty") => Some(Self::Storage),
            _ if path.ends_with("/readyz/health") => Some(Self::Everything),
            _ => None,
        }
    }

    /// The route in logs and metrics, without the prefix, which the caller may choose.
    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Live => "/livez",
            Self::Alive => "/healthz",
            Self::Ready => "/readyz",
            Self::Storage => "/readyz/isDirty",
            Self::Everything => "/readyz/health",
        }
    }
}

impl Health {
    /// No checks: always ready.
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

    /// Names the parts of a server that `/readyz` reports on. parity: each is a plugin in the Kubeflow Model Catalog; here they
    /// are ready together.
    #[must_use]
    pub fn plugins(mut self, names: impl IntoIterator<Item = &'static str>) -> Self {
        self.plugins.extend(names);
        self
    }

    /// Responds to a probe.
    pub(crate) async fn respond(&self, probe: Probe, request: Request) -> Response {
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
        match probe {
            Probe::Alive => return response::json(status, serde_json::json!({"status": "ok"}).to_string()),
            Probe::Ready if !self.plugins.is_empty() => {
                return response::json(status, self.readiness(failure.map(|(_, outcome)| outcome.message.as_str())));
            }
            _ => {}
        }
        let text = failure.map_or("OK", |(_, outcome)| outcome.message.as_str());
        (status, text.to_owned()).into_response()
    }

    fn readiness(&self, failure: Option<&str>) -> String {
        let plugins: Map<String, Value> =
            self.plugins.iter().map(|name| ((*name).to_owned(), failure.is_none().into())).collect();
        let mut body = serde_json::json!({"plugins": plugins, "status": "ready"});
        if let Some(failure) = failure {
            body["status"] = "not_ready".into();
            body["message"] = failure.into();
        }
        body.to_string()
    }

    async fn outcomes(&self, probe: Probe) -> Vec<(&'static str, Outcome)> {
        let applies = |check: &&Check| match probe {
            Probe::Live | Probe::Alive => false,
            Probe::Storage => check.scope == Scope::Storage,
            Probe::Everything | Probe::Ready => true,
        };
        join_all(self.checks.iter().filter(applies).map(|check| async {
            let outcome = tokio::time::timeout(CHECK_TIMEOUT, (check.run)()).await;
            let outcome = outcome.unwrap_or_else(|_| {
                let seconds = CHECK_TIMEOUT.as_secs();
                Outcome::fail(format!("{} check timed out after {seconds} s", check.name))
            });
            (check.name, outcome)
        }))
        .await
    }
}

// parity: the keys of a check are capitalized, the others are not.
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

#[expect(clippy::disallowed_methods, reason = "the time is shown to people; no decision depends on it")]
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
        health.respond(probe, request).await
    }

    #[tokio::test]
    async fn probes_respond_under_any_prefix() {
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
    async fn a_failed_check_is_reported_and_does_not_affect_liveness() {
        let health = health(Outcome::pass("fine"), Outcome::fail("still migrating"));
        let response = probe(&health, "GET", "/readyz/health").await;
        assert_eq!(response.status(), 503);
        assert_eq!(text(response).await, "still migrating");
        assert_eq!(probe(&health, "GET", "/readyz/isDirty").await.status(), 200);
        assert_eq!(probe(&health, "GET", "/livez").await.status(), 200);
    }

    #[tokio::test]
    async fn the_json_format_has_every_check() {
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

    #[tokio::test]
    async fn a_server_with_plugins_reports_on_them() {
        let ready = health(Outcome::pass("fine"), Outcome::pass("fine")).plugins(["model", "agent"]);
        let response = probe(&ready, "GET", "/readyz").await;
        assert!(content_type(&response).starts_with("application/json"));
        assert_eq!(text(response).await, r#"{"plugins":{"agent":true,"model":true},"status":"ready"}"#);
        assert_eq!(text(probe(&ready, "GET", "/readyz/health").await).await, "OK");
        let loading = health(Outcome::pass("fine"), Outcome::fail("not loaded")).plugins(["model"]);
        let response = probe(&loading, "GET", "/readyz").await;
        assert_eq!(response.status(), 503);
        let expected = r#"{"message":"not loaded","plugins":{"model":false},"status":"not_ready"}"#;
        assert_eq!(text(response).await, expected);
        let response = probe(&loading, "GET", "/healthz").await;
        assert_eq!((response.status().as_u16(), text(response).await), (200, r#"{"status":"ok"}"#.to_owned()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hanging_check_fails() {
        let health = Health::new().check("database", Scope::Storage, futures::future::pending);
        let response = probe(&health, "GET", "/readyz/isDirty").await;
        assert_eq!(response.status(), 503);
        assert_eq!(text(response).await, "database check timed out after 3 s");
    }

    #[tokio::test]
    async fn other_methods_are_rejected() {
        let response = probe(&Health::new(), "POST", "/readyz/health").await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET,HEAD");
        assert_eq!(probe(&Health::new(), "HEAD", "/readyz/health").await.status(), 200);
    }
}
