//! The executable as a server, and a client that distinguishes error responses from broken connections.

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model_registry_testkit::executable::Launch;
use model_registry_testkit::{Executable, TestDatabase};
use serde_json::Value;
use tokio::process::Command;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_model-registry");

/// Time limit for anything that must happen eventually.
pub(crate) const TIME_LIMIT: Duration = Duration::from_mins(1);

/// Prepares a server of a role (`server`, `catalog`, `up`) on a free local port and a database. A relative SQLite path is in
/// the temporary directory of the server.
pub(crate) fn role_on(role: &str, url: &str) -> Launch {
    Executable::launch(PROGRAM).arguments([role, "--listen", "127.0.0.1:{port}", "--database", url])
}

/// Prepares a registry server on a database, without access logs.
pub(crate) fn server_on(url: &str) -> Launch {
    role_on("server", url).arguments(["--log-level", "info,access=off"])
}

/// Starts a registry server on a database.
pub(crate) async fn start_on(database: &TestDatabase) -> Executable {
    server_on(database.url()).start().await.unwrap()
}

/// A command that has ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Run {
    /// The only error line.
    pub(crate) fn reason(&self) -> &str {
        let mut reasons = self.errors.lines().filter(|line| line.starts_with("error: "));
        let (Some(reason), None) = (reasons.next(), reasons.next()) else {
            panic!("not exactly one error line: {self:?}")
        };
        assert!(!self.errors.contains("panicked"), "{self:?}");
        reason
    }
}

/// Runs a command until it ends, in a home directory, with no other variables than the given ones.
pub(crate) async fn run_in(home: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env_clear().env("HOME", home).envs(variables.iter().copied()).current_dir(home);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(TIME_LIMIT, command.output()).await;
    let output = output.unwrap_or_else(|_| panic!("{arguments:?} did not end within {TIME_LIMIT:?}")).unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
}

/// The number of models after [`add_models`].
pub(crate) const MODELS: usize = 6_001;

/// Inserts the models `seed`, `m1`, `m2` and so on into the SQLite database of a running server, with one statement.
pub(crate) async fn add_models(database: &TestDatabase, client: &Client) {
    client.create("registered_models", &serde_json::json!({"name": "seed"})).await;
    let statement = "INSERT INTO resource (workspace_id, kind, family, parent_id, name, name_folded, state, create_time, \
                     update_time, revision, document) \
                     WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 6000) \
                     SELECT workspace_id, kind, family, parent_id, 'm' || n, 'm' || n, state, create_time, update_time, \
                     revision, REPLACE(document, 'seed', 'm' || n) FROM resource, numbers WHERE name = 'seed'";
    database.execute(statement).await.unwrap();
}

/// A client of one server. Clones share connections.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Arc<str>,
}

/// A response with its whole body.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

impl Response {
    pub(crate) fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("no id: {self:?}"))
    }

    pub(crate) fn items(&self) -> &[Value] {
        self.body["items"].as_array().unwrap_or_else(|| panic!("no items: {self:?}"))
    }
}

impl Client {
    pub(crate) fn of(server: &Executable) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(TIME_LIMIT).build().unwrap();
        Self { http, base: server.base_url().into() }
    }

    /// Sends a request; the path is below v1alpha3 unless it starts with a slash. Fails if the connection breaks.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> reqwest::Result<Response> {
        let url = if path.starts_with('/') {
            format!("{}{path}", self.base)
        } else {
            format!("{}/api/model_registry/v1alpha3/{path}", self.base)
        };
        let mut request = self.http.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Ok(Response { status, body })
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<Response> {
        self.call("POST", path, &[], Some(body)).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Response {
        self.try_post(path, body).await.unwrap()
    }

    pub(crate) async fn try_get(&self, path: &str) -> reqwest::Result<Response> {
        self.call("GET", path, &[], None).await
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.try_get(path).await.unwrap()
    }

    /// GET with status 200; returns the body.
    pub(crate) async fn read(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status, 200, "GET {path}: {}", response.body);
        response.body
    }

    /// Creates an entity and returns its id.
    pub(crate) async fn create(&self, path: &str, body: &Value) -> String {
        let response = self.post(path, body).await;
        assert_eq!(response.status, 201, "POST {path}: {}", response.body);
        response.id().to_owned()
    }

    /// All items of a list, page by page.
    pub(crate) async fn list_all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut token = String::new();
        loop {
            let separator = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{separator}nextPageToken={token}")).await;
            assert_eq!(page.status, 200, "GET {path}: {}", page.body);
            items.extend_from_slice(page.items());
            page.body["nextPageToken"].as_str().unwrap().clone_into(&mut token);
            if token.is_empty() {
                return items;
            }
        }
    }
}

/// Prints a line about a skipped test to standard error. `eprintln!` would be captured by the test harness.
pub(crate) fn print_skipped(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Percent-encodes a query value.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Polls a condition until it holds, for [`TIME_LIMIT`] at most; returns the time that it took.
pub(crate) async fn eventually(what: &str, mut is_true: impl AsyncFnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !is_true().await {
        assert!(start.elapsed() < TIME_LIMIT, "not within {TIME_LIMIT:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    start.elapsed()
}
