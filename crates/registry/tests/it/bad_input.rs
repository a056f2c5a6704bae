//! Whatever a client sends is answered with 4xx and `{"code","message"}`, on every database.

mod bodies;
mod fields;
mod ids;
mod queries;

use serde_json::Value;

use crate::support::Answer;

/// Checks that the answer is a refusal that a client can read, and gives its message.
#[track_caller]
fn refusal(answer: &Answer, what: &str) -> String {
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!((400..500).contains(&answer.status), "{what}: {} {text}", answer.status);
    let body: Value = serde_json::from_slice(&answer.bytes)
        .unwrap_or_else(|error| panic!("{what}: {} {error}: {text}", answer.status));
    let members: Vec<_> = body.as_object().unwrap_or_else(|| panic!("{what}: {text}")).keys().collect();
    assert_eq!(members, ["code", "message"], "{what}: {text}");
    assert_ne!(body["code"], "", "{what}: {text}");
    let message = body["message"].as_str().unwrap_or_default().to_owned();
    assert!(!message.is_empty(), "{what}: {text}");
    message
}
