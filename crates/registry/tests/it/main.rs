//! The registry's API, driven in process on every database that is there.

mod contract;
mod golden;
mod openapi;
mod support;
