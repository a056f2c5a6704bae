use axum::body::Body;
use axum::routing::{get, post};
use tower::ServiceExt;

use super::*;
use crate::JsonBody;
use crate::fallback;
use crate::response::tests::text;

fn server(options: Options) -> Router {
    let router = Router::new()
        .route("/things/{id}", get(|| async { ([("etag", "\"1\"")], "thing") }))
        .route("/panic", get(panics))
        .route("/slow", get(|| tokio::time::sleep(Duration::from_hours(1))))
        .route("/broken", get(|| async { ApiError::internal("secret cause") }))
        .route("/echo", post(|body: JsonBody| async { body.0 }))
        .route("/kept", get(|| async { ([("cache-control", "max-age=60")], "kept") }));
    wrap(fallback::finish(router), options)
}

async fn panics() {
    panic!("oh no")
}

async fn send(router: &Router, request: http::request::Builder, body: impl Into<Body>) -> Response {
    router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap()
}

#[tokio::test]
async fn every_response_has_a_request_id_and_security_headers() {
    let server = server(Options::default());
    for (path, status) in [("/things/1", 200), ("/nothing", 404), ("/readyz", 200)] {
        let response = send(&server, Request::get(path), "").await;
        assert_eq!(response.status(), status);
        let headers = response.headers();
        assert_eq!(headers["x-request-id"].len(), 36);
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["cache-control"], "no-cache");
        assert!(!headers.contains_key("vary"));
    }
    let response = send(&server, Request::get("/kept").header("x-request-id", "mine-1"), "").await;
    assert_eq!(response.headers()["x-request-id"], "mine-1");
    assert_eq!(response.headers()["cache-control"], "max-age=60");
}

#[tokio::test]
async fn a_panic_is_a_500_with_the_request_id() {
    let response = send(&server(Options::default()), Request::get("/panic").header("x-request-id", "r1"), "").await;
    assert_eq!(response.status(), 500);
    let expected = r#"{"code":"Internal Server Error","message":"internal error (request id r1)"}"#;
    assert_eq!(text(response).await, expected);
}

#[tokio::test]
async fn a_panicking_health_check_is_a_500() {
    let health = Health::new().check("database", crate::health::Scope::Storage, || async { panic!("oh no") });
    let server = server(Options { health, ..Options::default() });
    assert_eq!(send(&server, Request::get("/readyz/isDirty"), "").await.status(), 500);
}

#[tokio::test]
async fn an_internal_error_reveals_only_the_request_id() {
    let response = send(&server(Options::default()), Request::get("/broken").header("x-request-id", "r2"), "").await;
    assert_eq!(response.status(), 500);
    let expected = r#"{"code":"Internal Server Error","message":"internal error (request id r2)"}"#;
    assert_eq!(text(response).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_takes_too_long_times_out() {
    let response = send(&server(Options::default()), Request::get("/slow"), "").await;
    assert_eq!(response.status(), 504);
    let expected =
        r#"{"code":"Gateway Timeout","message":"the request was cancelled because it took longer than 60 s"}"#;
    assert_eq!(text(response).await, expected);
}

#[tokio::test]
async fn a_compressed_body_is_rejected_on_every_route() {
    let server = server(Options::default());
    for path in ["/echo", "/things/1", "/nothing"] {
        let compressed = Request::post(path).header("content-encoding", "gzip");
        let response = send(&server, compressed, "\u{1f}\u{8b}\0").await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["accept-encoding"]),
            (415, &"identity".parse().unwrap())
        );
        assert!(text(response).await.contains("`Content-Encoding: gzip`"), "{path}");
    }
    let response = send(&server, Request::post("/echo").header("content-encoding", "identity"), "{}").await;
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn a_body_over_the_limit_is_rejected_with_and_without_content_length() {
    let server = server(Options { max_body: 4, ..Options::default() });
    let with_length = send(&server, Request::post("/echo").header("content-length", "5"), "12345").await;
    assert_eq!(with_length.status(), 413);
    let message = "request body is larger than the limit of 4 bytes";
    assert!(text(with_length).await.contains(message));
    let without_length = send(&server, Request::post("/echo"), "12345").await;
    assert_eq!(without_length.status(), 413);
    assert!(text(without_length).await.contains(message));
    assert_eq!(text(send(&server, Request::post("/echo"), "1234").await).await, "1234");
}

#[tokio::test]
async fn a_request_beyond_the_limit_is_shed_and_probes_still_respond() {
    let server = server(Options { max_requests: 1, ..Options::default() });
    let busy = tokio::spawn(server.clone().oneshot(Request::get("/slow").body(Body::empty()).unwrap()));
    tokio::task::yield_now().await;
    let response = send(&server, Request::get("/things/1"), "").await;
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["retry-after"], "5");
    assert_eq!(send(&server, Request::get("/readyz/health"), "").await.status(), 200);
    busy.abort();
}

fn preflight(origin: &str) -> http::request::Builder {
    Request::options("/things/1").header("origin", origin).header("access-control-request-method", "PATCH")
}

#[tokio::test]
async fn cors_is_off_by_default() {
    let response = send(&server(Options::default()), preflight("https://a.example"), "").await;
    assert_eq!(response.status(), 204);
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    assert!(!response.headers().contains_key("access-control-allow-methods"));
}

#[tokio::test]
async fn an_allowed_origin_may_patch_and_read_the_exposed_headers() {
    let cors = Cors::new(["https://a.example".to_owned()]);
    let server = server(Options { cors, ..Options::default() });

    let response = send(&server, preflight("https://a.example"), "").await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], "https://a.example");
    assert_eq!(response.headers()["access-control-allow-methods"], "PATCH");

    let response = send(&server, Request::get("/things/1").header("origin", "https://a.example"), "").await;
    assert_eq!(response.headers()["access-control-allow-origin"], "https://a.example");
    let exposed = "Link, Deprecation, Sunset, ETag, Location, X-Request-Id";
    assert_eq!(response.headers()["access-control-expose-headers"], exposed);
    assert_eq!(response.headers()["vary"], "Origin");

    let response = send(&server, Request::get("/things/1").header("origin", "https://b.example"), "").await;
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    assert_eq!(response.headers()["vary"], "Origin");

    let plain = send(&server, Request::options("/things/1").header("origin", "https://a.example"), "").await;
    assert_eq!(plain.headers()["allow"], "GET,HEAD");
}
