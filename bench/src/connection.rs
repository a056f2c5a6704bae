//! One HTTP/1 connection that sends a request, reads the whole answer, and sends the next.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

/// What a scenario sends.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    /// Below `/api/model_registry/v1alpha3/`, or from the root with a slash in front.
    pub(crate) path: String,
    pub(crate) body: Option<String>,
}

impl Call {
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None }
    }

    pub(crate) fn post(path: impl Into<String>, body: &serde_json::Value) -> Self {
        Self { method: "POST", path: path.into(), body: Some(body.to_string()) }
    }
}

pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    pub(crate) async fn open(base_url: &str) -> Result<Self> {
        let url = Url::parse(base_url).context("the base URL is no URL")?;
        let host = url.host_str().context("the base URL has no host")?.to_owned();
        let port = url.port_or_known_default().unwrap_or(80);
        let stream = TcpStream::connect((host.as_str(), port)).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: format!("{host}:{port}") })
    }

    /// Sends a call and reads the answer's body.
    pub(crate) async fn send(&mut self, call: &Call) -> Result<Bytes> {
        self.sender.ready().await?;
        let uri = match call.path.strip_prefix('/') {
            Some(_) => call.path.clone(),
            None => format!("/api/model_registry/v1alpha3/{}", call.path),
        };
        let request = Request::builder()
            .method(call.method)
            .uri(uri)
            .header(header::HOST, &self.host)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(call.body.clone().unwrap_or_default())))?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(
            status.is_success(),
            "{} {}: {status} {}",
            call.method,
            call.path,
            String::from_utf8_lossy(&body[..body.len().min(300)])
        );
        Ok(body)
    }
}
