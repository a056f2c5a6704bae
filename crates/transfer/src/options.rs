//! Options of a transfer.

use crate::digest::Sha256;

/// How a transfer works. The defaults use less than 256 MB for files of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Bytes of a part: what is read by one request, and written by one. At least [`Options::SMALLEST_PART`].
    pub part_size: u64,
    /// Bytes of all parts that are held at the same time.
    pub memory: usize,
    /// Files that are copied at the same time.
    pub files_at_once: usize,
    /// Whether a cancelled transfer keeps what it has written, so that the next run continues there. A failed one always does.
    pub keep_when_cancelled: bool,
    /// Only says what would be copied.
    pub is_dry_run: bool,
    /// The digest that the files must have together: see [`Report::digest`](crate::Report::digest).
    pub digest: Option<Sha256>,
}

impl Options {
    /// Object stores refuse smaller parts.
    pub const SMALLEST_PART: u64 = 5 << 20;
}

impl Default for Options {
    fn default() -> Self {
        Self {
            part_size: 8 << 20,
            memory: 128 << 20,
            files_at_once: 32,
            keep_when_cancelled: false,
            is_dry_run: false,
            digest: None,
        }
    }
}
