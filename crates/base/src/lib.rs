//! Small helpers that every crate may use: clock, digests, durations of settings, times in RFC 3339, hexadecimal
//! digits, blocking work, the nearest known name, redaction of secrets.
//!
//! It does no I/O and knows neither SQL, HTTP nor any entity. To add a helper: one file with its tests, named after
//! what it does; only what at least two crates need belongs here.

mod clock;
mod connection_problem;
mod digest;
mod duration;
mod environment;
mod hex;
mod nearest_name;
mod redaction;
mod run_blocking;
pub mod time;

pub use clock::Clock;
pub use connection_problem::{ConnectionProblem, error_chain};
pub use digest::{Fnv1a, digest_of_parts};
pub use duration::{InvalidDuration, parse_duration};
pub use environment::Environment;
pub use hex::hex;
pub use nearest_name::nearest_name;
pub use redaction::{REDACTED, may_contain_secret, redact, redact_url};
pub use run_blocking::run_blocking;
