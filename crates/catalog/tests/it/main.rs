//! The catalog's API, driven in process on every database that is there.

mod golden;
mod support;
