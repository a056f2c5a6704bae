//! A fake OpenTelemetry collector: receives OTLP over HTTP and keeps the messages for assertions.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::post;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use tokio::net::TcpListener;

use crate::error::Result;

/// A running collector, on its own port.
pub struct CollectorServer {
    base_url: String,
    received: Received,
}

type Received = Arc<Mutex<Vec<Message>>>;

struct Message {
    /// `traces` or `metrics`.
    signal: String,
    authorization: Option<String>,
    body: Bytes,
}

impl CollectorServer {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let received = Received::default();
        let into = Arc::clone(&received);
        let receive = post(async move |Path(signal): Path<String>, headers: HeaderMap, body: Bytes| {
            let authorization = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            into.lock().unwrap_or_else(PoisonError::into_inner).push(Message { signal, authorization, body });
        });
        let router = Router::new().route("/v1/{signal}", receive);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { base_url, received })
    }

    /// The URL of the collector, without a trailing slash.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Whether a message of the signal (`traces`, `metrics`) contains these bytes. Protobuf stores strings and ids
    /// unchanged, so they can be searched for.
    pub fn has_received(&self, signal: &str, bytes: &[u8]) -> bool {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        let mut messages = received.iter().filter(|message| message.signal == signal);
        messages.any(|message| message.body.windows(bytes.len()).any(|window| window == bytes))
    }

    /// The distinct `Authorization` headers received.
    pub fn authorizations(&self) -> BTreeSet<String> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.iter().filter_map(|message| message.authorization.clone()).collect()
    }
}
