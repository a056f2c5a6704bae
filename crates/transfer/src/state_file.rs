//! The state of a transfer, from which a later run continues: one JSON line per step, appended.
//!
//! A line says what is at the destination after a step, and the digest over it. A later run believes nothing of it without
//! comparing it with the destination. A line that was cut off by a crash is ignored.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::digest::{RunningDigest, Sha256};
use crate::endpoint::{Entry, Result};
use crate::error::TransferError;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
enum Line {
    /// The first line. A state of another source is discarded.
    Transfer { source: String },
    /// An upload in parts began.
    Upload { path: String, id: String },
    /// The first `bytes` of a file are at the destination.
    Written {
        path: String,
        version: String,
        bytes: u64,
        digest: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<String>,
    },
    /// A file is at the destination.
    Done {
        path: String,
        version: String,
        size: u64,
        sha256: Sha256,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
    },
}

/// What an earlier run wrote of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Earlier {
    version: String,
    pub(crate) bytes: u64,
    pub(crate) digest: Option<RunningDigest>,
    /// The upload in parts, and the identifiers of its parts.
    pub(crate) upload: Option<String>,
    pub(crate) parts: Vec<String>,
    pub(crate) done: Option<Done>,
}

/// A file that an earlier run completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) size: u64,
    pub(crate) sha256: Sha256,
    /// Entity tag of the object.
    pub(crate) tag: Option<String>,
}

/// The state file of a running transfer. The file is locked, so that two transfers never write to the same place.
#[derive(Debug)]
pub(crate) struct StateFile {
    path: PathBuf,
    file: Mutex<File>,
}

impl StateFile {
    /// Opens the state file of a transfer, or creates it, and returns what earlier runs wrote from the same source.
    pub(crate) fn open(path: &Path, source: &str) -> Result<(Self, HashMap<String, Earlier>)> {
        let at = path.display().to_string();
        let failed = |error: &io::Error| TransferError::io(at.clone(), error);
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(|error| failed(&error))?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(|e| failed(&e))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(TransferError::failed(
                    at,
                    "another transfer to the same destination is running: wait for its end",
                ));
            }
            // Some network file systems have no locks.
            Err(TryLockError::Error(error)) => tracing::debug!(%error, "the state file cannot be locked"),
        }
        let text = fs::read(path).map_err(|error| failed(&error))?;
        let mut earlier = read(&String::from_utf8_lossy(&text), source);
        if earlier.is_none() {
            file.set_len(0).map_err(|error| failed(&error))?;
        } else if !text.ends_with(b"\n") {
            file.write_all(b"\n").map_err(|error| failed(&error))?;
        }
        let state_file = Self { path: path.to_owned(), file: Mutex::new(file) };
        if earlier.is_none() {
            state_file.append(&Line::Transfer { source: source.to_owned() })?;
        }
        Ok((state_file, earlier.take().unwrap_or_default()))
    }

    /// What earlier runs wrote, without creating or locking anything.
    pub(crate) fn peek(path: &Path, source: &str) -> HashMap<String, Earlier> {
        fs::read(path).ok().and_then(|text| read(&String::from_utf8_lossy(&text), source)).unwrap_or_default()
    }

    pub(crate) fn upload(&self, entry: &Entry, id: &str) -> Result<()> {
        self.append(&Line::Upload { path: entry.path.to_string(), id: id.to_owned() })
    }

    /// Without a version a later run could not know whether the beginning still belongs to the file.
    pub(crate) fn written(&self, entry: &Entry, bytes: u64, digest: &RunningDigest, part: Option<&str>) -> Result<()> {
        let Some(version) = entry.version.clone() else { return Ok(()) };
        let (path, part) = (entry.path.to_string(), part.map(str::to_owned));
        self.append(&Line::Written { path, version, bytes, digest: digest.state(), part })
    }

    pub(crate) fn done(&self, entry: &Entry, size: u64, sha256: Sha256, tag: Option<String>) -> Result<()> {
        let Some(version) = entry.version.clone() else { return Ok(()) };
        self.append(&Line::Done { path: entry.path.to_string(), version, size, sha256, tag })
    }

    /// Removes the state file.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }

    fn append(&self, line: &Line) -> Result<()> {
        let at = self.path.display().to_string();
        let mut text =
            serde_json::to_string(line).map_err(|error| TransferError::failed(at.clone(), error.to_string()))?;
        text.push('\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(text.as_bytes()).map_err(|error| TransferError::io(at, &error))
    }
}

impl Earlier {
    /// Whether it belongs to the present version of a file.
    pub(crate) fn is_of(&self, entry: &Entry) -> bool {
        entry.version.as_deref() == Some(self.version.as_str())
    }
}

