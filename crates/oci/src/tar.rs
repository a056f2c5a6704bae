//! The tar archives of layers: written with fixed times, owners and modes, read with limits.

mod read;
mod write;

pub(crate) use self::read::{EntryKind, TarEntry, TarReader};
pub(crate) use self::write::{END, directory_header, file_header, padding, tar_length};

/// The size of a block; headers and contents begin at multiples of it.
pub(crate) const BLOCK: u64 = 512;
