//! Authorization of every route for every role.
//!
//! The test reads the routes from the router and their methods from the header `Allow`, so new routes are covered
//! without a change here.

use std::collections::BTreeSet;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http::Method;
use http::header::{ALLOW, AUTHORIZATION};
use http_body_util::BodyExt;
use model_registry_server::auth::{Auth, Authenticator, Policy, TokenFile, hash_token};
use model_registry_store::PoolOptions;
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;

const ROLES: [&str; 3] = ["reader", "writer", "admin"];

/// The service of `up`, with a token and a grant for each role.
struct Server {
    routes: Router,
    service: Router,
    _files: TempDir,
}

struct Response {
    status: u16,
    body: String,
}

/// The result of sending a request to every route with every role.
struct Report {
    violations: Vec<String>,
    /// Number of routes, counting each method.
    route_count: usize,
}

impl Server {
    async fn start(additional_routes: Router) -> Self {
        let database = DatabaseUrl::Sqlite { path: None };
        let store = Store::connect(&database, PoolOptions::default(), Clock::system()).await.unwrap();
        let catalog = Catalog::new(store.clone(), model_registry_catalog::Settings::default());
        let metrics = Metrics::new(&[]);
        let routes = routes::all(Some(Registry::new(store)), Some(&catalog), Some(&metrics)).merge(additional_routes);
        let files = tempfile::tempdir().unwrap();
        let write = |name: &str, line: &dyn Fn(&str) -> String| {
            let path = files.path().join(name);
            std::fs::write(&path, ROLES.map(line).concat()).unwrap();
            path
        };
        let tokens = write("tokens.toml", &|role| {
            format!("[[tokens]]\nuser = \"{role}\"\nsha256 = \"{}\"\n", hash_token(&format!("{role}-token")))
        });
        let policy = write("policy.toml", &|role| format!("[[grants]]\nrole = \"{role}\"\nusers = [\"{role}\"]\n"));
        let auth = Auth {
            authenticator: Authenticator::Tokens(TokenFile::load(&tokens).unwrap()),
            policy: Policy::load(&policy).unwrap(),
            rules: routes::rules(),
        };
        let address = "127.0.0.1:8080".parse().unwrap();
        let hosts = layers::AllowedHosts::of_listener(address, "localhost", []).unwrap();
        let options = layers::Options { hosts, ..layers::Options::default() };
        let service = layers::wrap(auth::protect(fallback::finish(routes.clone()), auth), options);
        Self { routes, service, _files: files }
    }

    async fn send(&self, method: &Method, path: &str, role: Option<&str>) -> Response {
        self.send_with(method, path, role, &[]).await
    }

