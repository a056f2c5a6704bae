//! The client with the real registry over a socket, and with faulty servers.

#![expect(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod catalog;
mod changes;
mod entities;
mod failures;
mod guide;
mod lists;
mod operations;
mod support;
