//! Files of this machine, also on a mounted volume.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use model_registry_base::{Cancellation, run_blocking, run_while_awaited};

use crate::destination::directory::STATE_DIRECTORY;
use crate::digest::{RunningDigest, Sha256};
use crate::endpoint::{ByteStream, Entry, Listing, Result, Shape, Source};
use crate::error::TransferError;
use crate::relative_path::RelativePath;

/// Bytes that are read at once.
const CHUNK: usize = 1 << 20;

/// A file, or the files below a directory. Symbolic links are followed: mounted volumes and caches of hubs consist of them.
#[derive(Debug)]
pub(crate) struct Directory {
    root: PathBuf,
}

impl Directory {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn path(&self, entry: &Entry) -> PathBuf {
        // For a single file the root is the file itself.
        if self.root.is_dir() { self.root.join(entry.path.as_str()) } else { self.root.clone() }
    }
}

impl Source for Directory {
    fn list(&self) -> BoxFuture<'_, Result<Listing>> {
        let root = self.root.clone();
        Box::pin(run_while_awaited(move |work| list(&root, work)))
    }

    fn open(&self, entry: &Entry, range: Range<u64>) -> BoxFuture<'_, Result<ByteStream>> {
        let path = self.path(entry);
        let expected = entry.clone();
        Box::pin(async move {
            let at = path.display().to_string();
            let opened = run_blocking(move || open(&path, &expected)).await?;
            let state = (opened, range, at);
            let chunks = stream::try_unfold(state, |(file, range, at)| async move {
                if range.is_empty() {
                    return Ok(None);
                }
                let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX).min(CHUNK);
                let start = range.start;
                let (file, read) = run_blocking(move || {
                    let read = read_at(&file, start, length);
                    (file, read)
                })
                .await;
                let chunk = read.map_err(|error| TransferError::io(&at, &error))?;
                // The end of a file that became shorter; the engine compares the sizes.
                let end = if chunk.is_empty() { range.start } else { range.end };
                let next = range.start + chunk.len() as u64..end;
                Ok((!chunk.is_empty()).then_some((chunk, (file, next, at))))
            });
            Ok(chunks.boxed())
        })
    }

    fn digest<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Option<Sha256>>> {
        let path = self.path(entry);
        Box::pin(run_while_awaited(move |work| Ok(Some(digest_of(&path, None, work)?.finish()))))
    }
}

fn open(path: &Path, entry: &Entry) -> Result<File> {
    let at = || path.display().to_string();
    let file = File::open(path).map_err(|error| TransferError::io(at(), &error))?;
    let metadata = file.metadata().map_err(|error| TransferError::io(at(), &error))?;
    if entry.version.as_deref() != Some(version(&metadata).as_str()) {
        return Err(TransferError::Changed { at: at() });
    }
    Ok(file)
}

fn read_at(file: &File, start: u64, length: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; length];
    let mut filled = 0;
    while filled < length {
        match file.read_at(&mut buffer[filled..], start + filled as u64) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(filled);
    Ok(buffer.into())
}

/// The digest over the first bytes of a file, or over all.
pub(crate) fn digest_of(path: &Path, length: Option<u64>, work: &Cancellation) -> Result<RunningDigest> {
    let at = || path.display().to_string();
    let file = File::open(path).map_err(|error| TransferError::io(at(), &error))?;
    let mut digest = RunningDigest::default();
    let mut start = 0;
    loop {
        work.check().map_err(|_| TransferError::Cancelled)?;
        let left = length.map_or(u64::MAX, |length| length - start);
        let chunk = read_at(&file, start, usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK));
        let chunk = chunk.map_err(|error| TransferError::io(at(), &error))?;
        if chunk.is_empty() {
            return Ok(digest);
        }
        digest.update(&chunk);
        start += chunk.len() as u64;
    }
}

/// Changes when the file is written.
fn version(metadata: &Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    format!("{}-{}-{}", metadata.len(), modified.as_nanos(), metadata.ino())
}

fn list(root: &Path, work: &Cancellation) -> Result<Listing> {
    let at = || root.display().to_string();
    let metadata = fs::metadata(root).map_err(|error| TransferError::io(at(), &error))?;
    let mut found = Found { root, work, entries: Vec::new(), above: HashSet::new() };
    if metadata.is_dir() {
        found.add_directory(root, "")?;
        return Ok(Listing { shape: Shape::Tree, entries: found.entries });
    }
    let name = root.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    found.add_file(name, root, &metadata)?;
    Ok(Listing { shape: Shape::File, entries: found.entries })
}

struct Found<'a> {
    root: &'a Path,
    work: &'a Cancellation,
    entries: Vec<Entry>,
    /// The directories above, to recognise links that lead back.
    above: HashSet<(u64, u64)>,
}

