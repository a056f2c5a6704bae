//! The registry's API, driven in process on every database that is there.

mod artifacts;
mod backup;
mod bad_input;
mod changes;
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
mod odd_requests;
mod openapi;
mod random_filters;
mod random_pages;
mod register;
mod serving;
mod statements;
mod support;
mod v1;
