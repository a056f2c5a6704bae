//! Bodies are not decompressed: a compressed one is rejected with its header, rather than as a body that is not JSON.

use axum::body::HttpBody;
use axum::extract::Request;
use http::header::CONTENT_ENCODING;

use crate::ApiError;

/// Characters of the header in the message.
const SHOWN: usize = 40;

/// Rejects a body with a `Content-Encoding` other than `identity`.
pub(super) fn check(request: &Request) -> Result<(), ApiError> {
    if request.body().is_end_stream() {
        return Ok(());
    }
    let is_identity = |coding: &str| coding.trim().is_empty() || coding.trim().eq_ignore_ascii_case("identity");
    let codings = request.headers().get_all(CONTENT_ENCODING).iter();
    let mut others = codings
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .filter(|codings| !codings.split(',').all(is_identity));
    match others.next() {
        None => Ok(()),
        Some(codings) => {
            let shown: String = codings.chars().take(SHOWN).collect();
            Err(ApiError::UnsupportedMediaType(format!(
                "the request has the header `Content-Encoding: {shown}`, but compressed bodies are not supported: send the body \
                 as it is, without the header or with `identity`"
            )))
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn checked(codings: &[&[u8]], body: &'static str) -> Result<(), String> {
        let mut request = Request::post("/").body(Body::from(body)).unwrap();
        for coding in codings {
            request.headers_mut().append(CONTENT_ENCODING, http::HeaderValue::from_bytes(coding).unwrap());
        }
        check(&request).map_err(|error| {
            assert_eq!(error.status(), 415);
            error.to_string()
        })
    }

    #[test]
    fn only_identity_is_accepted() {
        for codings in [&[][..], &[&b"identity"[..]], &[b" Identity , identity"], &[b""], &[b"identity", b"IDENTITY"]] {
            assert_eq!(checked(codings, "{}"), Ok(()), "{codings:?}");
        }
        for codings in [&[&b"gzip"[..]][..], &[b"identity, br"], &[b"identity", b"zstd"], &[b"\xff"]] {
            let message = checked(codings, "{}").unwrap_err();
            assert!(message.starts_with("the request has the header `Content-Encoding: "), "{message}");
        }
        assert!(checked(&[&[b'x'; 4096]], "{}").unwrap_err().len() < 250);
    }

    #[test]
    fn without_a_body_the_header_has_no_meaning() {
        assert_eq!(checked(&[b"gzip"], ""), Ok(()));
    }
}
