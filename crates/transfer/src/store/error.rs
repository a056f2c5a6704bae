//! Errors of object stores, as errors of a transfer.

use std::error::Error as _;

use model_registry_base::{ConnectionProblem, RefusedAddress, excerpt, redact};
use object_store::Error;
use object_store::client::HttpError;

use crate::error::TransferError;

/// Longest part of a response that a message shows.
const LONGEST_DETAIL: usize = 300;

/// Codes of responses, in errors that `object_store` does not distinguish.
const REFUSED: [&str; 6] = [
    "<Code>AccessDenied<",
    "<Code>ExpiredToken<",
    "<Code>InvalidAccessKeyId<",
    "<Code>SignatureDoesNotMatch<",
    "status code: 401",
    "status code: 403",
];
const MISSING: [&str; 4] =
    ["<Code>NoSuchBucket<", "<Code>NoSuchKey<", "<Code>NoSuchUpload<", "<Code>ContainerNotFound<"];

fn has_code(error: &Error, codes: &[&str]) -> bool {
    let text = error.to_string();
    codes.iter().any(|code| text.contains(code))
}

/// Converts an error about an object or a bucket.
pub(crate) fn from_store(at: impl Into<String>, error: &Error) -> TransferError {
    let at = at.into();
    if let Some(refused) = RefusedAddress::of(error) {
        return TransferError::refused(at, refused);
    }
    match error {
        Error::NotFound { .. } => TransferError::not_found(at, reason(error)),
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
            TransferError::denied(at, format!("{}: check the credentials and their rights", reason(error)))
        }
        Error::Precondition { .. } => TransferError::Changed { at },
        Error::InvalidPath { source } => {
            let reason = source.to_string().escape_debug().to_string();
            TransferError::Names(format!("{at}: the name of an object is refused: {}", excerpt(&reason)))
        }
        _ if has_code(error, &REFUSED) => {
            TransferError::denied(at, format!("{}: check the credentials and their rights", reason(error)))
        }
        _ if has_code(error, &MISSING) => TransferError::not_found(at, reason(error)),
        _ if is_connection(error) => TransferError::unavailable(at, connection_reason(error)),
        _ => TransferError::failed(at, reason(error)),
    }
}

fn is_connection(error: &Error) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<HttpError>() {
            return true;
        }
        source = error.source();
    }
    // The status of a store that stayed busy.
    let text = error.to_string();
    ["status code: 429", "status code: 5"].iter().any(|status| text.contains(status))
}

fn connection_reason(error: &Error) -> String {
    match ConnectionProblem::of(error) {
        Some(problem) => format!("{}: {}", reason(error), problem.remedy()),
        None => reason(error),
    }
}

/// The useful part of the message: the code and message of an XML response, or the end of the chain.
fn reason(error: &Error) -> String {
    let text = error.to_string();
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once('<').map(|(value, _)| value.trim().to_owned())
    };
    if let Some(code) = element("Code") {
        let message = element("Message").filter(|message| !message.is_empty());
        return message.map_or_else(|| code.clone(), |message| format!("{message} ({code})"));
    }
    let mut text = redact(&text);
    if let Some((end, _)) = text.char_indices().nth(LONGEST_DETAIL) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(text: &str) -> Error {
        Error::Generic { store: "S3", source: text.to_owned().into() }
    }

    #[test]
    fn the_code_and_message_of_a_response_are_shown() {
        let body = "status code: 400: <?xml?><Error><Code>NoSuchBucket</Code><Message>The bucket does not exist</Message></Error>";
        let error = from_store("s3://b/a", &generic(body));
        assert_eq!(error.to_string(), "s3://b/a: not found: The bucket does not exist (NoSuchBucket)");
        let refused = from_store(
            "s3://b/a",
            &generic("status code: 403 Forbidden: <Error><Code>SignatureDoesNotMatch</Code></Error>"),
        );
        assert!(matches!(refused, TransferError::Denied { .. }), "{refused}");
    }

    #[test]
    fn a_busy_store_may_pass_and_a_long_message_is_cut() {
        assert!(from_store("s3://b/a", &generic("returned non-2xx status code: 503: ")).is_temporary());
        let error = from_store("s3://b/a", &generic(&"x".repeat(5_000)));
        assert!(!error.is_temporary() && error.to_string().len() < 400);
    }
}
