//! Small helpers that every crate may use: clock, digests, durations of settings, times in RFC 3339, hexadecimal
//! digits, blocking work and its cancellation, limited reading of files, the memory budget of requests, the nearest known name,
//! page tokens, redaction of secrets, causes of failed connections, addresses that rules refuse.
//!
//! It knows neither SQL, HTTP nor any entity. To add a helper: one file with its tests, named after
//! what it does; only what at least two crates need belongs here.

mod blocking;
mod cancellation;
mod clock;
mod connection_problem;
mod digest;
mod duration;
mod environment;
mod excerpt;
pub mod files;
mod hex;
mod memory_budget;
mod nearest_name;
mod page_token;
mod redaction;
mod refused_address;
pub mod time;

pub use blocking::{run_blocking, run_cancellable, run_while_awaited};
pub use cancellation::{Cancellation, Cancelled};
pub use clock::Clock;
pub use connection_problem::{ConnectionProblem, error_chain};
pub use digest::{Fnv1a, digest_of_parts};
pub use duration::{InvalidDuration, parse_duration};
pub use environment::Environment;
pub use excerpt::{LONGEST_MESSAGE, excerpt};
pub use hex::hex;
pub use memory_budget::{MemoryBudget, MemoryPool, MemoryShare};
pub use nearest_name::{nearest_by_edits, nearest_name};
pub use page_token::{PageTokenProblem, decode_page_token, encode_page_token};
pub use redaction::{REDACTED, may_contain_secret, redact, redact_url};
pub use refused_address::RefusedAddress;
