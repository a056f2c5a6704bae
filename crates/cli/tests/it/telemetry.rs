//! Traces and metrics of the running executable, at a collector.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::post;
use model_registry_testkit::Executable;
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Client, PROGRAM};

#[tokio::test]
async fn a_collector_that_is_named_gets_traces_and_metrics() {
    let received: Arc<Mutex<Vec<(String, Bytes)>>> = Arc::default();
    let into = Arc::clone(&received);
    let receive = post(async move |Path(signal): Path<String>, body: Bytes| into.lock().unwrap().push((signal, body)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    let serving =
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/v1/{signal}", receive)).await });

    let arguments = ["server", "--listen", "127.0.0.1:{port}", "--database", "sqlite:x.db"];
    let settings = ["--telemetry-otlp-endpoint", &collector, "--telemetry-service-name", "registry-under-test"];
    let mut server = Executable::launch(PROGRAM).arguments(arguments).arguments(settings).start().await.unwrap();
    Client::of(&server).create("registered_models", &json!({"name": "m"})).await;
    // What is left is sent before the end.
    assert!(server.terminate().await.unwrap().success(), "{}", server.log());
    serving.abort();

    let received = received.lock().unwrap();
    let contains = |signal: &str, text: &str| {
        let mut bodies = received.iter().filter(|(kind, _)| kind == signal).map(|(_, body)| body);
        bodies.any(|body| body.windows(text.len()).any(|window| window == text.as_bytes()))
    };
    for (signal, text) in [
        ("traces", "registry-under-test"),
        ("traces", "POST /api/model_registry/v1alpha3/registered_models"),
        ("metrics", "registry-under-test"),
        ("metrics", "http.server.request.duration"),
        ("metrics", "model_registry.database_statements"),
    ] {
        assert!(contains(signal, text), "{signal} without {text}\n{}", server.log());
    }
}
