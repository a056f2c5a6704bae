//! The catalog's API, driven in process on every database that is there.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod conformity;
mod contract;
mod filters;
mod golden;
mod hub;
mod index;
mod limits;
mod measurements;
mod notices;
mod openapi;
mod pages;
mod parity;
mod preview;
mod reload;
mod replicas;
mod search;
mod support;
