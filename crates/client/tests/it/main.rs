//! The client against the real registry over a socket, and against servers that misbehave.

#![expect(clippy::unwrap_used, reason = "what a helper of the tests cannot do fails the test")]

mod catalog;
mod changes;
mod entities;
mod failures;
mod guide;
mod lists;
mod operations;
mod support;
