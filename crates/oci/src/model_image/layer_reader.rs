//! Reads one layer: decompresses it, checks every entry, and keeps the files of the model.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use model_registry_base::run_blocking;
use tokio::sync::mpsc::{Sender, channel};

use super::decoder::{ChannelReader, Decoder};
use super::entries::{Content, LayerFiles, Place, hostile, resolve, shown};
use super::unspooled;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layout::MODEL_DIRECTORY;
use crate::manifest::Descriptor;
use crate::repository::Repository;
use crate::tar::{EntryKind, TarEntry, TarReader};

/// Chunks between the network and the thread that unpacks.
const CHUNKS: usize = 16;
const BUFFER: usize = 256 << 10;
/// An archive may always have this many bytes, however small it is when compressed.
const ALWAYS_ALLOWED: u64 = 64 << 20;

/// What unpacking may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackLimits {
    /// Files of one layer.
    pub files: usize,
    /// How many times larger than its compressed form a layer may be.
    pub expansion: u64,
}

impl Default for UnpackLimits {
    fn default() -> Self {
        Self { files: 500_000, expansion: 200 }
    }
}

/// A temporary file with the contents of unpacked files. The system removes it when it is closed.
pub(super) struct Spool {
    file: File,
    length: AtomicU64,
}

impl Spool {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { file: tempfile::tempfile()?, length: AtomicU64::new(0) })
    }

    /// Takes room for a file, and returns where it begins. Layers are unpacked in parallel.
    fn reserve(&self, size: u64) -> u64 {
        self.length.fetch_add(size, Ordering::Relaxed)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    pub(super) fn read(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.read_exact_at(&mut bytes, offset)?;
        Ok(bytes)
    }
}

/// Fetches and unpacks a layer. Its digest is verified before anything of it is returned.
pub(super) async fn read_layer(
    repository: &Repository,
    layer: &Descriptor,
    is_container: bool,
    spool: &std::sync::Arc<Spool>,
    limits: UnpackLimits,
) -> Result<LayerFiles> {
    let (sender, receiver) = channel::<Bytes>(CHUNKS);
    let unpacker = Unpacker {
        spool: std::sync::Arc::clone(spool),
        layer: layer.digest.clone(),
        is_container,
        limits,
        most_bytes: layer.size.saturating_mul(limits.expansion).max(ALWAYS_ALLOWED),
    };
    let unpacking = run_blocking(move || unpacker.unpack(ChannelReader::new(receiver)));
    let fetching = async {
        let fetched = fetch(repository, layer, &sender).await;
        // The end of the input for the thread that unpacks.
        drop(sender);
        fetched
    };
    let (fetched, unpacked) = futures::join!(fetching, unpacking);
    // A broken connection or a wrong digest explains what the unpacking met.
    fetched?;
    unpacked.map_err(|problem| match problem {
        Problem::Refused(error) => error,
        Problem::Io(source) => unspooled(repository, source),
    })
}

async fn fetch(repository: &Repository, layer: &Descriptor, sender: &Sender<Bytes>) -> Result<()> {
    let mut blob = repository.blob(layer);
    while let Some(chunk) = blob.next().await? {
        // After a bad entry the rest need not be fetched.
        if sender.send(chunk).await.is_err() {
            break;
        }
    }
    Ok(())
}

enum Problem {
    Refused(Error),
    Io(io::Error),
}

struct Unpacker {
    spool: std::sync::Arc<Spool>,
    layer: Digest,
    is_container: bool,
    limits: UnpackLimits,
    most_bytes: u64,
}

impl Unpacker {
    fn unpack(&self, input: ChannelReader) -> Result<LayerFiles, Problem> {
        let decoder = Decoder::of(input);
        let mut archive = TarReader::new(Limited { inner: decoder, left: self.most_bytes });
        let files = self.entries(&mut archive)?;
        // What follows the archive belongs to the layer, whose digest is verified.
        let mut rest = archive.into_inner().inner.into_input();
        io::copy(&mut rest, &mut io::sink()).map_err(Problem::Io)?;
        Ok(files)
    }