/// The state by path; `None` if it is of another source.
fn read(text: &str, source: &str) -> Option<HashMap<String, Earlier>> {
    let mut lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
    match lines.next() {
        Some(Line::Transfer { source: of }) if of == source => {}
        _ => return None,
    }
    let mut files: HashMap<String, Earlier> = HashMap::new();
    for line in lines {
        match line {
            Line::Transfer { .. } => {}
            Line::Upload { path, id } => {
                files.insert(path, Earlier { upload: Some(id), ..Earlier::default() });
            }
            Line::Written { path, version, bytes, digest, part } => {
                let file = files.entry(path).or_default();
                if file.version != version || bytes <= file.bytes {
                    // A new attempt from the beginning.
                    let upload = file.upload.take().filter(|_| file.version.is_empty());
                    *file = Earlier { upload, ..Earlier::default() };
                }
                file.version = version;
                file.bytes = bytes;
                file.digest = RunningDigest::from_state(&digest);
                file.parts.extend(part);
            }
            Line::Done { path, version, size, sha256, tag } => {
                files.insert(path, Earlier { version, done: Some(Done { size, sha256, tag }), ..Earlier::default() });
            }
        }
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relative_path::RelativePath;

    fn entry(path: &str, version: &str) -> Entry {
        Entry {
            path: RelativePath::parse(path).unwrap(),
            size: Some(30),
            version: Some(version.to_owned()),
            digest: None,
        }
    }

    fn digest(bytes: &[u8]) -> RunningDigest {
        let mut digest = RunningDigest::default();
        digest.update(bytes);
        digest
    }

    #[test]
    fn a_later_run_reads_what_an_earlier_one_wrote() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("below/state.jsonl");
        let (state_file, earlier) = StateFile::open(&path, "s3://b/m").unwrap();
        assert!(earlier.is_empty());
        state_file.upload(&entry("a", "1"), "upload").unwrap();
        state_file.written(&entry("a", "1"), 10, &digest(b"0123456789"), Some("p1")).unwrap();
        state_file.written(&entry("a", "1"), 20, &digest(b"01234567890123456789"), Some("p2")).unwrap();
        state_file.done(&entry("b", "7"), 3, Sha256::of(b"abc"), None).unwrap();
        drop(state_file);
        // A line that was cut off.
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"step\":\"wri").unwrap();

        let (state_file, earlier) = StateFile::open(&path, "s3://b/m").unwrap();
        let a = &earlier["a"];
        assert!(a.is_of(&entry("a", "1")) && !a.is_of(&entry("a", "2")));
        assert_eq!((a.bytes, a.upload.as_deref(), a.parts.join(" ")), (20, Some("upload"), "p1 p2".to_owned()));
        assert_eq!(a.digest.clone().unwrap().finish(), Sha256::of(b"01234567890123456789"));
        assert_eq!(earlier["b"].done.as_ref().unwrap().sha256, Sha256::of(b"abc"));
        // The line after the one that was cut off counts.
        state_file.done(&entry("a", "1"), 30, Sha256::of(b"x"), None).unwrap();
        drop(state_file);
        assert!(StateFile::peek(&path, "s3://b/m")["a"].done.is_some());
    }

    #[test]
    fn the_state_of_another_source_is_discarded() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.jsonl");
        let (state_file, _) = StateFile::open(&path, "s3://b/m").unwrap();
        state_file.done(&entry("a", "1"), 3, Sha256::of(b"abc"), None).unwrap();
        drop(state_file);
        assert!(StateFile::peek(&path, "s3://b/other").is_empty());
        assert!(StateFile::open(&path, "s3://b/other").unwrap().1.is_empty());
        assert!(StateFile::peek(&path, "s3://b/m").is_empty());
    }

    #[test]
    fn a_file_that_began_again_counts_from_its_new_beginning() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.jsonl");
        let (state_file, _) = StateFile::open(&path, "s").unwrap();
        state_file.upload(&entry("a", "1"), "first").unwrap();
        state_file.written(&entry("a", "1"), 10, &digest(b"1"), Some("p1")).unwrap();
        state_file.upload(&entry("a", "2"), "second").unwrap();
        state_file.written(&entry("a", "2"), 10, &digest(b"2"), Some("q1")).unwrap();
        state_file.written(&entry("c", "1"), 10, &digest(b"1"), None).unwrap();
        state_file.written(&entry("c", "1"), 20, &digest(b"2"), None).unwrap();
        state_file.written(&entry("c", "1"), 10, &digest(b"3"), None).unwrap();
        let earlier = StateFile::peek(&path, "s");
        let a = &earlier["a"];
        assert_eq!((a.upload.as_deref(), a.parts.join(" ")), (Some("second"), "q1".to_owned()));
        assert_eq!(earlier["c"].bytes, 10);
        assert_eq!(earlier["c"].digest.clone().unwrap().finish(), Sha256::of(b"3"));
    }

    #[test]
    fn two_transfers_to_the_same_place_do_not_run_at_the_same_time() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state.jsonl");
        let first = StateFile::open(&path, "s").unwrap();
        assert!(StateFile::open(&path, "s").unwrap_err().to_string().contains("another transfer"));
        drop(first);
        assert!(StateFile::open(&path, "s").is_ok());
    }
}