impl Found<'_> {
    fn add_directory(&mut self, directory: &Path, prefix: &str) -> Result<()> {
        self.work.check().map_err(|_| TransferError::Cancelled)?;
        let at = || directory.display().to_string();
        let failed = |error: io::Error| TransferError::io(at(), &error);
        let metadata = fs::metadata(directory).map_err(failed)?;
        let identity = (metadata.dev(), metadata.ino());
        if !self.above.insert(identity) {
            return Err(TransferError::failed(at(), "a symbolic link leads back to a directory above it"));
        }
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let name =
                name.to_str().ok_or_else(|| self.refused(&name.to_string_lossy(), crate::NameProblem::NotText))?;
            // `..data` and the like are where a mounted ConfigMap or Secret keeps its files; the links to them are next to it.
            if name.starts_with(STATE_DIRECTORY) || (prefix.is_empty() && name.starts_with("..")) {
                continue;
            }
            let path = entry.path();
            let metadata =
                fs::metadata(&path).map_err(|error| TransferError::io(path.display().to_string(), &error))?;
            let relative = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if metadata.is_dir() {
                self.add_directory(&path, &relative)?;
            } else {
                self.add_file(&relative, &path, &metadata)?;
            }
        }
        self.above.remove(&identity);
        Ok(())
    }

    fn add_file(&mut self, relative: &str, path: &Path, metadata: &Metadata) -> Result<()> {
        if !metadata.is_file() {
            let at = path.display().to_string();
            return Err(TransferError::failed(
                at,
                "it is neither a file nor a directory: remove it, or choose another source",
            ));
        }
        let path = RelativePath::parse(relative).map_err(|problem| self.refused(relative, problem))?;
        let (size, version) = (Some(metadata.len()), Some(version(metadata)));
        self.entries.push(Entry { path, size, version, digest: None });
        Ok(())
    }

    fn refused(&self, name: &str, problem: crate::NameProblem) -> TransferError {
        let name = name.escape_debug().to_string();
        TransferError::UnsafeName { at: self.root.display().to_string(), name, problem }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use futures::TryStreamExt;

    use super::*;

    fn paths(listing: &Listing) -> Vec<&str> {
        let mut paths: Vec<&str> = listing.entries.iter().map(|entry| entry.path.as_str()).collect();
        paths.sort_unstable();
        paths
    }

    #[tokio::test]
    async fn files_below_links_are_listed_and_bookkeeping_is_not() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("model");
        fs::create_dir_all(root.join("sub")).unwrap();
        fs::create_dir_all(root.join("..2026")).unwrap();
        fs::create_dir_all(root.join(STATE_DIRECTORY)).unwrap();
        fs::write(root.join("..2026/config"), "c").unwrap();
        fs::write(root.join(STATE_DIRECTORY).join("state"), "s").unwrap();
        fs::write(home.path().join("blob"), "blob").unwrap();
        symlink("..2026", root.join("..data")).unwrap();
        symlink("..data/config", root.join("config")).unwrap();
        symlink(home.path().join("blob"), root.join("sub/weights")).unwrap();
        let listing = Directory::new(root).list().await.unwrap();
        assert_eq!(paths(&listing), ["config", "sub/weights"]);
        assert_eq!(listing.shape, Shape::Tree);
    }

    #[tokio::test]
    async fn what_cannot_be_copied_is_an_error() {
        let home = tempfile::tempdir().unwrap();
        symlink(".", home.path().join("loop")).unwrap();
        let error = async || Directory::new(home.path().to_owned()).list().await.unwrap_err().to_string();
        assert!(error().await.contains("leads back"), "{}", error().await);
        fs::remove_file(home.path().join("loop")).unwrap();
        symlink("nothing", home.path().join("broken")).unwrap();
        assert!(error().await.contains("broken: not found"), "{}", error().await);
        fs::remove_file(home.path().join("broken")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(home.path().join("socket")).unwrap();
        assert!(error().await.contains("neither a file nor a directory"), "{}", error().await);
        fs::remove_file(home.path().join("socket")).unwrap();
        fs::write(home.path().join("a\nb"), "").unwrap();
        assert!(error().await.contains("a\\nb"), "{}", error().await);
    }

    #[tokio::test]
    async fn a_range_is_read_and_a_changed_file_is_not() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a");
        fs::write(&path, "0123456789").unwrap();
        let source = Directory::new(path.clone());
        let listing = source.list().await.unwrap();
        assert_eq!(listing.shape, Shape::File);
        let read = async |range| {
            let stream = source.open(&listing.entries[0], range).await?;
            Ok::<_, TransferError>(stream.try_collect::<Vec<Bytes>>().await?.concat())
        };
        assert_eq!(read(2..5).await.unwrap(), b"234");
        assert_eq!(read(8..50).await.unwrap(), b"89");
        assert_eq!(source.digest(&listing.entries[0]).await.unwrap(), Some(Sha256::of(b"0123456789")));
        fs::write(&path, "01234567890").unwrap();
        assert!(matches!(read(0..1).await, Err(TransferError::Changed { .. })));
    }
}
