//! A well-behaved client of the server under test.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use model_registry_testkit::Executable;
use reqwest::{Body, Client};
use serde_json::Value;

/// Limit for one request. Longer than any time limit of the server, so that its own response is seen.
const TIMEOUT: Duration = Duration::from_secs(75);

/// Clones share connections.
#[derive(Clone)]
pub(crate) struct Api {
    http: Client,
    base: String,
    token: Option<String>,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body[..self.body.len().min(300)]).into_owned()
    }

    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_slice(&self.body).with_context(|| format!("{} is not JSON: {}", self.status, self.text()))
    }
}

impl Api {
    pub(crate) fn of(server: &Executable) -> Result<Self> {
        let http = Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        Ok(Self { http, base: server.base_url(), token: None })
    }

    /// The same client with a bearer token.
    pub(crate) fn with_token(&self, token: String) -> Self {
        Self { token: Some(token), ..self.clone() }
    }

    /// The same client with connections of its own, as another process would have.
    pub(crate) fn apart(&self) -> Result<Self> {
        Ok(Self { http: Client::builder().no_proxy().timeout(TIMEOUT).build()?, ..self.clone() })
    }

    /// GET; the path is below `v1alpha3` of the registry, or absolute if it begins with a slash.
    pub(crate) async fn get(&self, path: &str) -> Result<Response> {
        self.send(self.http.get(self.url(path))).await
    }

    /// POST of a JSON body.
    pub(crate) async fn post(&self, path: &str, body: impl Into<Body>) -> Result<Response> {
        self.send(self.http.post(self.url(path)).header("content-type", "application/json").body(body)).await
    }

    /// POST of a form with these parts, each as a file.
    pub(crate) async fn post_form(&self, path: &str, parts: &[(&str, &str)]) -> Result<Response> {
        let mut body = String::new();
        for (name, text) in parts {
            let head = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"f\"\r\n\r\n");
            body.extend([head.as_str(), text, "\r\n"]);
        }
        body.push_str("--b--\r\n");
        let request = self.http.post(self.url(path)).header("content-type", "multipart/form-data; boundary=b");
        self.send(request.body(body)).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response> {
        let request = match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await?;
        Ok(Response { status: response.status().as_u16(), body: response.bytes().await?.to_vec() })
    }

    fn url(&self, path: &str) -> String {
        if path.starts_with('/') {
            format!("{}{path}", self.base)
        } else {
            format!("{}/api/model_registry/v1alpha3/{path}", self.base)
        }
    }

    /// The names of all entities of a list that begin with a prefix.
    pub(crate) async fn names(&self, list: &str, prefix: &str) -> Result<HashSet<String>> {
        let (mut names, mut token) = (HashSet::new(), String::new());
        loop {
            let path = format!("{list}?pageSize=1000&filterQuery=name%20LIKE%20'{prefix}%25'&nextPageToken={token}");
            let response = self.get(&path).await?;
            ensure!(response.status == 200, "GET {path}: {} {}", response.status, response.text());
            let page = response.json()?;
            let items = page["items"].as_array().context("the page has no items")?;
            names.extend(items.iter().filter_map(|item| item["name"].as_str()).map(str::to_owned));
            page["nextPageToken"].as_str().unwrap_or_default().clone_into(&mut token);
            if token.is_empty() {
                return Ok(names);
            }
        }
    }
}
