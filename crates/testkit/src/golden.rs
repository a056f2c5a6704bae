//! Replays golden scenarios: JSON files with requests and their expected responses.
//!
//! One file is one scenario. It starts with an empty database and its steps run in order:
//!
//! ```json
//! {"title": "…", "steps": [
//!   {"do": "POST /api/model_registry/v1alpha3/registered_models", "send": {"name": "m1"}, "bind": {"id1": "/id"},
//!    "expect": {"status": 201, "body": {"id": "${id1}", "name": "m1", "createTimeSinceEpoch": "$ms"}}},
//!   {"do": "GET /api/model_registry/v1alpha3/registered_models/${id1}", "why": "…", "expect": {"status": [200]}}]}
//! ```
//!
//! * `send` is a JSON body, `sendText` a raw one; `headers` are optional, `Content-Type` defaults to JSON.
//! * `bind` names values of the response (JSON pointers) for use as `${name}` in this step's `expect` and in later steps.
//! * `expect` is the expected response; `status` may be a list. For the comparison of bodies see [`differences`].
//! * `expect.headers` names headers of the response, in any case: a value, a rule, or null for a header that is absent.
//! * `NAME.flags` next to `NAME.json` lists the flags of the server, one per line.
//! * `reference`, `referenceMessage`, `exact` and `why` document how the reference implementation differs; `why` is shown
//!   when the step fails.
//!
//! The caller decides how a request is sent: [`http_caller`] to a running server, [`router_caller`] to an axum router.
//!
//! ```ignore
//! let differences = golden::replay(&scenario, golden::router_caller(&router)).await;
//! assert!(differences.is_empty(), "{}", golden::readable(&differences));
//! ```

mod compare;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request};
use serde_json::{Map, Value};
use tower::ServiceExt;

use crate::error::{Error, Result};
pub use compare::differences;
use values::{Bound, pointer, substitute, substitute_text, target};

/// One scenario file.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// The name of its file, without the extension.
    pub name: String,
    pub title: String,
    /// Flags that the server is started with.
    pub flags: Vec<String>,
    steps: Vec<Value>,
}

/// One request, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub method: String,
    /// Path and query as they go on the wire.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// The response to a [`Call`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Response {
    pub status: u16,
    pub content_type: Option<String>,
    /// By names in lower case; the values of one name are joined by commas.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// A step whose response is not the expected one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub scenario: String,
    /// Counts from 1.
    pub step: usize,
    /// The step's `do`.
    pub request: String,
    /// Why the expected response is right although the reference implementation responds differently.
    pub why: Option<String>,
    pub lines: Vec<String>,
    /// The response, shortened.
    pub got: String,
}

impl Scenario {
    pub fn read(path: &Path) -> Result<Self> {
        let unusable = |reason: String| Error::Scenario { path: path.to_owned(), reason };
        let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let flags = match fs::read_to_string(path.with_extension("flags")) {
            Ok(text) => text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(unusable(error.to_string())),
        };
        let scenario = Self::parse(&name, &text).map_err(unusable)?;
        Ok(Self { flags, ..scenario })
    }

    /// Reads every `.json` file of the directory, sorted by name.
    pub fn read_all(directory: &Path) -> Result<Vec<Self>> {
        let unusable =
            |error: std::io::Error| Error::Scenario { path: directory.to_owned(), reason: error.to_string() };
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(directory).map_err(unusable)? {
            let path = entry.map_err(unusable)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                files.push(path);
            }
        }
        files.sort();
        files.iter().map(|file| Self::read(file)).collect()
    }

    /// Parses a scenario file; the error is a message about the first mistake.
    pub fn parse(name: &str, text: &str) -> std::result::Result<Self, String> {
        let file: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let steps = file["steps"].as_array().ok_or("no `steps`")?.clone();
        for (index, step) in steps.iter().enumerate() {
            let number = index + 1;
            let request = step["do"].as_str().ok_or_else(|| format!("step {number} has no `do`"))?;
            request.split_once(' ').ok_or_else(|| format!("step {number}: `do` is not a method and a path"))?;
            if step["expect"]["status"].is_null() {
                return Err(format!("step {number} has no `expect.status`"));
            }
        }
        let title = file["title"].as_str().unwrap_or(name).to_owned();
        Ok(Self { name: name.to_owned(), title, flags: Vec::new(), steps })
    }

    /// The number of steps.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} step {}: {}", self.scenario, self.step, self.request)?;
        if let Some(why) = &self.why {
            write!(formatter, "  ({why})")?;
        }
        for line in self.lines.iter().take(12) {
            write!(formatter, "\n    {line}")?;
        }
        if self.lines.len() > 12 {
            write!(formatter, "\n    and {} more", self.lines.len() - 12)?;
        }
        write!(formatter, "\n    got: {}", self.got)
    }
}

