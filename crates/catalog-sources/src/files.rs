//! The files that a catalog is read from, and a checksum of their contents.
//!
//! A file is read again only if its inode, size or times have changed.

use std::collections::{BTreeSet, HashMap};
use std::fs::Metadata;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use model_registry_base::files::{self as limited, FileError, RegularFile};
use sha2::{Digest, Sha256};

use crate::Settings;
use crate::configuration::{Configuration, PATH, Source, SourcesFiles, YAML_PATH};
use crate::problem::Problem;
use crate::skills::{self, DirectoryFiles};

/// Deepest level of nested directories with performance metrics; links may lead in circles.
pub(crate) const DEEPEST: usize = 16;
/// Clocks of file systems tick at most this far apart.
const RACY: Duration = Duration::from_secs(2);

/// Readings of a file that changes meanwhile.
const ATTEMPTS: usize = 3;

/// Reads a file, and again if it changed meanwhile: what was read of a file that is being written may be valid.
pub(crate) fn read_unchanged<T>(file: &Path, mut read: impl FnMut() -> Result<T, Problem>) -> Result<T, Problem> {
    let stamp = || limited::metadata(file).ok().and_then(|metadata| Stamp::of(&metadata).ok());
    for _ in 0..ATTEMPTS {
        let before = stamp();
        let value = read();
        if before == stamp() {
            return value;
        }
    }
    Err(Problem::of_file(file, "changes while it is read: it is read again when it has changed"))
}

/// The data files and directories of the enabled sources.
pub fn data_files(configuration: &Configuration) -> Vec<PathBuf> {
    let enabled = configuration.sources.values().filter(|source| source.enabled);
    let paths = |source: &Source| {
        let paths = [YAML_PATH, PATH].into_iter().filter_map(|name| source.string_property(name));
        paths.map(|path| source.path(path)).collect::<Vec<_>>()
    };
    enabled.flat_map(paths).collect()
}

/// Reads the configuration, and a fingerprint of all files that it and its sources are read from.
pub fn read_configuration(settings: &Settings, files: &mut SourcesFiles) -> (Configuration, Vec<Problem>, Vec<u8>) {
    loop {
        let before = fingerprint(&settings.sources.iter().cloned().collect());
        let (configuration, problems) = files.load(&settings.sources);
        let all = fingerprint(&watched_files(settings, &data_files(&configuration)));
        // Otherwise a file was written meanwhile, and the fingerprint may belong to a newer configuration.
        if before == fingerprint(&settings.sources.iter().cloned().collect()) {
            return (configuration, problems, all);
        }
    }
}

/// All files that are read: sources files, data files and those of performance metrics.
pub fn watched_files(settings: &Settings, data: &[PathBuf]) -> BTreeSet<PathBuf> {
    let (directories, data): (Vec<_>, Vec<_>) = data.iter().partition(|path| limited::is_directory(path));
    let mut files: BTreeSet<PathBuf> = settings.sources.iter().chain(data).cloned().collect();
    for directory in directories {
        files.extend(skills::directory_files(directory).into_iter().flat_map(DirectoryFiles::into_paths));
    }
    for root in &settings.performance_metrics {
        walk(root, 0, &mut files);
    }
    files
}

/// Adds all files in a directory and those below it.
pub(crate) fn walk(directory: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) {
    for path in limited::entries(directory).unwrap_or_default() {
        if limited::is_directory(&path) {
            if depth < DEEPEST {
                walk(&path, depth + 1, files);
            }
        } else {
            files.insert(path);
        }
    }
}

type Checksum = sha2::digest::Output<Sha256>;

/// Identifies the state of a file without reading it.
#[derive(PartialEq, Eq)]
struct Stamp {
    device_and_inode: (u64, u64),
    bytes: u64,
    /// Time of the last change of its content.
    modified: SystemTime,
    /// Time of the last change of its content or attributes, in seconds and nanoseconds.
    changed: (i64, i64),
}

/// Checksums of files, valid while their stamps are unchanged.
#[derive(Default)]
pub struct KnownFiles(HashMap<PathBuf, (Stamp, Checksum)>);

