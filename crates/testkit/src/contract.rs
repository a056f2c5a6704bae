//! Compares an OpenAPI document with a contract: the wire form that existing clients were generated from.
//!
//! Every operation with its parameters, bodies, answers and links, and every schema with its fields; references and
//! `allOf` are resolved first. What differs on purpose is listed with reasons, and nothing else may differ; an entry that
//! no difference needs any more has to go.

// Only tests call this: what is wrong fails them.
#![expect(clippy::unwrap_used, reason = "what cannot be compared fails the test")]

mod compare;
mod intended;
mod resolve;

use serde_json::Value;

pub use compare::{compare, operations};
pub use intended::{Intended, because};

/// Fails with every difference that no table lists, and every entry of a table that matches none.
///
/// # Panics
///
/// That is how it fails.
pub fn check(contract: &Value, ours: &Value, bases: &[&str], tables: &[&[Intended]]) {
    let differences = compare(contract, ours, bases);
    let table: Vec<&Intended> = tables.iter().copied().flatten().collect();
    let unlisted = differences.iter().filter(|difference| !table.iter().any(|entry| entry.covers(difference)));
    let stale = table.iter().filter(|entry| !differences.iter().any(|difference| entry.covers(difference)));
    let unlisted: Vec<_> = unlisted.map(String::as_str).collect();
    let stale: Vec<_> = stale.map(|entry| entry.pattern).collect();
    assert!(
        unlisted.is_empty() && stale.is_empty(),
        "{} differences are not listed:\n  {}\n{} entries of the list match no difference:\n  {}",
        unlisted.len(),
        unlisted.join("\n  "),
        stale.len(),
        stale.join("\n  ")
    );
}