/// Formats all differences, for the message of an assertion.
pub fn readable(differences: &[Difference]) -> String {
    let mut text = format!("{} steps differ", differences.len());
    for difference in differences {
        text.push('\n');
        text.push_str(&difference.to_string());
    }
    text
}

/// Runs the steps in order and returns those whose response is not the expected one.
///
/// A caller without a response returns an error: it counts as status 0 with an empty body, as when a handler has crashed.
/// If a value cannot be bound, the rest of the scenario is skipped; the last difference reports that.
pub async fn replay<C, E>(scenario: &Scenario, call: C) -> Vec<Difference>
where
    C: AsyncFn(Call) -> std::result::Result<Response, E>,
    E: fmt::Display,
{
    let mut bound = Bound::new();
    let mut differences = Vec::new();
    for (index, step) in scenario.steps.iter().enumerate() {
        let (lines, got) = match request(step, &bound) {
            Err(unbound) => (vec![unbound], "nothing was sent".to_owned()),
            Ok(request) => match call(request).await {
                Ok(response) => (compare_response(step, &response, &mut bound), response.to_string()),
                Err(error) => {
                    (compare_response(step, &Response::default(), &mut bound), format!("no response: {error}"))
                }
            },
        };
        if lines.is_empty() {
            continue;
        }
        let mut difference = Difference {
            scenario: scenario.name.clone(),
            step: index + 1,
            request: text(&step["do"]),
            why: step["why"].as_str().map(str::to_owned),
            lines,
            got,
        };
        let remaining = scenario.steps.len() - index - 1;
        let is_cut = remaining > 0 && binds(step).any(|(name, _)| !bound.contains_key(name));
        if is_cut {
            difference.lines.insert(0, format!("the rest of the scenario depends on it: {remaining} steps skipped"));
        }
        differences.push(difference);
        if is_cut {
            break;
        }
    }
    differences
}

/// Returns a caller for [`replay`] that sends each request to the server at `base_url`.
pub fn http_caller(base_url: &str) -> impl AsyncFn(Call) -> std::result::Result<Response, reqwest::Error> + use<> {
    let base_url = base_url.trim_end_matches('/').to_owned();
    let limit = Duration::from_secs(30);
    let client = reqwest::Client::builder().no_proxy().timeout(limit).build().expect("the client's settings are valid");
    async move |call: Call| {
        let method = reqwest::Method::from_bytes(call.method.as_bytes()).unwrap_or_default();
        let mut request = client.request(method, format!("{base_url}{}", call.target)).body(call.body);
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let (content_type, headers) = (content_type(response.headers()), joined(response.headers()));
        Ok(Response { status, content_type, headers, body: response.bytes().await?.into() })
    }
}

/// Returns a caller for [`replay`] that passes each request to a router, without a socket.
pub fn router_caller(router: &Router) -> impl AsyncFn(Call) -> std::result::Result<Response, String> {
    async |call: Call| {
        let mut request = Request::builder().method(call.method.as_str()).uri(&call.target);
        for (name, value) in &call.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(call.body)).map_err(|error| error.to_string())?;
        let Ok(response) = router.clone().oneshot(request).await;
        let status = response.status().as_u16();
        let (content_type, headers) = (content_type(response.headers()), joined(response.headers()));
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.map_err(|error| error.to_string())?;
        Ok(Response { status, content_type, headers, body: body.into() })
    }
}