    fn entries<R: Read>(&self, archive: &mut TarReader<R>) -> Result<LayerFiles, Problem> {
        let mut found = LayerFiles { layer: Some(self.layer.clone()), ..LayerFiles::default() };
        let mut buffer = vec![0; BUFFER];
        while let Some(entry) = archive.next_entry().map_err(|error| self.refused(error.to_string()))? {
            let path = self.checked_path(&entry)?;
            let Some(path) = self.below_model(&path, &entry, &mut found)? else { continue };
            if found.files.len() >= self.limits.files {
                return Err(self.refused(format!("it has more than {} files", self.limits.files)));
            }
            match entry.kind {
                EntryKind::Directory => found.directories.push(path),
                EntryKind::File if found.deletion(&path) => {}
                EntryKind::File => {
                    let content = self.keep(archive, entry.size, &mut buffer)?;
                    found.files.push((path, content));
                }
                EntryKind::HardLink => {
                    let target = normalized(&entry.link).and_then(|target| self.strip_root(&target));
                    let target = target.ok_or_else(|| self.leaves(&path))?;
                    found.files.push((path, Content::Link(target)));
                }
                EntryKind::SymbolicLink => {
                    // Relative to the root of the image, so that `../models/x` is inside.
                    let whole = self.with_root(&path);
                    let target = resolve(&whole, &entry.link).and_then(|target| self.strip_root(&target));
                    let target = target.ok_or_else(|| self.leaves(&path))?;
                    found.files.push((path, Content::Link(target)));
                }
                EntryKind::Special => {
                    return Err(self.refused(format!("`{}` is a device or a FIFO", shown(&path))));
                }
            }
        }
        Ok(found)
    }

    /// A name without `./` and trailing `/`. Names that leave the root are refused wherever they are.
    fn checked_path(&self, entry: &TarEntry) -> Result<String, Problem> {
        normalized(&entry.path).ok_or_else(|| {
            let name = shown(&entry.path);
            self.refused(format!("the name `{name}` is absolute, or contains `..` or a control character"))
        })
    }

    /// The path below the directory of the model; `None` for other parts of a container image.
    fn below_model(&self, path: &str, entry: &TarEntry, found: &mut LayerFiles) -> Result<Option<String>, Problem> {
        if !self.is_container {
            return Ok((!path.is_empty()).then(|| path.to_owned()));
        }
        match path {
            MODEL_DIRECTORY if entry.kind != EntryKind::Directory => {
                Err(self.refused(format!("`{MODEL_DIRECTORY}` is not a directory")))
            }
            // The whole directory is deleted, or everything.
            ".wh.models" | ".wh..wh..opq" => {
                found.emptied.push(String::new());
                Ok(None)
            }
            _ => Ok(self.strip_root(path)),
        }
    }

    fn strip_root(&self, path: &str) -> Option<String> {
        if !self.is_container {
            return Some(path.to_owned());
        }
        let below = path.strip_prefix(MODEL_DIRECTORY)?.strip_prefix('/')?;
        (!below.is_empty()).then(|| below.to_owned())
    }

    fn with_root(&self, path: &str) -> String {
        if self.is_container { format!("{MODEL_DIRECTORY}/{path}") } else { path.to_owned() }
    }

    fn keep<R: Read>(&self, archive: &mut TarReader<R>, size: u64, buffer: &mut [u8]) -> Result<Content, Problem> {
        let offset = self.spool.reserve(size);
        let mut end = offset;
        loop {
            let count = archive.content(buffer).map_err(|error| self.refused(error.to_string()))?;
            if count == 0 {
                return Ok(Content::Bytes { place: Place::Spool { offset }, size, digest: None });
            }
            self.spool.write(end, &buffer[..count]).map_err(Problem::Io)?;
            end += count as u64;
        }
    }

    fn leaves(&self, path: &str) -> Problem {
        self.refused(format!("the link `{}` leaves the directory of the model", shown(path)))
    }

    fn refused(&self, reason: String) -> Problem {
        Problem::Refused(hostile(Some(&self.layer), reason))
    }
}

/// `./a/b/` is `a/b`; `None` if the name leaves the root. The root itself is empty.
fn normalized(path: &str) -> Option<String> {
    if path.starts_with('/') || path.chars().any(char::is_control) {
        return None;
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => return None,
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// Fails after a number of bytes, so that a small layer does not fill the disk.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(count as u64).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "it is many times larger than its compressed form")
        })?;
        Ok(count)
    }
}
