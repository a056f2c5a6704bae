//! The registry's API, driven in process on every database that is there.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod backup;
mod bad_input;
mod changes;
mod golden;
mod support;
