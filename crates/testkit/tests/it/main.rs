//! Starts real servers; what is not installed here is left out, and said.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod databases;
mod executable;
mod replay;
