//! Programs that run once in a pod: the storage initializer of KServe, which fetches the files of a model, and the upload job, which
//! copies them to a store and registers them.
//!
//! **What it is for.** [`storage_initializer`] and [`upload_job`] are the two programs, without their command lines. The rules are
//! pure and next to their tests: the grammar of `model-registry://` ([`RegistryUri`]), the addresses that are never connected
//! ([`blocked`]), the allowed prefixes ([`AllowedPrefixes`]), the options of the job and all mistakes in them, the metadata of a
//! mounted `ConfigMap`. Around them, requests to the registry go through the client and bytes through `transfer`.
//!
//! **What it never does.** It knows no Kubernetes API, reads no variable of the process but that of the home
//! directory (the others come in as an [`Environment`](model_registry_base::Environment)), and shows no password, token or signature.
//!
//! **How to add an option of the upload job.** Its line in `upload_job/options.rs`, and its use in `upload_job/settings.rs`; the flag,
//! the variable and the help follow.

pub mod blocked;
mod kserve;
mod pod;
mod prefixes;
mod registered;
mod registry_uri;
pub mod storage_initializer;
pub mod upload_job;

pub use pod::{Inputs, Level, Log, TerminationFile};
pub use prefixes::AllowedPrefixes;
pub use registered::{FindError, RegisteredFiles, file_properties, find_files};
pub use registry_uri::{Candidate, Defaults, InvalidUri, RegistryUri};
