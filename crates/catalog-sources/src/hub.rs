//! Sources of type `hf`: models of a Hugging Face hub, read over its API.
//!
//! What a source may do to the network is decided here: which hosts, which addresses, how many requests at once. Its token
//! goes to the source's own host and nowhere else, and is never logged.

mod address;
mod client;
mod gate;
mod limits;
mod mapping;
mod measured;
mod pattern;
mod preview;
mod progress;
mod settings;
mod sync;

pub use address::HubAccess;
pub use gate::Gates;
pub use measured::Measured;
pub use preview::{Preview, preview};
pub use progress::Progress;
pub use settings::{duration, fingerprint, interval, is_read, pause, wanted};
pub use sync::{Asking, Batch, Ending, Seen, Synced, sync};

/// The custom properties that tell whether a model is as it was read: the cursor of the next sync.
pub const REVISION: &str = "hf_revision";
pub const GATED: &str = "hf_gated";
pub const PRIVATE: &str = "hf_private";
