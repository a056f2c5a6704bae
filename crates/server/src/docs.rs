//! The API documentation at `/docs`: Swagger UI with the OpenAPI documents of this server. Its files are part of the
//! executable, so it works offline.

use std::borrow::Cow;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use utoipa_swagger_ui::{Config, Url};

use crate::ApiError;

/// The routes below `/docs`. `documents` are pairs of name and path; the page shows the first one initially.
pub fn router(documents: &[(&'static str, &'static str)]) -> Router {
    let config = Arc::new(match documents {
        [(_, url)] => Config::from(*url),
        // The page has a selector for several documents.
        several => Config::new(several.iter().map(|(name, url)| Url::new(name, url))),
    });
    let file = move |Path(path): Path<String>| {
        let config = Arc::clone(&config);
        async move { respond(&path, config) }
    };
    Router::new()
        .route("/docs", get(|| async { Redirect::permanent("/docs/index.html") }))
        .route("/docs/{*file}", get(file))
}

fn respond(path: &str, config: Arc<Config<'static>>) -> Response {
    match utoipa_swagger_ui::serve(path, config) {
        Ok(Some(file)) => {
            let bytes = match file.bytes {
                Cow::Borrowed(bytes) => bytes::Bytes::from_static(bytes),
                Cow::Owned(bytes) => bytes.into(),
            };
            let mut response = bytes.into_response();
            let content_type = HeaderValue::from_str(&file.content_type);
            response
                .headers_mut()
                .insert(CONTENT_TYPE, content_type.unwrap_or(HeaderValue::from_static("application/octet-stream")));
            if file.gzpipped {
                response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            response
        }
        Ok(None) => ApiError::NotFound(format!("no such path: /docs/{path}")).into_response(),
        Err(error) => ApiError::internal(error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use tower::ServiceExt;

    use super::*;
    use crate::response::tests::text;

    async fn get_text(path: &str) -> (u16, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = router(&[("Registry", "/openapi.json")]).oneshot(request).await.unwrap();
        (response.status().as_u16(), text(response).await)
    }

    #[tokio::test]
    async fn the_page_loads_everything_from_this_server() {
        let (status, page) = get_text("/docs/index.html").await;
        assert_eq!(status, 200);
        assert!(!page.contains("https://"), "{page}");
        let (status, script) = get_text("/docs/swagger-initializer.js").await;
        assert_eq!(status, 200);
        assert!(script.contains("/openapi.json"), "{script}");
        for part in ["swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js"] {
            assert_eq!(get_text(&format!("/docs/{part}")).await.0, 200, "{part}");
        }
        assert_eq!(get_text("/docs/none").await.0, 404);
        assert_eq!(get_text("/docs").await.0, 308);
    }

    #[tokio::test]
    async fn several_documents_are_listed_by_name() {
        let documents = [("Registry", "/openapi.json"), ("Catalog", "/catalog.json")];
        let request = Request::get("/docs/swagger-initializer.js").body(Body::empty()).unwrap();
        let script = text(router(&documents).oneshot(request).await.unwrap()).await;
        for part in ["Registry", "/openapi.json", "Catalog", "/catalog.json", "SwaggerUIStandalonePreset"] {
            assert!(script.contains(part), "{part}: {script}");
        }
    }
}
