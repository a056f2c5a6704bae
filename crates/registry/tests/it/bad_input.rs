//! Invalid requests get a 4xx response with `{"code","message"}`.

mod bodies;
mod fields;
mod ids;
mod queries;

use serde_json::Value;

use crate::support::Response;

/// Asserts that the response is a 4xx error with a JSON body, and returns its message.
#[track_caller]
fn error_message(response: &Response, context: &str) -> String {
    let text = String::from_utf8_lossy(&response.bytes).into_owned();
    assert!((400..500).contains(&response.status), "{context}: {} {text}", response.status);
    let body: Value = serde_json::from_slice(&response.bytes)
        .unwrap_or_else(|error| panic!("{context}: {} {error}: {text}", response.status));
    let members: Vec<_> = body.as_object().unwrap_or_else(|| panic!("{context}: {text}")).keys().collect();
    assert_eq!(members, ["code", "message"], "{context}: {text}");
    assert_ne!(body["code"], "", "{context}: {text}");
    let message = body["message"].as_str().unwrap_or_default().to_owned();
    assert!(!message.is_empty(), "{context}: {text}");
    message
}
