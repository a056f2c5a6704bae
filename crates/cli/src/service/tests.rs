//! Every route of the running server and every role: who is let through, who is not, and why.
//!
//! The routes are read from the router itself, their methods from what it allows, so that a route that is added comes
//! under the test without a word here.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::extract::Request;
use http::Method;
use http::header::{ALLOW, AUTHORIZATION};
use http_body_util::BodyExt;
use model_registry_server::auth::{Authenticator, Policy, TokenFile, hash_token};
use tempfile::TempDir;
use tower::ServiceExt;

use super::*;

const ROLES: [&str; 3] = ["reader", "writer", "admin"];

/// Everything that `up` serves, with a token and a grant for each role.
struct Up {
    routes: Router,
    service: Router,
    _files: TempDir,
}

struct Answer {
    status: u16,
    text: String,
}

impl Up {
    async fn start(more: Router) -> Self {
        let source = DatabaseUrl::Sqlite { path: None };
        let store = Store::connect(&source, PoolOptions::default(), Clock::system()).await.unwrap();
        let catalog = Catalog::new(store.clone(), model_registry_catalog::Settings::default());
        let metrics = Metrics::new(&[]);
        let routes = routes(Some(Registry::new(store)), Some(&catalog), Some(&metrics)).merge(more);
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
            rules: rules(),
        };
        let service = layers::wrap(auth::protect(fallback::finish(routes.clone()), auth), layers::Options::default());
        Self { routes, service, _files: files }
    }

    async fn send(&self, method: &Method, path: &str, role: Option<&str>) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(role) = role {
            request = request.header(AUTHORIZATION, format!("Bearer {role}-token"));
        }
        let answer = self.service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        // The stream of changes is never asked for; every other answer ends.
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        Answer { status, text: String::from_utf8_lossy(&body).into_owned() }
    }

    /// What is wrong with who may take which route, and how many routes with a method there are.
    async fn walk(&self) -> (Vec<String>, usize) {
        let (mut wrong, mut count) = (Vec::new(), 0);
        let all_methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
        for pattern in patterns(&self.routes) {
            let path = example(&pattern);
            let bare = fallback::finish(self.routes.clone());
            let request = Request::builder().method(Method::OPTIONS).uri(&path).body(Body::empty()).unwrap();
            let allow = bare.oneshot(request).await.unwrap().headers()[ALLOW].to_str().unwrap().to_owned();
            for method in all_methods.iter().filter(|method| allow.split(',').any(|name| name == method.as_str())) {
                count += 1;
                wrong.extend(self.check(method, &pattern, &path).await);
            }
        }
        (wrong, count)
    }

    async fn check(&self, method: &Method, pattern: &str, path: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if rules().find(method, path).is_none() {
            wrong.push(format!("{method} {pattern} has no rule"));
        }
        let lowest = lowest_role(method, pattern);
        let nobody = self.send(method, path, None).await.status;
        if (nobody == 401) != lowest.is_some() || nobody == 403 {
            wrong.push(format!("{method} {pattern} answers {nobody} without a token"));
        }
        for role in ROLES {
            let answer = self.send(method, path, Some(role)).await;
            let is_reached = !matches!(answer.status, 401 | 403 | 405) && !answer.text.contains("no such path");
            let is_allowed = lowest.is_none_or(|lowest| position(role) >= position(lowest));
            let missing = format!("`{role}` lacks the right `write` in workspace `default`");
            let is_refused = answer.status == 403 && (*method == Method::HEAD || answer.text.contains(&missing));
            if if is_allowed { !is_reached } else { !is_refused } {
                wrong.push(format!("{method} {pattern} answers {} to {role}: {}", answer.status, answer.text));
            }
        }
        wrong
    }
}

/// What the test expects, said in another way than the rules say it: `None` is everybody.
fn lowest_role(method: &Method, pattern: &str) -> Option<&'static str> {
    let documents = ["/openapi.json", model_registry_catalog::OPENAPI_PATH, "/docs", "/docs/{*file}"];
    if documents.contains(&pattern) || pattern == "/metrics" {
        return None;
    }
    let looks_only = matches!(*method, Method::GET | Method::HEAD) || pattern.ends_with("/sources/preview");
    Some(if looks_only { "reader" } else { "writer" })
}

fn position(role: &str) -> usize {
    ROLES.iter().position(|known| *known == role).unwrap()
}

/// The patterns of a router's paths. axum tells them in no other way than in its debug output.
fn patterns(router: &Router) -> BTreeSet<String> {
    let debug = format!("{router:?}");
    let (_, node) = debug.split_once("paths: {").expect("axum shows a router's paths");
    let (paths, _) = node.split_once("\"}").expect("axum shows a router's paths");
    let quoted = paths.split('"').skip(1).step_by(2);
    quoted.filter(|path| path.starts_with('/')).map(str::to_owned).collect()
}

/// A path that a pattern matches.
fn example(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| match segment {
        "{*file}" => "index.html",
        parameter if parameter.starts_with('{') => "7",
        segment => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_route_is_open_to_the_roles_it_is_for_and_to_nobody_else() {
    let up = Up::start(Router::new()).await;
    let patterns = patterns(&up.routes);
    let document: serde_json::Value =
        serde_json::from_str(&up.send(&Method::GET, "/openapi.json", None).await.text).unwrap();
    let without_names = |path: &str| {
        path.split('/')
            .map(|segment| if segment.starts_with('{') { "{}" } else { segment })
            .collect::<Vec<_>>()
            .join("/")
    };
    let found: BTreeSet<String> = patterns.iter().map(|path| without_names(path)).collect();
    for path in document["paths"].as_object().unwrap().keys().filter(|path| path.starts_with("/api/")) {
        assert!(found.contains(&without_names(path)), "the walk misses {path}: {found:?}");
    }
    assert!(patterns.iter().any(|path| path.starts_with("/api/mcp_catalog/")), "{patterns:?}");
    let (wrong, count) = up.walk().await;
    assert_eq!(wrong, Vec::<String>::new());
    assert!(count > 150, "only {count} routes were found");
}

#[tokio::test]
async fn a_route_without_a_rule_is_found_and_closed_to_everybody() {
    let forgotten = Router::new().route("/forgotten/{id}", axum::routing::get(|| async { "secret" }));
    let (wrong, _) = Up::start(forgotten).await.walk().await;
    assert!(wrong.contains(&"GET /forgotten/{id} has no rule".to_owned()), "{wrong:?}");
    assert!(wrong.iter().all(|wrong| wrong.contains("/forgotten/{id}")), "{wrong:?}");
    assert!(!wrong.iter().any(|wrong| wrong.contains("secret")), "{wrong:?}");
}

#[tokio::test]
async fn probes_need_no_token_and_show_nothing_of_the_data() {
    let up = Up::start(Router::new()).await;
    for path in ["/livez", "/readyz", "/readyz/health", "/readyz/isDirty"] {
        let status = up.send(&Method::GET, path, None).await.status;
        assert_eq!(status, 200, "{path}");
    }
    assert_eq!(up.send(&Method::GET, "/no/such/path", None).await.status, 404);
    assert_eq!(up.send(&Method::OPTIONS, "/api/model_registry/v1/artifacts", None).await.status, 401);
}