/// The headers by name, several of one name joined by commas.
fn joined(headers: &HeaderMap) -> BTreeMap<String, String> {
    let value = |name| {
        let values: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
        values.join(", ")
    };
    headers.keys().map(|name| (name.as_str().to_owned(), value(name))).collect()
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

impl Response {
    /// The body as JSON; as a string if it is not JSON, as null if it is empty.
    fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned()))
    }
}

impl fmt::Display for Response {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        let body: String = body.chars().take(2_000).collect();
        write!(formatter, "{} {} {body}", self.status, self.content_type.as_deref().unwrap_or("(no content type)"))
    }
}

fn request(step: &Value, bound: &Bound) -> std::result::Result<Call, String> {
    let line = text(&step["do"]);
    let (method, path) = line.split_once(' ').unwrap_or((&line, "/"));
    let mut headers = Vec::new();
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        headers.push((name.clone(), substitute_text(&text(value), bound)?));
    }
    let body = match (step.get("send"), step.get("sendText")) {
        (Some(json), _) => Some(substitute(json, bound)?.to_string()),
        (None, Some(raw)) => Some(substitute_text(&text(raw), bound)?),
        (None, None) => None,
    };
    let has_type = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if body.is_some() && !has_type {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    Ok(Call {
        method: method.to_owned(),
        target: target(path, bound)?,
        headers,
        body: body.unwrap_or_default().into_bytes(),
    })
}

/// Binds the values that the step names, then compares. The order matters: `expect` may use the step's own names.
fn compare_response(step: &Value, response: &Response, bound: &mut Bound) -> Vec<String> {
    let (status, body) = (response.status, &response.json());
    let mut lines = Vec::new();
    for (name, path) in binds(step) {
        match path.as_str().and_then(|path| pointer(body, path)) {
            Some(value) => drop(bound.insert(name.clone(), value.clone())),
            None => lines.push(format!("no value at {path} to bind `{name}`")),
        }
    }
    let expect = &step["expect"];
    let is_expected = match &expect["status"] {
        Value::Array(list) => list.iter().any(|one| one.as_u64() == Some(status.into())),
        one => one.as_u64() == Some(status.into()),
    };
    if !is_expected {
        lines.push(format!("status: want {}, got {status}", expect["status"]));
    }
    if let Some(want) = expect.get("body") {
        match substitute(want, bound) {
            Ok(want) => lines.extend(differences(&want, body)),
            Err(unbound) => lines.push(unbound),
        }
    }
    for (name, want) in expect["headers"].as_object().into_iter().flatten() {
        match substitute(want, bound) {
            Ok(want) => lines.extend(header_differences(name, &want, &response.headers)),
            Err(unbound) => lines.push(unbound),
        }
    }
    lines
}

/// Compares a header; a rule for lists applies to the values between the commas.
fn header_differences(name: &str, want: &Value, headers: &BTreeMap<String, String>) -> Vec<String> {
    let got = headers.get(&name.to_ascii_lowercase());
    let in_header = |line: String| line.replacen("body", &format!("header {name}"), 1);
    let Some(got) = got.filter(|_| !want.is_null()) else {
        let is_as_wanted = want.is_null() && got.is_none();
        return if is_as_wanted { Vec::new() } else { vec![format!("header {name}: want {want}, got {got:?}")] };
    };
    let is_list = ["$contains", "$unordered"].iter().any(|rule| want.get(rule).is_some());
    let got: Value = if is_list { got.split(',').map(str::trim).collect() } else { got.as_str().into() };
    differences(want, &got).into_iter().map(in_header).collect()
}

fn binds(step: &Value) -> impl Iterator<Item = (&String, &Value)> {
    step["bind"].as_object().into_iter().flat_map(Map::iter)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
