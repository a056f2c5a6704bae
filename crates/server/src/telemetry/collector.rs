//! Exports traces and metrics to an OpenTelemetry collector (OTLP over HTTP), if one is configured.
//!
//! The exporters send batches from their own threads; while the collector is unreachable, data is dropped.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use opentelemetry::metrics::{Histogram, MeterProvider as _};
use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, MetricExporter, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;

use super::TraceContext;
use super::log::ExtraLayer;
use super::prometheus::{BUCKETS, Metrics, Reading};

/// Name of the instrumentation scope.
const SCOPE: &str = "model-registry";
/// Timeout of requests to the collector.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Options of the export.
#[derive(Clone, Debug)]
pub struct CollectorOptions {
    /// URL of the collector, such as `http://collector:4318`; it may contain credentials.
    pub endpoint: String,
    /// `service.name` of traces and metrics.
    pub service_name: String,
    /// `service.version` of traces and metrics.
    pub service_version: &'static str,
    /// Fraction of requests that start a trace; the sampling decision of a caller takes precedence.
    pub sample_ratio: f64,
}

/// The exporters; dropping it sends pending data.
pub struct Collector {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
}

impl Collector {
    /// Starts the exporters.
    pub fn start(options: &CollectorOptions) -> Result<Self, ExporterBuildError> {
        let (endpoint, headers) = credentials(&options.endpoint);
        let url = |path: &str| format!("{}{path}", endpoint.trim_end_matches('/'));
        let spans = SpanExporter::builder().with_http().with_headers(headers.clone());
        let spans = spans.with_endpoint(url("/v1/traces")).with_timeout(TIMEOUT).build()?;
        let measurements = MetricExporter::builder().with_http().with_headers(headers);
        let measurements = measurements.with_endpoint(url("/v1/metrics")).with_timeout(TIMEOUT).build()?;
        let resource = Resource::builder()
            .with_service_name(options.service_name.clone())
            .with_attribute(KeyValue::new("service.version", options.service_version))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(options.sample_ratio)));
        let traces = SdkTracerProvider::builder()
            .with_batch_exporter(spans)
            .with_resource(resource.clone())
            .with_sampler(sampler)
            .build();
        let metrics = SdkMeterProvider::builder().with_periodic_exporter(measurements).with_resource(resource).build();
        Ok(Self { traces, metrics })
    }

    /// The tracing layer that exports spans.
    pub(crate) fn layer(&self) -> ExtraLayer {
        tracing_opentelemetry::layer().with_tracer(self.traces.tracer(SCOPE)).boxed()
    }

    /// Exports metrics: request durations, and the gauges and counters added so far.
    pub fn export(&self, metrics: &Metrics) {
        let meter = self.metrics.meter(SCOPE);
        let durations = meter.f64_histogram("http.server.request.duration").with_unit("s");
        metrics.export_durations(durations.with_boundaries(BUCKETS.to_vec()).build());
        for source in metrics.external_metrics() {
            let name = format!("model_registry.{}", source.name);
            match source.reading {
                Reading::Gauge(read) => {
                    let gauge = meter.f64_observable_gauge(name).with_description(source.help);
                    gauge.with_callback(move |observer| observer.observe(read(), &[])).build();
                }
                Reading::Counter(read) => {
                    let counter = meter.u64_observable_counter(name).with_description(source.help);
                    counter.with_callback(move |observer| observer.observe(read(), &[])).build();
                }
            }
        }
    }
}

/// Moves user and password from the URL into a header: the exporters would log them and not send them.
fn credentials(endpoint: &str) -> (String, HashMap<String, String>) {
    let mut headers = HashMap::new();
    let Ok(mut url) = Url::parse(endpoint) else { return (endpoint.to_owned(), headers) };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let (user, password) = (decoded(url.username()), decoded(url.password().unwrap_or_default()));
    if user.is_empty() && password.is_empty() {
        return (endpoint.to_owned(), headers);
    }
    // These cannot fail for a URL with credentials.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    let value = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
    headers.insert("authorization".to_owned(), value);
    (url.to_string(), headers)
}

impl Drop for Collector {
    fn drop(&mut self) {
        let traces = self.traces.shutdown_with_timeout(TIMEOUT);
        let metrics = self.metrics.shutdown_with_timeout(TIMEOUT);
        if let Err(error) = traces.and(metrics) {
            tracing::warn!(%error, "the last traces or metrics could not be sent");
        }
    }
}

