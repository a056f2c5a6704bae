//! A small file system in memory that can be filled.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;
use tempfile::TempDir;

use super::run;
use crate::error::{Error, Result};

/// A file system of a few megabytes; unmounted when dropped.
///
/// Mounting requires root, as tests have in CI.
#[derive(Debug)]
pub struct SmallDisk {
    directory: TempDir,
}

impl SmallDisk {
    /// Mounts a file system of this many KiB. `None` after a line on standard error if this process is not root.
    pub fn mount(kibibytes: u32) -> Result<Option<Self>> {
        if !geteuid().is_root() {
            let _ = writeln!(io::stderr(), "skipped a test with a full disk: mounting a file system requires root");
            return Ok(None);
        }
        let directory = tempfile::Builder::new().prefix("model-registry-disk-").tempdir()?;
        let place = directory.path().display().to_string();
        // Other users can enter it, because database servers run as their own users.
        run("mount", &["-t", "tmpfs", "-o", &format!("size={kibibytes}k,mode=0777"), "tmpfs", &place])?;
        Ok(Some(Self { directory }))
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Takes all space that is left, by a file.
    pub fn fill(&self) -> Result<()> {
        let failed = |source| Error::File { what: "cannot fill the disk", path: self.filler(), source };
        let mut file = File::options().create(true).append(true).open(self.filler()).map_err(failed)?;
        let mut block = vec![0_u8; 4096];
        loop {
            match file.write(&block) {
                Ok(_) => {}
                // The last bytes.
                Err(error) if error.kind() == io::ErrorKind::StorageFull && block.len() > 1 => {
                    block.truncate(block.len() / 2);
                }
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(()),
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Frees the space that [`Self::fill`] has taken.
    pub fn free(&self) -> Result<()> {
        let failed = |source| Error::File { what: "cannot free the disk", path: self.filler(), source };
        std::fs::remove_file(self.filler()).map_err(failed)
    }

    fn filler(&self) -> PathBuf {
        self.directory.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a process that is killed with the test may still have a file open.
        let _ = run("umount", &["-l", &self.directory.path().display().to_string()]);
    }
}
