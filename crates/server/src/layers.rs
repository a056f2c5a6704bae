//! The steps around every request, in this order:
//!
//! 1. Assign the request id (the caller's `x-request-id` or a new one) and a span.
//! 2. Answer a health probe, independent of load and of the host, because kubelet probes by address.
//! 3. Reject a host that is not allowed: 403 (DNS rebinding).
//! 4. Answer a CORS preflight. Reject a write from a web page of an origin that is not allowed: 403.
//! 5. A compressed body: 415. Too many concurrent requests: 503 (load shedding). A `Content-Length` over the limit: 413. A
//!    request with a body takes its place when the body is complete.
//! 6. Run the handler with a timeout; a panic in it or in an earlier step becomes a 500.
//! 7. Add the headers of a deprecated API.
//! 8. Take memory for the response until it is sent; none left: 503, but not after a write.
//! 9. Log the cause of a 500, add headers to the response, count it, write the access log.
//!
//! One function instead of a stack of a dozen layers, because the order matters.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use http::Method;
use http::header::{
    CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use model_registry_base::MemoryBudget;
use tokio::sync::Semaphore;
use tracing::{Instrument, Span, field};

use crate::ApiError;
use crate::body::{BodyLimit, DEFAULT_LIMIT};
use crate::error::{self, Failure};
use crate::health::{Health, Probe};
use crate::request::{REQUEST_ID, RequestContext, TimeLimit};
use crate::response;
use crate::telemetry::{self, Metrics, TraceContext};

mod allowed_hosts;
mod content_encoding;
mod cors;
mod cross_site;
mod deprecation;
mod request_body;
mod response_memory;

pub use allowed_hosts::{AllowedHosts, InvalidHostName};
pub use cors::Cors;
pub use deprecation::{Deprecation, Successor};
pub use request_body::BodyRate;

use request_body::BodyLimits;

/// Options of the layers.
pub struct Options {
    /// Timeout until the head of the response; a streamed body may take longer.
    pub request_timeout: Duration,
    /// Maximum size of a request body, in bytes.
    pub max_body: usize,
    /// Minimum rate of a request body; a slower one gets 408.
    pub body_rate: BodyRate,
    /// Maximum number of concurrent requests; more get 503. A request whose body is incomplete does not count.
    pub max_requests: usize,
    /// The memory of request bodies and responses; without a share of it, a request gets 503.
    pub memory: MemoryBudget,
    /// Allowed hosts; all by default.
    pub hosts: AllowedHosts,
    /// Allowed origins; none by default.
    pub cors: Cors,
    /// The APIs whose responses say that they will be removed.
    pub deprecations: Vec<Deprecation>,
    /// Health checks of the probes.
    pub health: Health,
    pub metrics: Option<Metrics>,
    /// Whether spans get the attributes of OpenTelemetry.
    pub traces: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_mins(1),
            max_body: DEFAULT_LIMIT,
            body_rate: BodyRate::default(),
            max_requests: 1024,
            memory: MemoryBudget::default(),
            hosts: AllowedHosts::any(),
            cors: Cors::default(),
            deprecations: Vec::new(),
            health: Health::default(),
            metrics: None,
            traces: false,
        }
    }
}

struct Shared {
    options: Options,
    body_limits: BodyLimits,
}

/// Adds the layers to a complete router.
pub fn wrap(router: Router, options: Options) -> Router {
    let body_limits = BodyLimits {
        size: options.max_body,
        rate: options.body_rate,
        memory: options.memory.clone(),
        places: Arc::new(Semaphore::new(options.max_requests.min(Semaphore::MAX_PERMITS))),
    };
    let shared = Arc::new(Shared { options, body_limits });
    router.layer(middleware::from_fn_with_state(shared, handle))
}

