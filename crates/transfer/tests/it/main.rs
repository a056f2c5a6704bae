//! Transfers against real and failing servers.

#![expect(clippy::unwrap_used, reason = "a failing helper fails the test")]

mod archives;
mod directories;
mod foreign_stores;
mod google;
mod hostile;
mod hub;
mod images;
mod interruptions;
mod network;
mod s3;
mod support;
mod web;