    async fn send_with(&self, method: &Method, path: &str, role: Option<&str>, headers: &[(&str, &str)]) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(role) = role {
            request = request.header(AUTHORIZATION, format!("Bearer {role}-token"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        // No request asks for the event stream of changes, so every body ends.
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Response { status, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Every route: method, pattern and a path that matches it.
    async fn all_routes(&self) -> Vec<(Method, String, String)> {
        let all_methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        let mut routes = Vec::new();
        for pattern in patterns(&self.routes) {
            let path = example(&pattern);
            let without_auth = fallback::finish(self.routes.clone());
            let request = Request::builder().method(Method::OPTIONS).uri(&path).body(Body::empty()).unwrap();
            let allow = without_auth.oneshot(request).await.unwrap().headers()[ALLOW].to_str().unwrap().to_owned();
            let methods = all_methods.iter().filter(|method| allow.split(',').any(|name| name == method.as_str()));
            routes.extend(methods.map(|method| (method.clone(), pattern.clone(), path.clone())));
        }
        routes
    }

    async fn check_all(&self) -> Report {
        let mut report = Report { violations: Vec::new(), route_count: 0 };
        for (method, pattern, path) in self.all_routes().await {
            report.route_count += 1;
            report.violations.extend(self.check(&method, &pattern, &path).await);
        }
        report
    }

    async fn check(&self, method: &Method, pattern: &str, path: &str) -> Vec<String> {
        let mut violations = Vec::new();
        if routes::rules().find(method, path).is_none() {
            violations.push(format!("{method} {pattern} has no rule"));
        }
        let lowest = lowest_role(method, pattern);
        let status = self.send(method, path, None).await.status;
        if (status == 401) != lowest.is_some() || status == 403 {
            violations.push(format!("{method} {pattern} returns {status} without a token"));
        }
        for role in ROLES {
            let response = self.send(method, path, Some(role)).await;
            let is_routed = !matches!(response.status, 401 | 403 | 405) && !response.body.contains("no such path");
            let is_allowed = lowest.is_none_or(|lowest| rank(role) >= rank(lowest));
            let missing = format!("`{role}` lacks the right `write` in workspace `default`");
            let is_forbidden = response.status == 403 && (*method == Method::HEAD || response.body.contains(&missing));
            if if is_allowed { !is_routed } else { !is_forbidden } {
                let Response { status, body } = response;
                violations.push(format!("{method} {pattern} returns {status} to {role}: {body}"));
            }
        }
        violations
    }
}

/// The expected minimum role of a route, independent of the rules; `None` for public routes.
fn lowest_role(method: &Method, pattern: &str) -> Option<&'static str> {
    let documents = ["/openapi.json", model_registry_catalog::OPENAPI_PATH, "/docs", "/docs/{*file}"];
    if documents.contains(&pattern) || pattern == "/metrics" {
        return None;
    }
    let is_read = matches!(*method, Method::GET | Method::HEAD) || pattern.ends_with("/sources/preview");
    Some(if is_read { "reader" } else { "writer" })
}

fn rank(role: &str) -> usize {
    ROLES.iter().position(|known| *known == role).unwrap()
}

/// The path patterns of a router, from its debug output, the only place where axum reveals them.
fn patterns(router: &Router) -> BTreeSet<String> {
    let debug = format!("{router:?}");
    let (_, node) = debug.split_once("paths: {").expect("the debug output of a router has its paths");
    let (paths, _) = node.split_once("\"}").expect("the debug output of a router has its paths");
    let quoted = paths.split('"').skip(1).step_by(2);
    quoted.filter(|path| path.starts_with('/')).map(str::to_owned).collect()
}

/// A path that matches a pattern.
fn example(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| match segment {
        "{*file}" => "index.html",
        parameter if parameter.starts_with('{') => "7",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_is_open_to_its_roles_only() {
    let server = Server::start(Router::new()).await;
    let patterns = patterns(&server.routes);
    let document: serde_json::Value =
        serde_json::from_str(&server.send(&Method::GET, "/openapi.json", None).await.body).unwrap();
    let without_names = |path: &str| {
        path.split('/')
            .map(|segment| if segment.starts_with('{') { "{}" } else { segment })
            .collect::<Vec<_>>()
            .join("/")
    };
    let found: BTreeSet<String> = patterns.iter().map(|path| without_names(path)).collect();
    for path in document["paths"].as_object().unwrap().keys().filter(|path| path.starts_with("/api/")) {
        assert!(found.contains(&without_names(path)), "the router does not list {path}: {found:?}");
    }
    for base in ["/api/mcp_catalog/v1alpha1/", "/api/agent_catalog/v1/"] {
        assert!(patterns.iter().any(|path| path.starts_with(base)), "{base}: {patterns:?}");
    }
    let report = server.check_all().await;
    assert_eq!(report.violations, Vec::<String>::new());
    assert!(report.route_count > 150, "only {} routes were found", report.route_count);
}

#[tokio::test]
async fn a_route_without_a_rule_is_detected_and_closed() {
    let without_rule = Router::new().route("/forgotten/{id}", axum::routing::get(|| async { "secret" }));
    let violations = Server::start(without_rule).await.check_all().await.violations;
    assert!(violations.contains(&"GET /forgotten/{id} has no rule".to_owned()), "{violations:?}");
    assert!(violations.iter().all(|violation| violation.contains("/forgotten/{id}")), "{violations:?}");
    assert!(!violations.iter().any(|violation| violation.contains("secret")), "{violations:?}");
}

#[tokio::test]
async fn every_write_of_a_foreign_page_and_every_foreign_host_is_refused() {
    let server = Server::start(Router::new()).await;
    let mut writes = 0;
    for (method, pattern, path) in server.all_routes().await {
        let rebound = server.send_with(&method, &path, Some("admin"), &[("host", "evil.example")]).await;
        assert_eq!(rebound.status, 403, "{method} {pattern}");
        if !matches!(method, Method::GET | Method::HEAD) {
            writes += 1;
            let page = [("host", "localhost:8080"), ("origin", "https://evil.example")];
            let foreign = server.send_with(&method, &path, Some("admin"), &page).await;
            assert!(foreign.status == 403 && foreign.body.contains("--cors-allowed-origins"), "{method} {pattern}");
        }
    }
    assert!(writes > 40, "only {writes} writing routes were found");
}

#[tokio::test]
async fn probes_require_no_token_and_reveal_no_data() {
    let server = Server::start(Router::new()).await;
    for path in ["/livez", "/readyz", "/readyz/health", "/readyz/isDirty"] {
        let status = server.send(&Method::GET, path, None).await.status;
        assert_eq!(status, 200, "{path}");
    }
    assert_eq!(server.send(&Method::GET, "/no/such/path", None).await.status, 404);
    assert_eq!(server.send(&Method::OPTIONS, "/api/model_registry/v1/artifacts", None).await.status, 401);
}
