//! The files that are transferred, and their digests.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

const BLOCK: usize = 1 << 20;

/// Writes files of equal size whose bytes do not repeat and cannot be compressed.
pub(super) fn make(directory: &Path, count: u64, size: u64) -> Result<()> {
    fs::create_dir_all(directory)?;
    for number in 0..count {
        let path = directory.join(format!("weights-{number:05}.bin"));
        let mut file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut state = (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut block = vec![0; usize::try_from(size).unwrap_or(BLOCK).clamp(8, BLOCK).next_multiple_of(8)];
        let mut left = size;
        while left > 0 {
            for word in block.chunks_exact_mut(8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                word.copy_from_slice(&state.to_le_bytes());
            }
            let length = usize::try_from(left).unwrap_or(BLOCK).min(block.len());
            file.write_all(&block[..length])?;
            left -= length as u64;
        }
    }
    settle();
    Ok(())
}

/// Makes the same files appear in another directory of the disk, without copying them.
pub(super) fn link(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::hard_link(entry.path(), to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Writes what waits to the disk and forgets what was read, if the kernel permits it, so that every measurement begins alike.
pub(super) fn settle() {
    let _ = Command::new("sync").status();
    let _ = fs::write("/proc/sys/vm/drop_caches", "3");
}

/// The SHA-256 digests of the files of a directory, as `sha256sum` prints them in the order of the names.
pub(super) fn digests(directory: &Path) -> Result<String> {
    let mut names: Vec<_> =
        fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    // State of servers and transfers.
    names.retain(|name| !name.to_string_lossy().starts_with('.'));
    names.sort();
    let mut text = String::new();
    // In groups, because a command line is limited.
    for group in names.chunks(1_000) {
        let mut command = Command::new("sha256sum");
        let output = command.arg("--").args(group).current_dir(directory).stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "sha256sum failed in {}", directory.display());
        text.push_str(&String::from_utf8(output.stdout)?);
    }
    Ok(text)
}

/// Fails unless two directories have the same files with the same contents.
pub(super) fn compare(left: &Path, right: &Path) -> Result<()> {
    ensure!(digests(left)? == digests(right)?, "{} and {} have different files", left.display(), right.display());
    Ok(())
}
