//! Prometheus metrics: request counters, and gauges and counters that other modules add.
//!
//! The registry is not global: a [`Metrics`] is created once and passed to the modules, so that tests are independent.
//! Requests are labelled by route pattern instead of URL, which would have unlimited cardinality.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric, prometheus_text, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Buckets in seconds, from a primary-key read to the request timeout.
pub(crate) const BUCKETS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0];

const OPENMETRICS: &str = "application/openmetrics-text";

/// A text format of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsFormat {
    /// The format of every scraper.
    Prometheus,
    /// The format that Prometheus requests by `Accept`.
    OpenMetrics,
}

impl MetricsFormat {
    /// Content negotiation.
    fn accepted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
        if accepted.flat_map(|value| value.split(',')).any(|kind| kind.trim_start().starts_with(OPENMETRICS)) {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    fn content_type(self) -> HeaderValue {
        match self {
            Self::Prometheus => HeaderValue::from_static(prometheus_text::CONTENT_TYPE),
            Self::OpenMetrics => HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8"),
        }
    }
}

/// The metrics of one process; cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: Mutex<Registry>,
    /// The metrics of the process, whose names have another prefix.
    process: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<DurationLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    /// The gauges and counters of other modules, for the export to a collector.
    external: Mutex<Vec<ExternalMetric>>,
    exported_durations: std::sync::OnceLock<opentelemetry::metrics::Histogram<f64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DurationLabels {
    route: String,
    method: String,
}

impl Metrics {
    /// Creates the registry; `build` holds the labels of `build_info`, such as `[("version", "1.2.3")]`.
    pub fn new(build: &[(&'static str, String)]) -> Self {
        let mut registry = Registry::with_prefix("model_registry");
        let requests = Family::<RequestLabels, Counter>::default();
        let durations = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> Histogram);
        let in_flight = Gauge::default();
        registry.register("build", "Version of the server", Info::new(build.to_vec()));
        registry.register("http_requests", "HTTP requests by route, method and status", requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time until the head of the response, in seconds",
            durations.clone(),
        );
        registry.register("http_requests_in_flight", "HTTP requests in flight", in_flight.clone());
        Self(Arc::new(Inner {
            registry: Mutex::new(registry),
            process: super::process::registry(),
            requests,
            durations,
            in_flight,
            external: Mutex::default(),
            exported_durations: std::sync::OnceLock::new(),
        }))
    }

    /// Adds a gauge, read at each scrape. Its name gets the prefix `model_registry_`.
    pub fn gauge(&self, name: &'static str, help: &'static str, read: impl Fn() -> f64 + Send + Sync + 'static) {
        self.collect(name, help, Reading::Gauge(Arc::new(read)));
    }

    /// Adds a counter, read at each scrape. Its name gets the prefix `model_registry_` and the suffix `_total`.
    pub fn counter(&self, name: &'static str, help: &'static str, read: impl Fn() -> u64 + Send + Sync + 'static) {
        self.collect(name, help, Reading::Counter(Arc::new(read)));
    }

    /// Registers metrics with labels.
    pub fn register(&self, register: impl FnOnce(&mut Registry)) {
        register(&mut self.0.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Encodes all metrics.
    pub fn encode(&self, format: MetricsFormat) -> Result<String, fmt::Error> {
        let mut encoded = String::new();
        let registry = self.0.registry.lock().unwrap_or_else(PoisonError::into_inner);
        match format {
            MetricsFormat::Prometheus => {
                prometheus_text::encode(&mut encoded, &registry)?;
                prometheus_text::encode(&mut encoded, &self.0.process)?;
            }
            MetricsFormat::OpenMetrics => {
                text::encode_registry(&mut encoded, &registry)?;
                text::encode_registry(&mut encoded, &self.0.process)?;
                text::encode_eof(&mut encoded)?;
            }
        }
        Ok(encoded)
    }

    /// A router with the route `/metrics`.
    pub fn router(&self) -> Router {
        let metrics = self.clone();
        Router::new().route("/metrics", get(move |headers: HeaderMap| async move { metrics.respond(&headers) }))
    }

    fn respond(&self, headers: &HeaderMap) -> Response {
        let format = MetricsFormat::accepted(headers);
        match self.encode(format) {
            Ok(text) => ([(CONTENT_TYPE, format.content_type())], text).into_response(),
            Err(error) => crate::ApiError::internal(error).into_response(),
        }
    }

    fn collect(&self, name: &'static str, help: &'static str, reading: Reading) {
        let metric = ExternalMetric { name, help, reading };
        self.0.external.lock().unwrap_or_else(PoisonError::into_inner).push(metric.clone());
        self.register(|registry| registry.register_collector(Box::new(metric)));
    }

    pub(crate) fn external_metrics(&self) -> Vec<ExternalMetric> {
        self.0.external.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records the durations of requests in this histogram as well.
    pub(crate) fn export_durations(&self, histogram: opentelemetry::metrics::Histogram<f64>) {
        let _ = self.0.exported_durations.set(histogram);
    }

    /// Counts a request in flight until the guard is dropped.
    pub(crate) fn enter(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.0.in_flight.clone())
    }

    pub(crate) fn observe(&self, route: &str, method: &Method, status: u16, took: Duration) {
        if let Some(histogram) = self.0.exported_durations.get() {
            super::collector::observe(histogram, route, method_label(method), status, took);
        }
        let (route, method) = (route.to_owned(), method_label(method).to_owned());
        let labels = DurationLabels { route: route.clone(), method: method.clone() };
        self.0.durations.get_or_create(&labels).observe(took.as_secs_f64());
        self.0.requests.get_or_create(&RequestLabels { route, method, status }).inc();
    }
}

/// The label of a method; clients may send any method, so unknown ones are `other`.
fn method_label(method: &Method) -> &str {
    match *method {
        Method::GET | Method::HEAD | Method::POST | Method::PATCH | Method::PUT | Method::DELETE | Method::OPTIONS => {
            method.as_str()
        }
        _ => "other",
    }
}

/// Guard of a request in flight.
pub(crate) struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The function that reads a value.
#[derive(Clone)]
pub(crate) enum Reading {
    Gauge(Arc<dyn Fn() -> f64 + Send + Sync>),
    Counter(Arc<dyn Fn() -> u64 + Send + Sync>),
}

/// A gauge or counter of another module.
#[derive(Clone)]
pub(crate) struct ExternalMetric {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) reading: Reading,
}

impl fmt::Debug for ExternalMetric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Collector for ExternalMetric {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        match &self.reading {
            Reading::Gauge(read) => {
                let metric = ConstGauge::<f64>::new(read());
                metric.encode(encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?)
            }
            Reading::Counter(read) => {
                let metric = ConstCounter::<u64>::new(read());
                metric.encode(encoder.encode_descriptor(self.name, self.help, None, MetricType::Counter)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use tower::ServiceExt;

    use super::*;
    use crate::response::tests::text;
    use crate::{fallback, layers};

    #[tokio::test]
    async fn requests_are_counted_by_route_method_and_status() {
        let metrics = Metrics::new(&[("version", "1.2.3".to_owned())]);
        metrics.gauge("pool_connections", "Connections", || 3.0);
        metrics.counter("statements", "Statements sent", || 42);
        let router = Router::new().route("/things/{id}", get(|| async { "thing" })).merge(metrics.router());
        let options = layers::Options { metrics: Some(metrics.clone()), ..layers::Options::default() };
        let router = layers::wrap(fallback::finish(router), options);
        for (method, path) in [
            ("GET", "/things/1"),
            ("GET", "/things/2"),
            ("BREW", "/things/2"),
            ("GET", "/x/y"),
            ("GET", "/a/readyz/health"),
        ] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap();
        }
        // The header that Prometheus sends.
        let accept = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        let request = Request::get("/metrics").header("accept", accept).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], MetricsFormat::OpenMetrics.content_type());
        let text = text(response).await;
        for line in [
            r#"model_registry_build_info{version="1.2.3"} 1"#,
            r#"model_registry_http_requests_total{route="/things/{id}",method="GET",status="200"} 2"#,
            r#"model_registry_http_requests_total{route="/things/{id}",method="other",status="405"} 1"#,
            r#"model_registry_http_requests_total{route="none",method="GET",status="404"} 1"#,
            r#"model_registry_http_requests_total{route="/readyz/health",method="GET",status="200"} 1"#,
            r#"model_registry_http_request_duration_seconds_count{route="/things/{id}",method="GET"} 2"#,
            "model_registry_http_requests_in_flight 1",
            "model_registry_pool_connections 3.0",
            "model_registry_statements_total 42",
            "# EOF",
        ] {
            assert!(text.lines().any(|actual| actual == line), "{line}\n{text}");
        }
        assert_eq!(text.matches("# EOF").count(), 1);
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|value| value.parse::<f64>().ok()).unwrap_or_else(|| panic!("{name}\n{text}"))
        };
        for name in [
            "process_virtual_memory_bytes",
            "process_resident_memory_bytes",
            "process_threads",
            "process_open_fds",
            "process_max_fds",
        ] {
            assert!(value(name) >= 1.0, "{name}");
        }
        assert!(value("process_cpu_seconds_total") >= 0.0);
        assert!(value("process_start_time_seconds") > 1.7e9);
        let request = Request::get("/metrics").header("accept", "*/*").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        let plain = crate::response::tests::text(response).await;
        assert!(plain.contains("# TYPE model_registry_http_requests_total counter\n"), "{plain}");
        assert!(plain.contains("\nmodel_registry_statements_total 42\n"), "{plain}");
    }
}