impl KnownFiles {
    /// A fingerprint of the names and contents of all files.
    pub fn fingerprint(&mut self, files: &BTreeSet<PathBuf>) -> Vec<u8> {
        self.0.retain(|file, _| files.contains(file));
        let mut digest = Sha256::new();
        for file in files {
            digest.update(file.as_os_str().as_encoded_bytes());
            // All of the same length, so that no content can be mistaken for the name of the next file.
            match self.checksum(file) {
                Ok(content) => digest.update(content),
                Err(_) => digest.update([0; 32]),
            }
        }
        digest.finalize().to_vec()
    }

    fn checksum(&mut self, file: &Path) -> Result<Checksum, FileError> {
        let stamp = Stamp::of(&limited::metadata(file)?)?;
        if let Some((known, digest)) = self.0.get(file)
            && *known == stamp
        {
            return Ok(*digest);
        }
        let digest = checksum(file)?;
        // A file may change again within one tick of the clock, with the same stamp.
        if stamp.modified.elapsed().is_ok_and(|age| age > RACY) {
            self.0.insert(file.to_owned(), (stamp, digest));
        } else {
            self.0.remove(file);
        }
        Ok(digest)
    }
}

impl Stamp {
    fn of(file: &Metadata) -> std::io::Result<Self> {
        #[cfg(unix)]
        let (device_and_inode, changed) = {
            use std::os::unix::fs::MetadataExt;
            ((file.dev(), file.ino()), (file.ctime(), file.ctime_nsec()))
        };
        #[cfg(not(unix))]
        let (device_and_inode, changed) = ((0, 0), (0, 0));
        Ok(Self { device_and_inode, bytes: file.len(), modified: file.modified()?, changed })
    }
}

fn fingerprint(files: &BTreeSet<PathBuf>) -> Vec<u8> {
    KnownFiles::default().fingerprint(files)
}

/// A checksum of the content of a file, which may be too large for memory.
pub(crate) fn checksum(file: &Path) -> Result<Checksum, FileError> {
    let mut opened = RegularFile::open(file)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = opened.read(&mut buffer)?;
        if count == 0 {
            return Ok(digest.finalize());
        }
        digest.update(buffer.get(..count).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again_and_refused_if_it_keeps_changing() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("models.yaml");
        std::fs::write(&file, "1").unwrap();
        let mut readings = 0;
        let read = read_unchanged(&file, || {
            readings += 1;
            if readings == 1 {
                std::fs::write(&file, "12").unwrap();
            }
            Ok(std::fs::read_to_string(&file).unwrap())
        });
        assert_eq!((read.unwrap().as_str(), readings), ("12", 2));
        let mut length = 2;
        let read = read_unchanged(&file, || {
            length += 1;
            std::fs::write(&file, "x".repeat(length)).unwrap();
            Ok(())
        });
        assert!(read.unwrap_err().reason.starts_with("changes while it is read"));
        assert_eq!(length, 2 + ATTEMPTS);
    }

    #[test]
    fn any_change_of_a_file_invalidates_its_checksum() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("models.yaml");
        let set_modified = |time| std::fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        std::fs::write(&file, "one").unwrap();
        let long_ago = std::fs::metadata(&file).unwrap().modified().unwrap() - RACY * 10;
        set_modified(long_ago);
        let files = BTreeSet::from([file.clone()]);
        let mut known = KnownFiles::default();
        let one = known.fingerprint(&files);
        assert_eq!(known.0.len(), 1);
        assert_eq!(known.fingerprint(&files), one);
        std::fs::write(&file, "two").unwrap();
        let two = known.fingerprint(&files);
        assert_ne!(two, one);
        assert_eq!(known.0.len(), 0, "just written: it may change again with the same stamp");
        // As when the link of a ConfigMap is swapped: another file with the same size and time.
        let other = directory.path().join("other");
        std::fs::write(&other, "six").unwrap();
        set_modified(long_ago);
        assert_eq!(known.fingerprint(&files), two);
        std::fs::rename(&other, &file).unwrap();
        set_modified(long_ago);
        assert_ne!(known.fingerprint(&files), two);
        assert_eq!(known.fingerprint(&BTreeSet::new()).len(), two.len());
        assert_eq!(known.0.len(), 0);
    }
}
