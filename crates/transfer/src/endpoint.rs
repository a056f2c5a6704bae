//! The two ends of a transfer: a source lists files and opens their bytes, a destination receives them.
//!
//! The engine lists the source, checks the names, lets the destination say what it has already, and then copies the files: it
//! reads the parts of a file in parallel and passes them on in order. So a source only has to read ranges, and a destination
//! never has to sort parts, compute digests or repeat anything.
//!
//! A new kind of source or destination implements one of these traits, and gets its line in `open.rs`.

use std::ops::Range;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use model_registry_base::MemoryShare;

use crate::digest::{RunningDigest, Sha256};
use crate::error::TransferError;
use crate::relative_path::RelativePath;

pub type Result<T> = std::result::Result<T, TransferError>;

/// Bytes of a file as they arrive.
pub type ByteStream = BoxStream<'static, Result<Bytes>>;

/// A file of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub path: RelativePath,
    /// `None` if the source knows it only after reading (some web servers).
    pub size: Option<u64>,
    /// Changes whenever the content changes: an entity tag, a commit, a modification time. Without it, an interrupted file is
    /// read from its beginning.
    pub version: Option<String>,
    /// What the source itself says about the content. The copied bytes are compared with it.
    pub digest: Option<Sha256>,
}

/// The files of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    pub shape: Shape,
    pub entries: Vec<Entry>,
}

/// Whether a location is one file or several below a common prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Exactly one file. It gets the name of the destination, unless that is a directory.
    File,
    /// Files with their relative paths.
    Tree,
}

/// Where files come from.
pub trait Source: Send + Sync {
    /// All files, in any order. None at all is an empty list: the engine makes an error of it.
    fn list(&self) -> BoxFuture<'_, Result<Listing>>;

    /// Opens the bytes of a file from `range.start` to `range.end`, or to the end of the file if that comes first. The source
    /// repeats what failed and may pass; a stream that breaks continues at its offset, and fails if the version of the file
    /// has changed.
    fn open(&self, entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>>;

    /// Whether `open` is cheap for any range, so that parts of one file are read in parallel. Otherwise each file is opened once,
    /// at offset 0.
    fn reads_ranges(&self) -> bool {
        true
    }

    /// The digest of a file that the source knows, or can compute without transferring the file. The engine needs it only where
    /// a destination has a file of the same size.
    fn digest<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Sha256>>> {
        Box::pin(async { Ok(entry.digest) })
    }
}

/// Where files go.
pub trait Destination: Send + Sync {
    /// Gets everything that is going to be written, before any byte moves. Checks what the place requires of names, and returns
    /// what is there already, one value per entry. A dry run changes nothing.
    fn prepare<'a>(&'a self, listing: &'a Listing, is_dry_run: bool) -> BoxFuture<'a, Result<Vec<Existing>>>;

    /// The digest of a file that was reported as [`Existing::SameSize`] without one.
    fn digest<'a>(&'a self, _entry: &'a Entry) -> BoxFuture<'a, Result<Option<Sha256>>> {
        Box::pin(async { Ok(None) })
    }

    /// Starts a file, or continues it after `existing`.
    fn create<'a>(&'a self, entry: &'a Entry, existing: Existing) -> BoxFuture<'a, Result<Box<dyn FileWriter>>>;

    /// Every file is there: an image is published, temporary files are removed. `files` are in the order of the listing.
    fn finish<'a>(&'a self, files: &'a [WrittenFile]) -> BoxFuture<'a, Result<Published>>;

    /// The transfer ended early. With `keep`, what a later run can continue from stays.
    fn abandon(&self, keep: bool) -> BoxFuture<'_, ()>;
}

/// What a destination has of a file before the transfer.
#[derive(Clone, Debug, Default)]
pub enum Existing {
    #[default]
    Nothing,
    /// The first bytes, verified, and the running digest over them.
    Beginning { bytes: u64, digest: RunningDigest },
    /// A file of the same size, with its digest if that is known without reading it. The engine keeps it if the source has the
    /// same digest.
    SameSize { digest: Option<Sha256> },
    /// The whole file in its present version, verified: written by an earlier run.
    Complete { digest: Sha256 },
}

/// One file while it is written. Dropping it without [`FileWriter::finish`] leaves no file under its name.
pub trait FileWriter: Send {
    /// Appends the next part. Parts come in order; all but the last have the same size (`part_size` of `plan.rs`), so that an
    /// object store can upload them as they are. It may return before the part is written, and holds the part, and with it a
    /// share of the memory, until then. An empty file is one empty part.
    fn write(&mut self, part: Part) -> BoxFuture<'_, Result<()>>;

    /// Every part was written: the file appears under its name, as a whole.
    fn finish(self: Box<Self>, digest: Sha256) -> BoxFuture<'static, Result<()>>;

    /// Ends early. With `keep`, the parts that are written stay for a later run.
    fn abandon(self: Box<Self>, keep: bool) -> BoxFuture<'static, ()>;
}

/// Consecutive bytes of a file.
#[derive(Debug)]
pub struct Part {
    pub offset: u64,
    /// Never empty chunks.
    pub chunks: Vec<Bytes>,
    pub length: u64,
    /// The running digest over the file up to the end of this part, for a later run to continue from.
    pub digest: RunningDigest,
    /// Whether the file ends here.
    pub is_last: bool,
    /// Parts of the file that may be written at the same time, this one included.
    pub at_once: usize,
    /// The memory that the part takes.
    pub share: MemoryShare,
}

/// A file that is at the destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrittenFile {
    pub path: RelativePath,
    pub size: u64,
    pub digest: Sha256,
    /// Whether it was there already, and only verified.
    pub was_there: bool,
}

/// What the destination became.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Published {
    /// The location under which the files can be read: a store's URI, the reference of an image.
    pub uri: String,
}
