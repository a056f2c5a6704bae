//! The real executable, driven from outside: by the published Python clients, by signals, by databases that come and go.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod command_line;
mod concurrency;
mod crash;
mod outage;
mod protocol;
mod python_client;
mod schemathesis;
mod startup;
mod support;
