//! SHA-256 of files and of trees of files.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use model_registry_base::hex;
use serde::{Deserialize, Serialize};
use sha2::Digest;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};

use crate::endpoint::WrittenFile;

/// A SHA-256 digest; its text is 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sha256([u8; 32]);

impl Sha256 {
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Sha256({self})")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 digest has 64 hexadecimal digits, after an optional `sha256:`")]
pub struct InvalidDigest;

impl FromStr for Sha256 {
    type Err = InvalidDigest;

    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let digits = text.strip_prefix("sha256:").unwrap_or(text);
        Ok(Self(unhex(digits).and_then(|bytes| bytes.try_into().ok()).ok_or(InvalidDigest)?))
    }
}

impl TryFrom<String> for Sha256 {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        text.parse()
    }
}

impl From<Sha256> for String {
    fn from(digest: Sha256) -> Self {
        digest.to_string()
    }
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

/// The digest over the first bytes of a file. It can be stored, and continued by another process.
#[derive(Clone, Default)]
pub struct RunningDigest(sha2::Sha256);

impl RunningDigest {
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub fn update_all(&mut self, chunks: &[Bytes]) {
        for chunk in chunks {
            self.0.update(chunk);
        }
    }

    /// The digest over the bytes until now.
    pub fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }

    /// The state as hexadecimal digits.
    pub fn state(&self) -> String {
        hex(&self.0.serialize())
    }

    /// Continues from a stored state; `None` if it is none.
    pub fn from_state(digits: &str) -> Option<Self> {
        let bytes = unhex(digits)?;
        let state = SerializedState::<sha2::Sha256>::try_from(bytes.as_slice()).ok()?;
        sha2::Sha256::deserialize(&state).ok().map(Self)
    }
}

impl fmt::Debug for RunningDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RunningDigest")
    }
}

/// The digest of a tree: SHA-256 over one line per file, `DIGEST  PATH`, ordered by path, as `sha256sum` prints them. A single
/// file has its own digest.
pub fn tree_digest(files: &[WrittenFile]) -> Sha256 {
    let mut sorted: Vec<&WrittenFile> = files.iter().collect();
    sorted.sort_by(|left, right| left.path.cmp(&right.path));
    let mut digest = RunningDigest::default();
    for file in sorted {
        digest.update(format!("{}  {}\n", file.digest, file.path).as_bytes());
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relative_path::RelativePath;

    const OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_is_written_and_read_as_hexadecimal_digits() {
        let digest = Sha256::of(b"abc");
        assert_eq!(digest.to_string(), OF_ABC);
        assert_eq!(OF_ABC.parse(), Ok(digest));
        assert_eq!(format!("sha256:{OF_ABC}").parse(), Ok(digest));
        for wrong in ["", "abc", &OF_ABC[1..], &format!("{OF_ABC}00"), &"ü".repeat(32)] {
            assert_eq!(wrong.parse::<Sha256>(), Err(InvalidDigest), "{wrong}");
        }
    }

    #[test]
    fn a_stored_digest_continues_where_it_stopped() {
        for stop in [0, 1, 63, 64, 65, 200] {
            let content: Vec<u8> = (0..=255).collect();
            let mut first = RunningDigest::default();
            first.update(&content[..stop]);
            let mut second = RunningDigest::from_state(&first.state()).unwrap();
            second.update(&content[stop..]);
            assert_eq!(second.finish(), Sha256::of(&content), "{stop}");
        }
        assert!(RunningDigest::from_state("00").is_none());
        assert!(RunningDigest::from_state("x").is_none());
    }

    #[test]
    fn the_digest_of_a_tree_is_that_of_the_lines_of_sha256sum_and_does_not_depend_on_the_order() {
        let file = |path: &str, content: &[u8]| WrittenFile {
            path: RelativePath::parse(path).unwrap(),
            size: content.len() as u64,
            digest: Sha256::of(content),
            was_there: false,
        };
        let expected = Sha256::of(format!("{OF_ABC}  a/b\n{}  c\n", Sha256::of(b"")).as_bytes());
        assert_eq!(tree_digest(&[file("c", b""), file("a/b", b"abc")]), expected);
    }
}
