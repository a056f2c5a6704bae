//! The registry's API, driven in process on every database that is there.

mod artifacts;
mod bad_input;
mod conditional_requests;
mod contract;
mod custom_properties;
mod entities;
mod filters;
mod golden;
mod idempotency;
mod lists;
mod metrics;
mod names;
mod openapi;
mod register;
mod serving;
mod statements;
mod support;
mod v1;
