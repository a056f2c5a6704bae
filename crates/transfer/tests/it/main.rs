//! Transfers against real and failing servers.

#![expect(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod archives;
mod directories;
mod google;
mod hub;
mod images;
mod interruptions;
mod s3;
mod support;
mod web;
