//! Moves the files of models: from an object store, a registry of images, a hub, a web server or a directory to an object store, a
//! registry of images or a directory.
//!
//! **What it is for.** [`copy`] takes two [`Location`]s. It lists the source, decides what the destination lacks, and copies that in
//! parts: several files and several parts of a file at the same time, within a fixed amount of memory. Requests that fail and may pass
//! are repeated; a broken stream goes on at its offset; a transfer that was killed continues with the parts that are missing.
//! Every byte goes through SHA-256, and what the source says about the digest of a file is verified. A file appears at the
//! destination when it is complete. [`Event`]s show the progress, and [`Stop`] ends a transfer with clean-up.
//!
//! **What it never does.** It knows no registry and no entity, reads no variable of the process (they come in as an
//! [`Environment`](model_registry_base::Environment)), prints nothing, writes nothing outside the destination and the directory for
//! states, and shows no password, token or signature in any text.
//!
//! **How to add a scheme.** A declaration in `location/scheme.rs`, its variant of [`Location`] and its parsing in
//! `location/parse.rs`; a [`Source`] in `source/` or a [`Destination`] in `destination/`; its line in `open.rs`. The
//! help, the messages about unknown schemes and the table of the manual follow from the declaration.
//!
//! ```
//! use model_registry_transfer::{Context, Location, Stop, TransferError, copy};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), TransferError> {
//! # let home = tempfile::tempdir().unwrap();
//! # std::env::set_current_dir(home.path()).unwrap();
//! # std::fs::create_dir("model").unwrap();
//! # std::fs::write("model/weights.bin", [7; 1000]).unwrap();
//! let source: Location = "model".parse()?;
//! let destination = Location::destination("copies/model")?;
//! let report = copy(&source, &destination, &Context::default(), &Stop::default()).await?;
//! println!("{} files, sha256 {}", report.files.len(), report.digest());
//! # assert_eq!(std::fs::read("copies/model/weights.bin").unwrap(), [7; 1000]);
//! # Ok(())
//! # }
//! ```

mod between;
mod destination;
mod digest;
mod endpoint;
mod engine;
mod error;
mod events;
mod images;
mod location;
mod names;
mod network;
mod open;
mod options;
mod plan;
mod relative_path;
mod retry;
mod source;
mod state_file;
mod stop;
mod store;
mod web;

pub use between::copy_between;
pub use digest::{InvalidDigest, RunningDigest, Sha256, tree_digest};
pub use endpoint::{
    ByteStream, Destination, Entry, Existing, FileWriter, Listing, Part, Published, Result, Shape, Source, WrittenFile,
};
pub use engine::{Ends, Report, transfer};
pub use error::TransferError;
pub use events::{Event, Observer, SharedObserver, no_observer};
pub use images::ImageSettings;
pub use location::{
    FileLocation, HubLocation, Location, ObjectLocation, RegisteredLocation, Role, SCHEMES, Scheme, SchemeSpec, Store,
};
pub use model_registry_oci::{ImageFormat, ImageReference, PlainHttp, Platform};
pub use network::{AddressCheck, Network, UrlCheck};
pub use open::{Context, copy};
pub use options::Options;
pub use relative_path::{NameProblem, RelativePath};
pub use retry::Retry;
pub use stop::Stop;
