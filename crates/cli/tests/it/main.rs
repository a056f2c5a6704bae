//! The real executable, driven from outside: by the published Python clients, by signals, by databases that come and go.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod backup;
mod change_feed;
mod concurrency;
mod crash;
mod outage;
mod python_client;
mod startup;
mod support;
