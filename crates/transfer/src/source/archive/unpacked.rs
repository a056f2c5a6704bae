//! The directory that an archive is unpacked into.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

use model_registry_base::Cancellation;

use super::links::{self, Link};
use crate::endpoint::Result;
use crate::error::TransferError;
use crate::relative_path::RelativePath;

/// Most files of an archive.
const MOST_FILES: usize = 1_000_000;
/// An archive may always unpack to this size, and beyond it to a multiple of its own: an archive of a few kilobytes must not fill
/// a disk.
const ALWAYS_ALLOWED: u64 = 10 << 30;
const LARGEST_RATIO: u64 = 200;
const CHUNK: usize = 1 << 18;

pub(super) struct Unpacked<'a> {
    directory: &'a Path,
    archive: &'a str,
    work: &'a Cancellation,
    limit: u64,
    size: u64,
    files: usize,
    links: Vec<Link>,
}

impl<'a> Unpacked<'a> {
    pub(super) fn new(directory: &'a Path, archive: &'a str, packed: u64, work: &'a Cancellation) -> Self {
        let limit = packed.saturating_mul(LARGEST_RATIO).max(ALWAYS_ALLOWED);
        Self { directory, archive, work, limit, size: 0, files: 0, links: Vec::new() }
    }

    /// Checks the name of a member. `./a` is how tar writes `a`; the directory itself is `None`.
    pub(super) fn name(&self, name: &str) -> Result<Option<RelativePath>> {
        let mut plain = name.trim_end_matches('/');
        while let Some(rest) = plain.strip_prefix("./") {
            plain = rest;
        }
        if (plain.is_empty() && !name.starts_with('/')) || plain == "." {
            return Ok(None);
        }
        RelativePath::parse(if plain.is_empty() { name } else { plain })
            .map(Some)
            .map_err(|problem| self.refused(name, problem))
    }

    pub(super) fn refused(&self, name: &str, problem: crate::NameProblem) -> TransferError {
        let name = name.chars().take(200).collect::<String>().escape_debug().to_string();
        TransferError::UnsafeName { at: self.archive.to_owned(), name, problem }
    }

    pub(super) fn broken(&self, error: &dyn std::fmt::Display) -> TransferError {
        TransferError::failed(self.archive, format!("the archive cannot be unpacked: {error}"))
    }

    pub(super) fn unsupported(&self, name: &str, what: &str) -> TransferError {
        let name = name.escape_debug();
        TransferError::failed(
            self.archive,
            format!("the archive contains `{name}`, which is {what}: only files are unpacked"),
        )
    }

    /// Writes a file.
    pub(super) fn add(&mut self, path: &RelativePath, content: &mut dyn Read) -> Result<()> {
        self.count()?;
        let target = self.directory.join(path.as_str());
        let failed = |error: &io::Error| TransferError::io(target.display().to_string(), error);
        let parent = target.parent().unwrap_or(self.directory);
        fs::create_dir_all(parent).map_err(|error| failed(&error))?;
        let mut file = File::create(&target).map_err(|error| failed(&error))?;
        let mut buffer = vec![0; CHUNK];
        loop {
            self.work.check().map_err(|_| TransferError::Cancelled)?;
            let count = match content.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.broken(&error)),
            };
            self.size += count as u64;
            if self.size > self.limit {
                return Err(
                    self.broken(&format!("it unpacks to more than {} bytes, the limit for its size", self.limit))
                );
            }
            file.write_all(&buffer[..count]).map_err(|error| failed(&error))?;
        }
    }

    /// Notes a link to another member. It becomes a copy of that file, once all files are there.
    pub(super) fn link(&mut self, link: Link) -> Result<()> {
        self.count()?;
        self.links.push(link);
        Ok(())
    }

    fn count(&mut self) -> Result<()> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(self.broken(&format!("it has more than {MOST_FILES} files")));
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<()> {
        links::resolve(self.directory, self.archive, self.links)
    }
}
