//! Small helpers that every crate may use: durations of settings, times in RFC 3339.
//!
//! It does no I/O and knows neither SQL, HTTP nor any entity. To add a helper: one file with its tests, named after what
//! it does; only what at least two crates need belongs here.

mod duration;
pub mod time;

pub use duration::{InvalidDuration, parse_duration};
