//! Responses of a router to unknown paths and methods: JSON errors.

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode, Uri};

use crate::ApiError;
use crate::request::RequestContext;

/// Completes a router: JSON 404 for unknown paths, JSON 405 with `Allow` for other methods, 204 with `Allow` for
/// OPTIONS. Call it once, after the last route. Every GET route handles HEAD already.
pub fn finish<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .method_not_allowed_fallback(other_method)
        .route_layer(middleware::from_fn(record_route))
        .fallback(unknown_path)
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::NotFound(format!("no such path: {}", uri.path()))
}

// axum adds the `Allow` header to this response.
async fn other_method(method: Method) -> Response {
    if method == Method::OPTIONS {
        return StatusCode::NO_CONTENT.into_response();
    }
    ApiError::MethodNotAllowed.into_response()
}

/// Records the matched route for the outer layers, which run before routing.
async fn record_route(request: Request, next: Next) -> Response {
    if let Some(context) = request.extensions().get::<RequestContext>()
        && let Some(route) = request.extensions().get::<MatchedPath>()
    {
        context.set_route(route.as_str());
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;
    use crate::response::tests::text;

    async fn send(method: &str, path: &str) -> Response {
        let router =
            finish(Router::new().route("/things/{id}", get(|| async { "thing" }).patch(|| async { "changed" })));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn an_unknown_path_is_a_json_404() {
        for path in ["/", "/things", "/things/1/"] {
            let response = send("GET", path).await;
            assert_eq!(response.status(), 404);
            let expected = format!(r#"{{"code":"Not Found","message":"no such path: {path}"}}"#);
            assert_eq!(text(response).await, expected);
        }
    }

    #[tokio::test]
    async fn another_method_is_a_json_405_with_the_allowed_methods() {
        let response = send("DELETE", "/things/1").await;
        assert_eq!(response.status(), 405);
        assert_eq!(response.headers()["allow"], "GET,HEAD,PATCH");
        assert_eq!(text(response).await, r#"{"code":"Method Not Allowed","message":"method not allowed"}"#);
    }

    #[tokio::test]
    async fn options_responds_with_the_allowed_methods_and_no_body() {
        let response = send("OPTIONS", "/things/1").await;
        assert_eq!(response.status(), 204);
        assert_eq!(response.headers()["allow"], "GET,HEAD,PATCH");
        assert_eq!(text(response).await, "");
    }

    #[tokio::test]
    async fn a_preflight_without_cors_has_no_cors_headers() {
        let router = finish(Router::new().route("/things/{id}", get(|| async { "thing" })));
        let request = Request::builder().method("OPTIONS").header("access-control-request-method", "GET");
        let response = router.oneshot(request.uri("/things/1").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!((response.status().as_u16(), &response.headers()["allow"]), (204, &"GET,HEAD".parse().unwrap()));
        assert!(response.headers().keys().all(|name| !name.as_str().starts_with("access-control-")));
    }

    #[tokio::test]
    async fn head_responds_like_get_without_a_body() {
        let response = send("HEAD", "/things/1").await;
        assert_eq!(response.status(), 200);
        assert_eq!(text(response).await, "");
    }
}
