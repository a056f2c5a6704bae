//! Sources of type `git-skills-plugin`: skills in Git repositories, read over https.
//!
//! A sync lists the references of each repository, and fetches a commit without history only if a reference has moved. Files
//! are read from the fetched objects: nothing is checked out, so neither hooks nor filters, submodules or large file storage
//! can run. No configuration of the machine's Git is read, and no program is started.
//!
//! The plumbing crates of gitoxide read packets and packs; requests are made here (`transport.rs`), because its transport would
//! not check the address of a redirect, and because the whole of it would build 18 crates more, some of which start programs to
//! find credentials.

mod credentials;
mod error;
mod preview;
mod protocol;
mod read;
mod refs;
mod sync;
mod transport;
mod tree;

pub(crate) use self::credentials::variable as credentials_variable;
pub(crate) use self::preview::preview;
pub use self::sync::{GitContext, GitMemory, GitReport, KnownSkill, KnownSkills, sync};
