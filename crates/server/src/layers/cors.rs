//! CORS (cross-origin requests): browsers block them unless origins are configured.
//!
//! This answers preflights only (`OPTIONS` with `Access-Control-Request-Method`); the router answers other `OPTIONS`
//! requests with the methods of the path.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::Method;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Headers that a page may send, as they are spelled in responses.
const REQUEST_HEADERS: [&str; 10] = [
    "Accept",
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Origin",
    "Traceparent",
    "X-CSRF-Token",
    "X-Request-Id",
];
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("Link, Deprecation, Sunset, ETag, Location, X-Request-Id");
/// How long a browser may cache a preflight, in seconds.
const MAX_AGE: HeaderValue = HeaderValue::from_static("300");

/// The allowed origins; cookies are never allowed.
///
/// An entry is an origin such as `https://hub.example.org`, or one with a single `*` for any characters, such as
/// `https://*.example.org`; `*` alone allows every origin. Case does not matter.
#[derive(Clone, Debug, Default)]
pub struct Cors {
    origins: Vec<String>,
}

impl Cors {
    /// Allows these origins; blanks around them do not count.
    pub fn new(origins: impl IntoIterator<Item = String>) -> Self {
        let origins = origins.into_iter().map(|origin| origin.trim().to_ascii_lowercase());
        Self { origins: origins.filter(|origin| !origin.is_empty()).collect() }
    }

    /// Whether pages of this origin may call the API.
    pub(super) fn allows(&self, origin: &HeaderValue) -> bool {
        let Ok(origin) = origin.to_str() else { return false };
        let origin = origin.to_ascii_lowercase();
        self.origins.iter().any(|allowed| matches(allowed, &origin))
    }

    fn allows_all(&self) -> bool {
        self.origins.iter().any(|origin| origin == "*")
    }

    /// Answers a preflight; `None` for other requests, and where CORS is off.
    pub(super) fn preflight(&self, request: &Request) -> Option<Response> {
        if self.origins.is_empty() || !is_preflight(request.method(), request.headers()) {
            return None;
        }
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        for name in [ACCESS_CONTROL_REQUEST_METHOD, ACCESS_CONTROL_REQUEST_HEADERS] {
            headers.append(VARY, name.into());
        }
        let allowed_origin = request.headers().get(ORIGIN).is_some_and(|origin| self.allows(origin));
        if let (true, Some(method), Some(names)) =
            (allowed_origin, requested_method(request.headers()), requested_headers(request.headers()))
        {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(method));
            if let Ok(names) = HeaderValue::from_str(&names.join(", "))
                && !names.is_empty()
            {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
            }
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
        Some(response)
    }

    /// Adds the CORS headers to a response if its origin is allowed.
    pub(super) fn decorate(&self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        headers.append(VARY, HeaderValue::from_static("Origin"));
        // A preflight whose method or headers are not allowed names no origin either.
        let is_refused_preflight = headers.get_all(VARY).iter().any(|vary| vary == "access-control-request-method")
            && !headers.contains_key(ACCESS_CONTROL_ALLOW_METHODS);
        if let Some(origin) = origin.filter(|origin| !is_refused_preflight && self.allows(origin)) {
            let allowed = if self.allows_all() { HeaderValue::from_static("*") } else { origin };
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
    }
}

/// Whether a browser asks before it sends the request of a page.
fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The requested method; `None` if it is not allowed.
fn requested_method(headers: &HeaderMap) -> Option<&'static str> {
    let requested = headers.get(ACCESS_CONTROL_REQUEST_METHOD)?;
    METHODS.into_iter().find(|method| method.as_bytes() == requested.as_bytes())
}

/// The requested headers in their usual spelling; `None` if one of them is not allowed.
fn requested_headers(headers: &HeaderMap) -> Option<Vec<&'static str>> {
    let mut found = Vec::new();
    for value in headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        for name in value.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            found.push(REQUEST_HEADERS.into_iter().find(|allowed| allowed.eq_ignore_ascii_case(name))?);
        }
    }
    Some(found)
}

/// Whether an origin matches an entry of the list; both are in lower case.
fn matches(allowed: &str, origin: &str) -> bool {
    match allowed.split_once('*') {
        None => allowed == origin,
        Some((before, after)) => {
            origin.len() >= before.len() + after.len() && origin.starts_with(before) && origin.ends_with(after)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        Cors::new(origins.iter().map(|origin| (*origin).to_owned()))
    }

    #[test]
    fn an_origin_matches_exactly_or_by_one_wildcard_without_regard_to_case() {
        let cors = cors(&["https://dash.example.com", " https://*.lab.example.com "]);
        for (origin, expected) in [
            ("https://dash.example.com", true),
            ("HTTPS://Dash.Example.com", true),
            ("https://tide.lab.example.com", true),
            ("https://lab.example.com", false),
            ("https://dash.example.com.evil.example", false),
            ("http://dash.example.com", false),
            ("null", false),
        ] {
            assert_eq!(cors.allows(&HeaderValue::from_static(origin)), expected, "{origin}");
        }
    }

    fn preflight(cors: &Cors, method: &str, requested: &str) -> HeaderMap {
        let request = Request::builder()
            .method("OPTIONS")
            .header("origin", "https://a")
            .header("access-control-request-method", method)
            .header("access-control-request-headers", requested)
            .body(Body::empty())
            .unwrap();
        let mut response = cors.preflight(&request).unwrap();
        assert_eq!(response.status(), 200);
        cors.decorate(request.headers().get(ORIGIN).cloned(), response.headers_mut());
        response.headers().clone()
    }

    #[test]
    fn a_preflight_is_allowed_with_what_it_requests_and_refused_without_naming_the_origin() {
        let cors = cors(&["https://a"]);
        let allowed = preflight(&cors, "PATCH", "content-type, x-csrf-token");
        assert_eq!(allowed["access-control-allow-methods"], "PATCH");
        assert_eq!(allowed["access-control-allow-headers"], "Content-Type, X-CSRF-Token");
        assert_eq!(allowed["access-control-allow-origin"], "https://a");
        assert_eq!(allowed["access-control-max-age"], "300");
        assert_eq!(allowed.get_all("vary").iter().count(), 3);
        for refused in [preflight(&cors, "TRACE", ""), preflight(&cors, "GET", "kubeflow-userid")] {
            let names: Vec<_> = refused.keys().map(http::HeaderName::as_str).collect();
            assert_eq!(names, ["vary"]);
        }
    }

    #[test]
    fn a_lone_star_allows_every_origin_literally() {
        let cors = cors(&["*"]);
        let mut headers = HeaderMap::new();
        cors.decorate(Some(HeaderValue::from_static("https://x")), &mut headers);
        assert_eq!(headers["access-control-allow-origin"], "*");
    }
}
