//! Sources of type `hf`: models of a Hugging Face hub, read over its API.
//!
//! Limits what a source may do to the network: hosts by an allow list, no private addresses unless allowed, and the number of
//! parallel requests. The token of a source is sent to the host of the source only, and never logged.

mod access;
mod client;
mod error;
mod mapping;
mod model;
mod preview;
mod progress;
mod proxies;
mod rate_limit_headers;
mod rate_limiter;
mod selector;
mod settings;
mod sync;

pub(crate) use self::access::CheckedResolver;
pub use self::access::HubAccess;
pub use self::preview::{Preview, preview};
pub use self::progress::Progress;
pub use self::proxies::Proxies;
pub use self::rate_limiter::RateLimiters;
pub(crate) use self::settings::{back_off, selectors};
pub(crate) use self::settings::{is_hub_source, sync_fingerprint, sync_interval};
pub use self::sync::{KnownModel, ModelBatch, SyncContext, SyncOutcome, SyncReport, sync};

/// Custom properties with the state in which a model was read: the next sync reads it again if one of them differs.
pub const REVISION: &str = "hf_revision";
pub const GATED: &str = "hf_gated";
pub const PRIVATE: &str = "hf_private";
