//! Reads a server's change feed over HTTP. The one place of this program that does, so that a client can take its place.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

/// How long the server is asked to wait for a change; in each answer it may wait less.
const WAIT_SECONDS: u64 = 25;
const PATIENCE: Duration = Duration::from_mins(1);

/// A server's feed.
pub(crate) struct ChangeFeed {
    http: reqwest::Client,
    url: String,
    token: Option<String>,
}

/// Some changes, perhaps none, and where to go on.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangePage {
    pub(crate) items: Vec<Value>,
    pub(crate) next: String,
}

/// Why there are no changes.
pub(crate) enum ReadError {
    /// The server cannot be reached or is busy: trying again may help.
    Temporary(anyhow::Error),
    Refused(anyhow::Error),
}

impl ChangeFeed {
    pub(crate) fn of(server: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().context("cannot make HTTP requests")?;
        let url = format!("{}/api/model_registry/v1alpha3/changes", server.trim_end_matches('/'));
        Ok(Self { http, url, token: token.map(str::to_owned) })
    }

    /// Waits for changes behind `after`: a sequence, or `newest`.
    pub(crate) async fn read(&self, after: &str) -> Result<ChangePage, ReadError> {
        // Nothing is needed from the beginning but where it is.
        let wait = if after == "newest" { 0 } else { WAIT_SECONDS };
        let url = format!("{}?after={after}&limit=1000&wait={wait}", self.url);
        let mut request = self.http.get(url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let context = format!("cannot read {}", self.url);
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_builder() => return Err(ReadError::Refused(anyhow::Error::new(error))),
            Err(error) => return Err(ReadError::Temporary(anyhow::Error::new(error).context(context))),
        };
        let status = response.status();
        let text = response.text().await.map_err(|error| ReadError::Temporary(anyhow::Error::new(error)))?;
        match answer(status, &text) {
            Ok(page) => Ok(page),
            Err(error) if status.is_server_error() => Err(ReadError::Temporary(error.context(context))),
            Err(error) => Err(ReadError::Refused(error.context(context))),
        }
    }
}

fn answer(status: StatusCode, text: &str) -> anyhow::Result<ChangePage> {
    #[derive(Deserialize)]
    struct ErrorBody {
        message: String,
    }
    if status.is_success() {
        return serde_json::from_str(text).context("the answer is not that of a model registry");
    }
    match serde_json::from_str::<ErrorBody>(text) {
        Ok(body) => bail!("{status}: {}", body.message),
        Err(_) => bail!("{status}"),
    }
}
