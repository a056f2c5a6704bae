//! Compares an OpenAPI document with a contract: the document that existing clients were generated from.
//!
//! Compares every operation with its parameters, bodies, responses and links, and every schema with its fields, after
//! resolving references and `allOf`. Intended differences are listed with a reason each; any other difference fails, and
//! so does an entry of the list that matches no difference.

// Only tests call this.
#![expect(clippy::unwrap_used, reason = "a malformed document fails the test")]

mod compare;
mod intended;
mod resolve;

use serde_json::Value;

pub use compare::{compare, operations};
pub use intended::{Intended, because};

/// Compares the documents and checks the differences against the tables of intended ones.
///
/// # Panics
///
/// When a difference is not in a table, or an entry of a table matches no difference; the message lists both.
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
