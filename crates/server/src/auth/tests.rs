use axum::Extension;
use axum::body::Body;
use axum::routing::get;
use tower::ServiceExt;

use super::*;
use crate::fallback;
use crate::response::tests::text;

async fn whoami(Extension(caller): Extension<Caller>) -> String {
    caller.user
}

/// `reader` may read and `writer` may write; the token of a user is its name with the suffix `-token`.
fn server() -> (tempfile::TempDir, Router) {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let token =
        |user: &str| format!("[[tokens]]\nuser = \"{user}\"\nsha256 = \"{}\"\n", hash_token(&format!("{user}-token")));
    let grant = |role: &str| format!("[[grants]]\nrole = \"{role}\"\nusers = [\"{role}\"]\n");
    let tokens = write("tokens.toml", ["reader", "writer", "outsider"].map(token).concat());
    let policy = write("policy.toml", ["reader", "writer"].map(grant).concat());
    let router = Router::new()
        .route("/api/things", get(whoami).post(whoami))
        .route("/openapi.json", get(|| async { "public" }))
        .route("/forgotten", get(|| async { "secret" }));
    let auth = Auth {
        authenticator: Authenticator::Tokens(TokenFile::load(&tokens).unwrap()),
        policy: Policy::load(&policy).unwrap(),
        rules: Rules::new(&[DEFAULT_RULES]),
    };
    (directory, protect(fallback::finish(router), auth))
}

async fn send(router: &Router, method: &str, path: &str, authorization: &[&str]) -> (u16, String) {
    let mut request = Request::builder().method(method).uri(path);
    for value in authorization {
        request = request.header("authorization", *value);
    }
    let response = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    if status == 401 {
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
    }
    (status, text(response).await)
}

#[tokio::test]
async fn a_caller_may_do_what_its_role_allows() {
    let (_files, server) = server();
    assert_eq!(send(&server, "GET", "/api/things", &["Bearer reader-token"]).await, (200, "reader".to_owned()));
    assert_eq!(send(&server, "POST", "/api/things", &["bearer writer-token"]).await, (200, "writer".to_owned()));
    let message = "`reader` lacks the right `write` in workspace `default`";
    let body = format!(r#"{{"code":"Forbidden","message":"{message}"}}"#);
    assert_eq!(send(&server, "POST", "/api/things", &["Bearer reader-token"]).await, (403, body));
    assert_eq!(send(&server, "GET", "/api/things", &["Bearer outsider-token"]).await.0, 403);
}

#[tokio::test]
async fn every_failed_authentication_has_the_same_response() {
    let (_files, server) = server();
    let long = format!("Bearer {}", "x".repeat(LONGEST_TOKEN + 1));
    let attempts: [&[&str]; 8] = [
        &[],
        &["Bearer wrong"],
        &["Bearer "],
        &["Bearer"],
        &["Basic cmVhZGVyOng="],
        &["reader-token"],
        &[&long],
        &["Bearer reader-token", "Bearer writer-token"],
    ];
    for authorization in attempts {
        let body = r#"{"code":"Unauthorized","message":"authentication required"}"#.to_owned();
        assert_eq!(send(&server, "GET", "/api/things", authorization).await, (401, body), "{authorization:?}");
    }
}

#[tokio::test]
async fn public_and_unknown_paths_require_no_token_and_a_route_without_a_rule_is_closed() {
    let (_files, server) = server();
    assert_eq!(send(&server, "GET", "/openapi.json", &[]).await, (200, "public".to_owned()));
    assert_eq!(send(&server, "GET", "/nothing", &[]).await.0, 404);
    assert_eq!(send(&server, "GET", "/api/nothing", &[]).await.0, 401);
    assert_eq!(send(&server, "GET", "/forgotten", &["Bearer writer-token"]).await.0, 403);
}

#[tokio::test]
async fn without_authentication_the_caller_is_anonymous() {
    let router = Router::new().route("/api/things", get(whoami));
    let auth = Auth {
        authenticator: Authenticator::Anonymous,
        policy: Policy::Uniform(Role::Admin),
        rules: Rules::new(&[DEFAULT_RULES]),
    };
    let server = protect(router, auth);
    assert_eq!(send(&server, "GET", "/api/things", &[]).await, (200, "anonymous".to_owned()));
}

#[test]
fn without_authentication_only_loopback_addresses_are_allowed() {
    let check = |address: &str, allow| check_exposure(&Authenticator::Anonymous, address.parse().unwrap(), allow);
    for address in ["127.0.0.1:80", "127.1.2.3:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        assert!(check(address, false).is_ok(), "{address}");
    }
    for address in ["0.0.0.0:80", "[::]:80", "10.0.0.1:80"] {
        let error = check(address, false).unwrap_err().to_string();
        assert!(error.contains("--allow-anonymous"), "{error}");
        assert!(check(address, true).is_ok());
    }
}
