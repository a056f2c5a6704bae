//! The log lines of requests.
//!
//! A separate test binary: tracing caches per process whether a call site is enabled, so tests in other threads without
//! a subscriber would disable it.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{get, post};
use model_registry_server::layers::{Options, wrap};
use model_registry_server::{ApiError, JsonBody, fallback};
use tower::ServiceExt;

fn server(options: Options) -> Router {
    let router = Router::new()
        .route("/things/{id}", get(|| async { "thing" }))
        .route("/broken", get(|| async { ApiError::internal("secret cause") }))
        .route("/echo", post(|body: JsonBody| async { body.0 }));
    wrap(fallback::finish(router), options)
}

async fn send(router: &Router, request: http::request::Builder, body: impl Into<Body>) {
    router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
}

/// A writer that collects log lines.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn log_lines_contain_the_request_id_and_no_secret() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let request = Request::get("/things/1?token=planted-in-query&filterQuery=planted-in-filter")
        .header("authorization", "Bearer planted-in-header")
        .header("cookie", "planted-in-cookie")
        .header("x-request-id", "r1");
    send(&server(Options::default()), request, "").await;
    let request = Request::post("/echo").header("authorization", "Bearer planted-in-header");
    send(&server(Options::default()), request, r#"{"password":"planted-in-body"}"#).await;
    let broken = Request::get("/broken").header("x-request-id", "r2");
    send(&server(Options::default()), broken, "").await;

    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("planted"), "{text}");
    let line = |id: &str, target: &str| {
        let is_line = |line: &serde_json::Value| line["span"]["request_id"] == id && line["target"] == target;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).find(is_line).unwrap()
    };
    let access: serde_json::Value = line("r1", "access");
    assert_eq!(access["span"]["route"], "/things/{id}");
    assert_eq!(access["path"], "/things/1");
    assert_eq!(access["status"], 200);
    assert!(access["latency_ms"].is_number());
    assert_eq!(line("r2", "model_registry_server::layers")["cause"], "secret cause");
}
