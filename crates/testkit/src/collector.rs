//! A stand-in for an OpenTelemetry collector: takes what is sent by OTLP over HTTP, and tells what is in it.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::post;
use tokio::net::TcpListener;

use crate::error::Result;

/// A collector on a port of its own.
pub struct CollectorServer {
    base_url: String,
    received: Received,
}

/// Bodies, each with the signal it came for: `traces`, `metrics`.
type Received = Arc<Mutex<Vec<(String, Bytes)>>>;

impl CollectorServer {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let received = Received::default();
        let into = Arc::clone(&received);
        let receive = post(async move |Path(signal): Path<String>, body: Bytes| {
            into.lock().unwrap_or_else(PoisonError::into_inner).push((signal, body));
        });
        let router = Router::new().route("/v1/{signal}", receive);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base_url, received })
    }

    /// Without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Whether these bytes came for a signal. Texts and ids stand in the messages as they are.
    pub fn has_received(&self, signal: &str, bytes: &[u8]) -> bool {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bodies = received.iter().filter(|(kind, _)| kind == signal).map(|(_, body)| body);
        bodies.any(|body| body.windows(bytes.len()).any(|window| window == bytes))
    }
}
