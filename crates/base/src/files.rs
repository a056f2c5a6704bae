//! Reads files whose paths come from settings, from other files or from the command line.
//!
//! Only regular files are read. A FIFO, a device, a socket or a file of the kernel may block for ever, never end, or change
//! something when it is opened, so it is refused before it is opened. Every access to the file system has a time limit, because
//! a network file system that does not respond blocks the thread that waits for it; the size is limited as well.

mod kind;
mod timed;

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use self::kind::FileKind;
pub use self::timed::within;

/// Time limit of one access to the file system: opening a file, its attributes, the next part of its content.
const ACCESS: Duration = Duration::from_secs(10);
/// Time limit of all reads of one file together.
const WHOLE_FILE: Duration = Duration::from_mins(2);
/// Bytes that are read at once.
const CHUNK: usize = 1 << 18;

/// The largest file with settings, certificates, tokens or the like.
pub const LARGEST_SETTINGS: u64 = 16 << 20;

/// Why a file cannot be read: the rest of a message such as "cannot read PATH: ".
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("it is {0}, not a regular file")]
    NotRegular(FileKind),
    #[error("it is larger than {} KiB, the limit for this file", .limit >> 10)]
    TooLarge { limit: u64 },
    #[error("it grows while it is read")]
    Growing,
    #[error("it is not valid UTF-8")]
    NotText,
    #[error("the file system does not respond within {} seconds", .0.as_secs())]
    NoResponse(Duration),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl FileError {
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Io(error) => error,
            FileError::NoResponse(_) => Self::new(io::ErrorKind::TimedOut, error),
            other => Self::new(io::ErrorKind::InvalidData, other),
        }
    }
}

/// The attributes of a file; symbolic links are followed.
pub fn metadata(path: &Path) -> Result<Metadata, FileError> {
    let owned = path.to_owned();
    Ok(within(path, ACCESS, move || std::fs::metadata(owned))??)
}

/// Whether there is a directory with this path.
pub fn is_directory(path: &Path) -> bool {
    metadata(path).is_ok_and(|metadata| metadata.is_dir())
}

/// The paths of all files and directories in a directory, ordered.
pub fn entries(directory: &Path) -> Result<Vec<PathBuf>, FileError> {
    let owned = directory.to_owned();
    let list = move || {
        let mut paths = std::fs::read_dir(owned)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        Ok::<_, io::Error>(paths)
    };
    Ok(within(directory, ACCESS, list)??)
}

/// Reads a regular file of at most `limit` bytes.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, FileError> {
    let mut file = RegularFile::open(path)?;
    if file.length > limit {
        return Err(FileError::TooLarge { limit });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(file.length).unwrap_or_default());
    while let Some(chunk) = file.next_chunk()? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads a regular file of at most `limit` bytes that is text.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FileError> {
    String::from_utf8(read(path, limit)?).map_err(|_| FileError::NotText)
}

/// A regular file that is being read. Its content is as long as the file was when it was opened: a file that grows meanwhile
/// is an error rather than a content without end.
#[derive(Debug)]
pub struct RegularFile {
    path: PathBuf,
    /// `None` after an access that did not return.
    file: Option<File>,
    length: u64,
    read: u64,
    time_left: Duration,
    chunk: Vec<u8>,
    /// Bytes of `chunk` that were consumed.
    consumed: usize,
}

impl RegularFile {
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let owned = path.to_owned();
        let (file, length) = within(path, ACCESS, move || kind::open_regular(&owned))??;
        Ok(Self {
            path: path.to_owned(),
            file: Some(file),
            length,
            read: 0,
            time_left: WHOLE_FILE,
            chunk: Vec::new(),
            consumed: 0,
        })
    }

    /// The file itself, to read it in other ways.
    pub fn into_file(self) -> Result<File, FileError> {
        self.file.ok_or(FileError::NoResponse(ACCESS))
    }

    /// The next part of the content; `None` at its end.
    fn next_chunk(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        let limit = ACCESS.min(self.time_left);
        let mut file = self.file.take().ok_or(FileError::NoResponse(ACCESS))?;
        let started = std::time::Instant::now();
        let read_chunk = move || {
            let mut chunk = Vec::new();
            let read = Read::by_ref(&mut file).take(CHUNK as u64).read_to_end(&mut chunk);
            (file, read.map(|_| chunk))
        };
        let (file, chunk) = within(&self.path, limit, read_chunk)?;
        self.file = Some(file);
        self.time_left = self.time_left.saturating_sub(started.elapsed());
        let chunk = chunk?;
        self.read += chunk.len() as u64;
        if self.read > self.length {
            return Err(FileError::Growing);
        }
        Ok((!chunk.is_empty()).then_some(chunk))
    }
}

impl Read for RegularFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.consumed == self.chunk.len() {
            self.chunk = self.next_chunk()?.unwrap_or_default();
            self.consumed = 0;
        }
        let mut rest = self.chunk.get(self.consumed..).unwrap_or_default();
        let count = rest.read(buffer)?;
        self.consumed += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_regular_file_is_read_and_its_size_is_limited() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.yaml");
        std::fs::write(&path, "x".repeat(CHUNK + 7)).unwrap();
        assert_eq!(read(&path, 1 << 20).unwrap().len(), CHUNK + 7);
        let mut streamed = String::new();
        RegularFile::open(&path).unwrap().read_to_string(&mut streamed).unwrap();
        assert_eq!(streamed.len(), CHUNK + 7);
        let error = read(&path, 100).unwrap_err();
        assert!(matches!(error, FileError::TooLarge { limit: 100 }), "{error}");
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 100).unwrap_err().to_string(), "it is not valid UTF-8");
        assert!(read(&directory.path().join("missing"), 100).unwrap_err().is_not_found());
        assert_eq!(entries(directory.path()).unwrap(), [path]);
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_an_error() {
        use std::io::Write;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        std::fs::write(&path, "1").unwrap();
        let mut file = RegularFile::open(&path).unwrap();
        File::options().append(true).open(&path).unwrap().write_all(b"2").unwrap();
        assert_eq!(file.read_to_end(&mut Vec::new()).unwrap_err().to_string(), "it grows while it is read");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_not_a_regular_file_is_refused_at_once_with_its_kind() {
        use std::os::unix::net::UnixListener;
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        rustix::fs::mknodat(
            rustix::fs::CWD,
            path("fifo"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        std::os::unix::fs::symlink(path("fifo"), path("link")).unwrap();
        for (path, kind) in [
            (path("fifo"), "a FIFO (named pipe)"),
            (path("link"), "a FIFO (named pipe)"),
            (path("socket"), "a socket"),
            (directory.path().to_owned(), "a directory"),
            (PathBuf::from("/dev/zero"), "a device"),
            (PathBuf::from("/proc/self/status"), "a file of the kernel (such as /proc)"),
        ] {
            let error = read(&path, 100).unwrap_err().to_string();
            assert_eq!(error, format!("it is {kind}, not a regular file"), "{}", path.display());
            assert!(RegularFile::open(&path).is_err());
        }
    }
}
