//! The registry's API, driven in process on every database that is there.

mod backup;
mod bad_input;
mod changes;
mod golden;
mod support;
