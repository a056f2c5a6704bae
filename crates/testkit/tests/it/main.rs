//! Starts real servers; those that are not installed are skipped with a message.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod databases;
mod executable;
mod replay;
