//! A Git server over HTTP: `git http-backend` as a CGI program, and repositories that the `git` executable builds.
//!
//! It is the real program; what can be planned are failures before it: credentials, redirects and statuses.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use model_registry_programs::git;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::process::Command;

use crate::error::{Error, Result};

/// A running server, on its own port; clones share it. Repositories are removed with the last clone.
#[derive(Clone)]
pub struct GitServer {
    address: SocketAddr,
    root: Arc<tempfile::TempDir>,
    program: PathBuf,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    /// The value of `Authorization` that requests need.
    authorization: Option<String>,
    /// Base URL that first requests are redirected to.
    redirect: Option<String>,
    status: Option<StatusCode>,
    /// The header `Git-Protocol` in the place of those that clients send.
    protocol: Option<String>,
    requests: Vec<GitRequest>,
}

/// A request that the server received.
#[derive(Clone, Debug)]
pub struct GitRequest {
    pub method: Method,
    pub path: String,
    pub authorization: Option<String>,
}

/// A repository with a working tree, whose branch `main` is checked out.
pub struct GitRepository {
    program: PathBuf,
    directory: PathBuf,
    url: String,
}

impl GitServer {
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let root = Arc::new(tempfile::tempdir()?);
        let server = Self { address, root, program: git()?, plan: Arc::default() };
        let router = Router::new().fallback(respond).with_state(server.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(server)
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Creates an empty repository below the root of the server.
    pub fn create(&self, name: &str) -> Result<GitRepository> {
        let directory = self.root.path().join(name);
        std::fs::create_dir_all(&directory)?;
        let url = format!("http://{}/{name}", self.address);
        let repository = GitRepository { program: self.program.clone(), directory, url };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(repository)
    }

    /// From now on requests need these credentials.
    pub fn require_authorization(&self, authorization: &str) {
        self.plan().authorization = Some(authorization.to_owned());
    }

    /// From now on the first request of a client is redirected to the same path of another base URL.
    pub fn redirect_to(&self, base_url: &str) {
        self.plan().redirect = Some(base_url.to_owned());
    }

    /// From now on all requests get this status; `None` for the regular responses.
    pub fn respond_with(&self, status: Option<StatusCode>) {
        self.plan().status = status;
    }

    /// From now on requests count as if their header `Git-Protocol` had this value; empty for version 0.
    pub fn override_protocol(&self, header: &str) {
        self.plan().protocol = Some(header.to_owned());
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<GitRequest> {
        std::mem::take(&mut self.plan().requests)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A response that was planned.
    fn planned(&self, uri: &Uri) -> Option<Response> {
        let plan = self.plan();
        let last = plan.requests.last()?;
        if let Some(status) = plan.status {
            return Some(status.into_response());
        }
        if let Some(base) = plan.redirect.as_ref().filter(|_| last.method == Method::GET) {
            let location = format!("{base}{}", uri.path_and_query().map_or("", |path| path.as_str()));
            return Some((StatusCode::MOVED_PERMANENTLY, [("location", location)]).into_response());
        }
        if plan.authorization.is_some() && plan.authorization != last.authorization {
            return Some((StatusCode::UNAUTHORIZED, [("www-authenticate", "Basic")]).into_response());
        }
        None
    }
}

impl GitRepository {
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs `git` in the repository and returns its output. No configuration of the machine is used.
    pub fn git(&self, arguments: &[&str]) -> Result<String> {
        let output = without_configuration(std::process::Command::new(&self.program), &self.directory)
            .args(arguments)
            .current_dir(&self.directory)
            .output()?;
        if !output.status.success() {
            return Err(failed(&format!("git {}", arguments.join(" ")), &output));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Clones it from the server with the `git` executable, without history.
    pub async fn clone_shallow(&self, into: &Path) -> Result<()> {
        let mut command = without_configuration(std::process::Command::new(&self.program), &self.directory);
        command.args(["clone", "--quiet", "--depth", "1", &self.url]).arg(into).env("GIT_ALLOW_PROTOCOL", "http");
        let output = Command::from(command).output().await?;
        if output.status.success() { Ok(()) } else { Err(failed("git clone", &output)) }
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let file = self.directory.join(path);
        if let Some(directory) = file.parent() {
            std::fs::create_dir_all(directory)?;
        }
        Ok(std::fs::write(file, content)?)
    }

    /// Writes a `SKILL.md` in a directory below `skills`, named as the skill.
    pub fn write_skill(&self, name: &str, description: &str) -> Result<()> {
        self.write(&format!("skills/{name}/SKILL.md"), skill(name, description))
    }

    /// The directory of the working tree.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Commits all files and returns the digest of the commit.
    pub fn commit(&self) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--allow-empty", "--message", "A change"])?;
        self.git(&["rev-parse", "HEAD"])
    }
}

fn failed(what: &str, output: &std::process::Output) -> Error {
    Error::Failed {
        what: what.to_owned(),
        problem: format!("ended with {}", output.status),
        log: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The text of a `SKILL.md`.
pub fn skill(name: &str, description: &str) -> String {
    format!("---\nname: {name}\ndescription: {description}\n---\n\n# {name}\n")
}

fn without_configuration(mut command: std::process::Command, home: &Path) -> std::process::Command {
    for (name, value) in [
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_AUTHOR_NAME", "Test"),
        ("GIT_AUTHOR_EMAIL", "test@example.com"),
        ("GIT_COMMITTER_NAME", "Test"),
        ("GIT_COMMITTER_EMAIL", "test@example.com"),
        ("GIT_ALLOW_PROTOCOL", "file"),
    ] {
        command.env(name, value);
    }
    command.env("HOME", home);
    command
}

async fn respond(
    State(server): State<GitServer>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    server.plan().requests.push(GitRequest {
        method: method.clone(),
        path: uri.path().to_owned(),
        authorization: header("authorization"),
    });
    if let Some(planned) = server.planned(&uri) {
        return planned;
    }
    match http_backend(&server, &method, &uri, &header, &body).await {
        Ok(response) => response,
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Runs `git http-backend` as a CGI program.
async fn http_backend(
    server: &GitServer,
    method: &Method,
    uri: &Uri,
    header: &impl Fn(&str) -> Option<String>,
    body: &Bytes,
) -> std::io::Result<Response> {
    let command = without_configuration(std::process::Command::new(&server.program), server.root.path());
    let protocol = server.plan().protocol.clone().or_else(|| header("git-protocol")).unwrap_or_default();
    let mut child = Command::from(command)
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", server.root.path())
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", method.as_str())
        .env("PATH_INFO", uri.path())
        .env("QUERY_STRING", uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type").unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("GIT_PROTOCOL", protocol)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(body).await?;
    }
    let output = child.wait_with_output().await?.stdout;
    let end = output.windows(4).position(|window| window == b"\r\n\r\n");
    let end = end.ok_or_else(|| std::io::Error::other("a response without headers"))?;
    let mut response = Response::builder();
    for line in String::from_utf8_lossy(output.get(..end).unwrap_or_default()).lines() {
        let (name, value) = line.split_once(": ").unwrap_or((line, ""));
        response = match name {
            "Status" => response.status(value.get(..3).unwrap_or("500")),
            _ => response.header(name, value),
        };
    }
    let body = output.get(end + 4..).unwrap_or_default().to_vec();
    response.body(Body::from(body)).map_err(std::io::Error::other)
}
