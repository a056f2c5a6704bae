//! What a path leads to.

use std::fmt;
use std::fs::{File, FileType};
use std::path::Path;

use super::FileError;

/// Something that is not a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    Directory,
    Fifo,
    Socket,
    Device,
    /// A file of a file system that the kernel makes up, such as /proc: its size is unknown, and reading it may block.
    Kernel,
    Other,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::Fifo => "a FIFO (named pipe)",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Kernel => "a file of the kernel (such as /proc)",
            Self::Other => "a special file",
        })
    }
}

impl FileKind {
    /// `None` for a regular file.
    fn of(file_type: FileType) -> Option<Self> {
        if file_type.is_file() {
            return None;
        }
        if file_type.is_dir() {
            return Some(Self::Directory);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileTypeExt;
            if file_type.is_fifo() {
                return Some(Self::Fifo);
            }
            if file_type.is_socket() {
                return Some(Self::Socket);
            }
            if file_type.is_block_device() || file_type.is_char_device() {
                return Some(Self::Device);
            }
        }
        Some(Self::Other)
    }
}

/// Opens a regular file, and returns its length.
pub(super) fn open_regular(path: &Path) -> Result<(File, u64), FileError> {
    let check = |file_type| FileKind::of(file_type).map_or(Ok(()), |kind| Err(FileError::NotRegular(kind)));
    // Before it is opened: opening a device may have an effect, and a socket cannot be opened.
    check(std::fs::metadata(path)?.file_type())?;
    let mut options = File::options();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Another file may have taken its place meanwhile.
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    check(metadata.file_type())?;
    #[cfg(target_os = "linux")]
    if is_of_kernel(&file) {
        return Err(FileError::NotRegular(FileKind::Kernel));
    }
    Ok((file, metadata.len()))
}

#[cfg(target_os = "linux")]
fn is_of_kernel(file: &File) -> bool {
    /// The types of proc, sysfs, debugfs, tracefs, securityfs, cgroup, cgroup2 and bpf in Linux's `magic.h`.
    const TYPES: [i128; 8] =
        [0x9FA0, 0x6265_6572, 0x6462_6720, 0x7472_6163, 0x7363_6673, 0x0027_E0EB, 0x6367_7270, 0xCAFE_4A11];
    rustix::fs::fstatfs(file).is_ok_and(|system| TYPES.contains(&i128::from(system.f_type)))
}
