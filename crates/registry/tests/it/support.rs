//! The API over a fresh database, called without a socket.

pub(crate) mod entities;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use model_registry_base::{Clock, Environment};
use model_registry_registry::Registry;
use model_registry_server::auth::{self, Auth, Authenticator, Policy, Role, Rules, TokenFile};
use model_registry_server::config::{Group, Inputs, SETTINGS, Schema};
use model_registry_server::health::Health;
use model_registry_server::{fallback, layers};
use model_registry_store::{DatabaseUrl, PlanLimits, PoolOptions, Store};
use model_registry_testkit::{Backend, TestDatabase};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use serde_json::Value;
use tower::ServiceExt;

/// Start of the test clock, in milliseconds since the Unix epoch.
pub(crate) const START: i64 = 1_700_000_000_000;

/// A clock that only the test advances.
pub(crate) struct Time(Arc<AtomicI64>);

impl Time {
    pub(crate) fn start() -> Self {
        Self(Arc::new(AtomicI64::new(START)))
    }

    pub(crate) fn clock(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Clock::new(move || now.load(Ordering::SeqCst))
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.0.fetch_add(i64::try_from(duration.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn reset(&self) {
        self.0.store(START, Ordering::SeqCst);
    }
}

/// The registry on a database of its own.
pub(crate) struct Api {
    pub(crate) router: Router,
    pub(crate) store: Store,
    // Dropped last: the database goes with it.
    pub(crate) database: Arc<TestDatabase>,
}

/// A response with its whole body.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: http::HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Response {
    /// The body as JSON; panics if it is not JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.bytes)))
    }

    pub(crate) fn message(&self) -> String {
        self.json()["message"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn etag(&self) -> String {
        self.headers["etag"].to_str().unwrap().to_owned()
    }

    /// The `id` of the entity in the body.
    pub(crate) fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.json())).to_owned()
    }

    /// The names of the listed items.
    pub(crate) fn names(&self) -> Vec<String> {
        let json = self.json();
        let items = json["items"].as_array().unwrap_or_else(|| panic!("no items: {json}"));
        items.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

impl Api {
    pub(crate) async fn on(backend: Backend) -> Self {
        Self::with_clock(backend, Clock::stepping(START)).await
    }

    pub(crate) async fn with_clock(backend: Backend, clock: Clock) -> Self {
        Self::with_options(backend, clock, layers::Options::default()).await
    }

    /// An API with the layers of a server that was started with these flags.
    pub(crate) async fn with_flags(backend: Backend, clock: Clock, flags: &[String]) -> Self {
        let schema = Schema::new(&[SETTINGS]);
        let command = schema.attach(clap::Command::new("proxy"), &Group::ALL);
        let arguments = command.get_matches_from(std::iter::once("proxy").chain(flags.iter().map(String::as_str)));
        let environment = Environment::default();
        let inputs = Inputs { arguments: &arguments, environment: &environment, default_file: None };
        let settings = schema.load(&inputs).unwrap();
        let sunset = settings.alpha_sunset();
        let deprecations = sunset.as_deref().map(model_registry_registry::alpha_deprecation).into_iter().collect();
        let options = layers::Options { deprecations, ..settings.layer_options(Health::new()) };
        Self::with_options(backend, clock, options).await
    }

    async fn with_options(backend: Backend, clock: Clock, options: layers::Options) -> Self {
        let database = TestDatabase::create(backend).await.unwrap();
        Self::over(Arc::new(database), clock, options).await
    }

    /// An API with token authentication; the token of each user is the user name.
    pub(crate) async fn of_users(backend: Backend, users: &[&str]) -> Self {
        let Self { router, store, database } = Self::on(backend).await;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        for user in users {
            writeln!(file, "[[tokens]]\nuser = \"{user}\"\nsha256 = \"{}\"", auth::hash_token(user)).unwrap();
        }
        let auth = Auth {
            authenticator: Authenticator::Tokens(TokenFile::load(file.path()).unwrap()),
            policy: Policy::Uniform(Role::Writer),
            rules: Rules::new(&[auth::DEFAULT_RULES]),
        };
        Self { router: auth::protect(router, auth), store, database }
    }

    /// The same API for callers with a role, without authentication.
    pub(crate) fn for_role(&self, role: Role) -> Self {
        let auth = Auth {
            authenticator: Authenticator::Anonymous,
            policy: Policy::Uniform(role),
            rules: Rules::new(&[auth::DEFAULT_RULES]),
        };
        let router = auth::protect(self.router.clone(), auth);
        Self { router, store: self.store.clone(), database: Arc::clone(&self.database) }
    }

    /// A second replica on the same database.
    pub(crate) async fn replica(&self) -> Self {
        let options = layers::Options::default();
        Self::over(Arc::clone(&self.database), self.store.clock().clone(), options).await
    }

    /// A replica that reads filtered lists in other ways.
    pub(crate) fn with_plan_limits(&self, limits: PlanLimits) -> Self {
        let store = self.store.clone().with_plan_limits(limits);
        Self::of_store(Arc::clone(&self.database), store, layers::Options::default())
    }

    async fn over(database: Arc<TestDatabase>, clock: Clock, options: layers::Options) -> Self {
        let source: DatabaseUrl = database.url().parse().unwrap();
        let store = Store::connect(&source, PoolOptions::default(), clock).await.unwrap();
        Self::of_store(database, store, options)
    }

    fn of_store(database: Arc<TestDatabase>, store: Store, options: layers::Options) -> Self {
        let routes = fallback::finish(model_registry_registry::router(Registry::new(store.clone())));
        let router = layers::wrap(routes, options);
        Self { router, store, database }
    }

    /// Sends a request and returns the body as a stream.
    pub(crate) async fn open(&self, request: Request<Body>) -> (http::response::Parts, Body) {
        self.router.clone().oneshot(request).await.unwrap().into_parts()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Response {
        let (parts, body) = self.open(request).await;
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Response { status: parts.status.as_u16(), headers: parts.headers, bytes }
    }

    /// Sends a request with headers; the path is below v1alpha3 unless it starts with a slash.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Response {
        let uri = if path.starts_with('/') { path.to_owned() } else { format!("/api/model_registry/v1alpha3/{path}") };
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map_or_else(Body::empty, |value| Body::from(value.to_string()));
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.call("GET", path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Response {
        self.call("POST", path, &[], Some(body)).await
    }

    pub(crate) async fn patch(&self, path: &str, body: Value) -> Response {
        self.call("PATCH", path, &[], Some(body)).await
    }

    /// Creates an entity and returns its id.
    pub(crate) async fn create(&self, path: &str, body: Value) -> String {
        let response = self.post(path, body).await;
        assert_eq!(response.status, 201, "{}", String::from_utf8_lossy(&response.bytes));
        response.id()
    }

    /// The number of SQL statements that `call` runs, and its response.
    pub(crate) async fn statements(&self, call: impl Future<Output = Response>) -> (u64, Response) {
        let database = self.store.database().unwrap();
        let before = database.statements();
        let response = call.await;
        (database.statements() - before, response)
    }
}

/// A generator of random values whose seed is printed, and set by `MR_TEST_SEED`.
pub(crate) fn random_values() -> TestRunner {
    let rng_seed = RngSeed::Fixed(model_registry_testkit::seed());
    TestRunner::new(Config { rng_seed, ..Config::default() })
}

/// Percent-encodes a query value.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len() * 3), |mut encoded, byte| {
        let _ = if byte.is_ascii_alphanumeric() {
            write!(encoded, "{}", char::from(byte))
        } else {
            write!(encoded, "%{byte:02X}")
        };
        encoded
    })
}