/// Records the duration of a request by OpenTelemetry's semantic conventions for HTTP servers.
pub(crate) fn observe(histogram: &Histogram<f64>, route: &str, method: &str, status: u16, took: Duration) {
    let labels = [
        KeyValue::new("http.route", route.to_owned()),
        KeyValue::new("http.request.method", method.to_owned()),
        KeyValue::new("http.response.status_code", i64::from(status)),
    ];
    histogram.record(took.as_secs_f64(), &labels);
}

/// Makes the span of a request part of its caller's trace. Sampling is decided when the span starts, so this has to be
/// called before anything runs in it.
pub(crate) fn begin(span: &Span, caller: Option<TraceContext>) {
    span.record("otel.kind", "server");
    let Some(caller) = caller else { return };
    let flags = if caller.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let trace_id = TraceId::from_bytes(caller.trace_id.to_be_bytes());
    let parent_id = SpanId::from_bytes(caller.parent_id.to_be_bytes());
    let remote = SpanContext::new(trace_id, parent_id, flags, true, TraceState::default());
    // Fails without a trace exporter, which is fine.
    let _ = span.set_parent(Context::new().with_remote_span_context(remote));
}

/// Sets the attributes of a request's span by the semantic conventions for HTTP servers.
pub(crate) fn describe(span: &Span, method: &str, route: &str, status: u16) {
    span.context().span().update_name(format!("{method} {route}"));
    span.set_attribute("http.request.method", method.to_owned());
    span.set_attribute("http.route", route.to_owned());
    span.set_attribute("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.set_status(Status::error("server error"));
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::Request;
    use axum::routing::get;
    use model_registry_testkit::CollectorServer;
    use tower::ServiceExt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::{fallback, layers};

    #[test]
    fn credentials_become_a_header() {
        assert_eq!(credentials("http://collector:4318"), ("http://collector:4318".to_owned(), HashMap::new()));
        let (url, headers) = credentials("https://u:p%40ss@collector:4318/otlp");
        assert_eq!(url, "https://collector:4318/otlp");
        assert_eq!(headers["authorization"], "Basic dTpwQHNz");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_request_is_exported_as_a_span_of_its_callers_trace_and_as_a_metric() {
        let receiver = CollectorServer::start().await.unwrap();
        let options = CollectorOptions {
            endpoint: receiver.base_url().replace("//", "//u:secret@"),
            service_name: "registry-under-test".to_owned(),
            service_version: "1.2.3",
            sample_ratio: 0.0,
        };
        let collector = Collector::start(&options).unwrap();
        let metrics = Metrics::new(&[]);
        metrics.gauge("pool_connections", "Connections", || 3.0);
        metrics.counter("statements", "Statements sent", || 42);
        collector.export(&metrics);
        let subscriber = tracing_subscriber::registry().with(collector.layer());
        let router = fallback::finish(Router::new().route("/things/{id}", get(|| async { "thing" })));
        let router = layers::wrap(
            router,
            layers::Options { traces: true, metrics: Some(metrics), ..layers::Options::default() },
        );
        {
            let _guard = tracing::subscriber::set_default(subscriber);
            for (trace, flag) in
                [("4bf92f3577b34da6a3ce929d0e0e4736", "01"), ("11112222333344445555666677778888", "00")]
            {
                let request = Request::get("/things/1")
                    .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-{flag}"))
                    .body(Body::empty())
                    .unwrap();
                router.clone().oneshot(request).await.unwrap();
            }
        }
        tokio::task::spawn_blocking(move || drop(collector)).await.unwrap();

        assert!(receiver.has_received("traces", b"registry-under-test"));
        assert_eq!(receiver.authorizations().into_iter().collect::<Vec<_>>(), ["Basic dTpzZWNyZXQ="]);
        assert!(receiver.has_received("traces", b"GET /things/{id}"));
        for name in ["http.server.request.duration", "model_registry.pool_connections", "model_registry.statements"] {
            assert!(receiver.has_received("metrics", name.as_bytes()), "{name}");
        }
        assert!(receiver.has_received("traces", &0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()));
        assert!(receiver.has_received("traces", &0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()));
        // Its caller decided not to sample this trace.
        assert!(!receiver.has_received("traces", &0x1111_2222_3333_4444_5555_6666_7777_8888_u128.to_be_bytes()));
    }
}
