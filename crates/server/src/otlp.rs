//! Traces to an OpenTelemetry collector, by OTLP over HTTP (the cargo feature `otlp`).
//!
//! A thread of the exporter's own sends them in batches; a collector that is away costs nothing but the traces.

use std::time::Duration;

use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;

use crate::log::ExtraLayer;
use crate::trace_context::TraceContext;

/// What is sent where.
#[derive(Clone, Debug)]
pub struct Options {
    /// The collector, such as `http://collector:4318`.
    pub endpoint: String,
    /// Our name in traces.
    pub service_name: String,
    /// Our version in traces.
    pub service_version: &'static str,
    /// The share of requests that start a trace; a caller's decision is kept.
    pub sample_ratio: f64,
}

/// The connection to the collector. What is left is sent when it is dropped.
pub struct Traces(SdkTracerProvider);

impl Traces {
    /// Starts sending.
    pub fn start(options: &Options) -> Result<Self, ExporterBuildError> {
        let endpoint = format!("{}/v1/traces", options.endpoint.trim_end_matches('/'));
        let exporter =
            SpanExporter::builder().with_http().with_endpoint(endpoint).with_timeout(Duration::from_secs(5)).build()?;
        let resource = Resource::builder()
            .with_service_name(options.service_name.clone())
            .with_attribute(KeyValue::new("service.version", options.service_version))
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(options.sample_ratio)));
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .with_sampler(sampler)
            .build();
        Ok(Self(provider))
    }

    /// Returns what turns spans into traces.
    pub(crate) fn layer(&self) -> ExtraLayer {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("model-registry")).boxed()
    }
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(Duration::from_secs(5)) {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Begins a request's span, as part of its caller's trace if there is one. What is decided when a span begins cannot be
/// said later, so this comes before anything runs in it.
pub(crate) fn begin(span: &Span, caller: Option<TraceContext>) {
    span.record("otel.kind", "server");
    let Some(caller) = caller else { return };
    let flags = if caller.is_sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let trace_id = TraceId::from_bytes(caller.trace_id.to_be_bytes());
    let parent_id = SpanId::from_bytes(caller.parent_id.to_be_bytes());
    let remote = SpanContext::new(trace_id, parent_id, flags, true, TraceState::default());
    // Fails when nothing listens to spans, which is fine.
    let _ = span.set_parent(Context::new().with_remote_span_context(remote));
}

/// Describes a request's span by the conventions for HTTP servers.
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
    use std::sync::{Arc, Mutex};

    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::extract::Request;
    use axum::routing::{get, post};
    use tower::ServiceExt;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::{fallback, layers};

    /// Starts a collector and returns its address and what it receives.
    async fn collector() -> (String, Arc<Mutex<Vec<u8>>>) {
        let received = Arc::new(Mutex::new(Vec::new()));
        let into = Arc::clone(&received);
        let receive = move |body: Bytes| async move { into.lock().unwrap().extend_from_slice(&body) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/traces", post(receive))).await });
        (address, received)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_request_becomes_a_span_of_its_callers_trace() {
        let (endpoint, received) = collector().await;
        let options = Options {
            endpoint,
            service_name: "registry-under-test".to_owned(),
            service_version: "1.2.3",
            sample_ratio: 0.0,
        };
        let traces = Traces::start(&options).unwrap();
        let subscriber = tracing_subscriber::registry().with(traces.layer());
        let router = fallback::finish(Router::new().route("/things/{id}", get(|| async { "thing" })));
        let router = layers::wrap(router, layers::Options { traces: true, ..layers::Options::default() });
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
        tokio::task::spawn_blocking(move || drop(traces)).await.unwrap();

        let received = received.lock().unwrap().clone();
        let contains = |bytes: &[u8]| received.windows(bytes.len()).any(|window| window == bytes);
        assert!(contains(b"registry-under-test"));
        assert!(contains(b"GET /things/{id}"));
        assert!(contains(&0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736_u128.to_be_bytes()));
        assert!(contains(&0x00f0_67aa_0ba9_02b7_u64.to_be_bytes()));
        // The caller decided against this one.
        assert!(!contains(&0x1111_2222_3333_4444_5555_6666_7777_8888_u128.to_be_bytes()));
    }
}
