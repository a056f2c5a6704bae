//! Rejects writes that a web page of another origin sends: cross-site request forgery.
//!
//! A page may send some requests to any server without the server's consent, for example a POST with the content type
//! `text/plain`; CORS only keeps it from reading the response. Browsers say where a request comes from: by
//! `Sec-Fetch-Site`, and by `Origin` in older ones. Clients that are not browsers send neither and are not affected.

use axum::extract::Request;
use http::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN};
use http::{Method, Uri};

use super::Cors;
use crate::ApiError;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Maximum length of an origin in a message, in characters.
const LONGEST_SHOWN: usize = 100;

/// Rejects a request that may change data and that a page of another origin sent, unless CORS allows the origin.
pub(super) fn check(request: &Request, cors: &Cors) -> Result<(), ApiError> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
        || is_of_this_origin(request)
        || is_allowed(request.headers(), cors)
    {
        return Ok(());
    }
    let origin = request.headers().get(ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()));
    let origin: String = origin.as_deref().unwrap_or("another site").chars().take(LONGEST_SHOWN).collect();
    tracing::info!(origin, "rejected: a web page of another origin may not change data");
    Err(ApiError::Forbidden(format!(
        "a web page of another origin (`{origin}`) may not change data: start the server with --cors-allowed-origins \
         (MR_CORS_ALLOWED_ORIGINS) if it should"
    )))
}

fn is_of_this_origin(request: &Request) -> bool {
    let mut sites = request.headers().get_all(SEC_FETCH_SITE).into_iter().peekable();
    if sites.peek().is_some() {
        // `none`: the user typed the URL. `same-site` is another origin: another port of this machine, for example.
        return sites.all(|site| site == "same-origin" || site == "none");
    }
    let mut origins = request.headers().get_all(ORIGIN).into_iter();
    origins.all(|origin| is_origin_of_host(origin, request))
}

/// Compares the host and port of an origin with those of the request. The scheme is not compared, because a proxy may
/// have terminated TLS.
fn is_origin_of_host(origin: &HeaderValue, request: &Request) -> bool {
    let Some(origin) = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok()) else { return false };
    let Some(origin_host) = origin.authority() else { return false };
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    host.is_some_and(|host| host.eq_ignore_ascii_case(origin_host.as_str()))
}

fn is_allowed(headers: &HeaderMap, cors: &Cors) -> bool {
    let mut origins = headers.get_all(ORIGIN).into_iter().peekable();
    origins.peek().is_some() && origins.all(|origin| cors.allows(origin))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn check(method: &str, headers: &[(&str, &str)], allowed: &[&str]) -> Result<(), String> {
        let mut request = Request::builder().method(method).uri("/x").header("host", "127.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let cors = Cors::new(allowed.iter().map(ToString::to_string));
        super::check(&request.body(Body::empty()).unwrap(), &cors).map_err(|error| error.to_string())
    }

    #[test]
    fn a_write_from_a_page_of_another_origin_is_rejected_with_the_setting() {
        for headers in [
            &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")][..],
            &[("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:3000")],
            &[("sec-fetch-site", "unheard-of")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "http://127.0.0.1:3000")],
            &[("origin", "http://127.0.0.1")],
            &[("origin", "null")],
            &[("origin", "")],
            &[("origin", "http://127.0.0.1:8080"), ("origin", "https://evil.example")],
        ] {
            for method in ["POST", "PATCH", "PUT", "DELETE", "BREW"] {
                let error = check(method, headers, &["https://other.example"]).unwrap_err();
                assert!(error.contains("--cors-allowed-origins (MR_CORS_ALLOWED_ORIGINS)"), "{error}");
            }
            assert_eq!(check("GET", headers, &[]), Ok(()), "reading is the matter of CORS");
        }
    }

    #[test]
    fn scripts_own_pages_and_allowed_origins_may_write() {
        for headers in [
            &[][..],
            &[("content-type", "text/plain")],
            &[("sec-fetch-site", "same-origin"), ("origin", "http://127.0.0.1:8080")],
            // A proxy that changes the host.
            &[("sec-fetch-site", "same-origin"), ("origin", "https://registry.example.org")],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://127.0.0.1:8080")],
            &[("origin", "https://hub.example"), ("sec-fetch-site", "cross-site")],
        ] {
            assert_eq!(check("POST", headers, &["https://hub.example"]), Ok(()), "{headers:?}");
        }
        let any = check("POST", &[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")], &["*"]);
        assert_eq!(any, Ok(()));
    }

    #[test]
    fn the_authority_of_http2_counts_as_the_host() {
        let request = |origin: &str| {
            let request = Request::post("http://127.0.0.1:8080/x").header("origin", origin);
            super::check(&request.body(Body::empty()).unwrap(), &Cors::default())
        };
        assert!(request("http://127.0.0.1:8080").is_ok());
        assert!(request("http://evil.example").is_err());
    }
}
