//! A router that arrives after the socket has opened: probes and load balancers get an answer while the database is
//! still being connected and migrated.

use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures::FutureExt;
use futures::future::BoxFuture;
use tower::{Service, ServiceExt};

use crate::ApiError;

/// The place a router is put into once it can answer; cheap to clone.
#[derive(Clone)]
pub struct LateRouter {
    slot: Arc<OnceLock<Router>>,
    message: &'static str,
}

impl LateRouter {
    /// Makes an empty place; `message` is what every request is told (503) until it is filled.
    pub fn new(message: &'static str) -> Self {
        Self { slot: Arc::default(), message }
    }

    /// Fills the place, once; later calls change nothing.
    pub fn install(&self, router: Router) {
        let _ = self.slot.set(router);
    }

    /// Tells whether the real router is in place.
    pub fn is_installed(&self) -> bool {
        self.slot.get().is_some()
    }

    /// Returns the router to serve from the first moment on.
    pub fn router(&self) -> Router {
        Router::new().fallback_service(self.clone())
    }
}

impl Service<Request> for LateRouter {
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if let Some(router) = self.slot.get() {
            return router.clone().oneshot(request).boxed();
        }
        let response = ApiError::Unavailable(self.message.to_owned()).into_response();
        futures::future::ready(Ok(response)).boxed()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;

    use super::*;
    use crate::metrics::Metrics;
    use crate::response::tests::text;
    use crate::{fallback, layers};

    #[tokio::test]
    async fn answers_503_until_the_router_is_there() {
        let late = LateRouter::new("still starting");
        let send = |late: &LateRouter| late.router().oneshot(Request::get("/hello").body(Body::empty()).unwrap());

        let response = send(&late).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(text(response).await, r#"{"code":"Service Unavailable","message":"still starting"}"#);

        late.install(Router::new().route("/hello", get(|| async { "hello" })));
        assert_eq!(text(send(&late).await.unwrap()).await, "hello");
    }

    #[tokio::test]
    async fn the_layers_around_it_see_the_route_inside() {
        let late = LateRouter::new("still starting");
        late.install(fallback::finish(Router::new().route("/things/{id}", get(|| async { "thing" }))));
        let metrics = Metrics::new(&[]);
        let options = layers::Options { metrics: Some(metrics.clone()), ..layers::Options::default() };
        let request = Request::get("/things/1").body(Body::empty()).unwrap();
        assert_eq!(layers::wrap(late.router(), options).oneshot(request).await.unwrap().status(), 200);
        assert!(metrics.encode().unwrap().contains(r#"route="/things/{id}",method="GET",status="200"} 1"#));
    }
}