async fn handle(State(shared): State<Arc<Shared>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let context = RequestContext::new(request.headers());
    let span = tracing::info_span!(
        "request",
        request_id = context.id(),
        method = %request.method(),
        route = field::Empty,
        status = field::Empty,
        trace_id = field::Empty,
        otel.kind = field::Empty,
    );
    let trace = TraceContext::of(request.headers());
    if let Some(trace) = trace {
        span.record("trace_id", format!("{:032x}", trace.trace_id));
    }
    if shared.options.traces {
        telemetry::begin(&span, trace);
    }
    let line = AccessLine::new(&request);
    let origin = request.headers().get(ORIGIN).cloned();
    let _in_flight = shared.options.metrics.as_ref().map(Metrics::enter);
    request.extensions_mut().insert(context.clone());

    let mut response = async {
        // A panic, also one of a health check, becomes a response instead of a closed connection.
        let result = AssertUnwindSafe(respond(&shared, request, next, &context)).catch_unwind().await;
        let response = result
            .unwrap_or_else(|panic| ApiError::internal(format!("panic: {}", panic_text(&*panic))).into_response());
        let response = finish_failure(response, &context);
        let memory = &shared.options.memory.responses;
        match (line.is_probe(), response.status().is_success() && !line.method.is_safe()) {
            (true, _) => response,
            (false, false) => response_memory::hold(response, memory),
            (false, true) => response_memory::hold_written(response, memory).await,
        }
    }
    .instrument(span.clone())
    .await;

    if !line.is_probe() {
        shared.options.cors.decorate(origin, response.headers_mut());
    }
    decorate(response.headers_mut(), &context);
    let took = started.elapsed();
    let (route, status) = (context.route().unwrap_or("none"), response.status().as_u16());
    if let Some(metrics) = &shared.options.metrics {
        metrics.observe(route, &line.method, status, took);
    }
    if shared.options.traces {
        telemetry::describe(&span, line.method.as_str(), route, status);
    }
    line.write(&span, &context, route, status, took);
    response
}

async fn respond(shared: &Shared, request: Request, next: Next, context: &RequestContext) -> Response {
    let options = &shared.options;
    if let Some(probe) = Probe::of(request.uri().path()) {
        context.set_route(probe.route());
        return options.health.respond(probe, request).await;
    }
    if let Err(error) = options.hosts.check(&request) {
        return error.into_response();
    }
    if let Some(response) = options.cors.preflight(&request) {
        return response;
    }
    if let Err(error) = cross_site::check(&request, &options.cors) {
        return error.into_response();
    }
    if let Err(error) = content_encoding::check(&request) {
        return error.into_response();
    }
    let (mut request, admission) = match request_body::limit(request, &shared.body_limits) {
        Ok(admitted) => admitted,
        Err(error) => return error.into_response(),
    };
    request.extensions_mut().insert(BodyLimit(options.max_body));
    request.extensions_mut().insert(TimeLimit(options.request_timeout));
    let deprecated = options.deprecations.iter().find(|deprecation| deprecation.covers(request.uri().path()));
    let deprecated =
        deprecated.map(|deprecation| (deprecation, request.method().clone(), request.uri().path().to_owned()));
    let result = tokio::time::timeout(options.request_timeout, next.run(request)).await;
    let mut response = match (admission.error(&shared.body_limits), result) {
        // The handler does not know why the body ended.
        (Some(error), _) => error.into_response(),
        (None, Ok(response)) => response,
        (None, Err(_)) => ApiError::Timeout(options.request_timeout).into_response(),
    };
    if let Some((deprecation, method, path)) = deprecated {
        deprecation.decorate(method.as_str(), &path, context.route(), &mut response);
    }
    response
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// Logs the cause of a 500 and puts the request id into its message.
fn finish_failure(response: Response, context: &RequestContext) -> Response {
    let Some(failure) = response.extensions().get::<Failure>() else {
        return response;
    };
    tracing::error!(cause = failure.chain(), "request failed");
    let message = format!("internal error (request id {})", context.id());
    let reason = response.status().canonical_reason().unwrap_or("Error");
    response::json(response.status(), error::body(reason, &message))
}

fn decorate(headers: &mut HeaderMap, context: &RequestContext) {
    headers.insert(REQUEST_ID, context.id_header());
    let defaults: [(HeaderName, &'static str); 3] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // Not `no-store`: a response with an ETag may be cached if it is revalidated.
        (CACHE_CONTROL, "no-cache"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// A line of the access log. It excludes the query, which may contain secrets.
struct AccessLine {
    method: Method,
    path: String,
    peer: Option<std::net::SocketAddr>,
}

impl AccessLine {
    fn new(request: &Request) -> Self {
        let peer = request.extensions().get::<ConnectInfo<std::net::SocketAddr>>().map(|peer| peer.0);
        Self { method: request.method().clone(), path: request.uri().path().to_owned(), peer }
    }

    fn is_probe(&self) -> bool {
        Probe::of(&self.path).is_some()
    }

    fn write(self, span: &Span, context: &RequestContext, route: &str, status: u16, took: Duration) {
        span.record("route", route);
        span.record("status", status);
        let is_probe = self.is_probe() && status == 200;
        let latency_ms = took.as_secs_f64() * 1000.0;
        let Self { method, path, peer } = self;
        let (peer, user) = (peer.map(field::display), context.user());
        if is_probe {
            tracing::debug!(target: "access", parent: span, %method, path, peer, user, status, latency_ms, "request");
        } else {
            tracing::info!(target: "access", parent: span, %method, path, peer, user, status, latency_ms, "request");
        }
    }
}

#[cfg(test)]
mod tests;
