//! Notices that a file of the catalog has changed.
//!
//! Events of the directories wake it up; whether something changed is decided by a digest of what the files hold. So a
//! `ConfigMap`'s swap of symbolic links is noticed like an edit, an editor's temporary files are not, and a file system
//! without events is looked at now and then.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use crate::configuration::Configuration;
use crate::{Catalog, Settings};

/// Writers take a while to finish, and a swap is several events.
const QUIET: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_secs(30);
const DEEPEST: usize = 16;

/// What is watched.
pub(crate) struct Watch {
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
    wake: Arc<Notify>,
}

impl Watch {
    pub(crate) fn new(settings: &Settings) -> Self {
        let wake = Arc::new(Notify::new());
        let woken = Arc::clone(&wake);
        let watcher = notify::recommended_watcher(move |_: notify::Result<notify::Event>| woken.notify_one());
        let watcher = watcher
            .inspect_err(
                |error| tracing::warn!(%error, "files are not watched, only looked at every {} s", POLL.as_secs()),
            )
            .ok();
        let mut watch = Self { watcher, directories: BTreeSet::new(), wake };
        watch.follow(settings, &[]);
        watch
    }

    /// Returns when the files differ from what the last load saw.
    pub(crate) async fn changed(&mut self, catalog: &Catalog, seen: &[u8]) {
        loop {
            let data = data_files(&catalog.configuration());
            self.follow(catalog.settings(), &data);
            let settings = catalog.settings().clone();
            let now = tokio::task::spawn_blocking(move || fingerprint(&files(&settings, &data))).await;
            if now.is_ok_and(|now| now != seen) {
                return;
            }
            let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
            tokio::time::sleep(QUIET).await;
        }
    }

    /// Watches the directories of all files, those of new sources too.
    fn follow(&mut self, settings: &Settings, data: &[PathBuf]) {
        let Some(watcher) = &mut self.watcher else { return };
        let of_files = settings.sources.iter().chain(data).filter_map(|file| file.parent());
        let mut wanted: Vec<(PathBuf, RecursiveMode)> =
            of_files.map(|directory| (directory.to_owned(), RecursiveMode::NonRecursive)).collect();
        wanted.extend(settings.measurements.iter().map(|root| (root.clone(), RecursiveMode::Recursive)));
        for (directory, mode) in wanted {
            let directory = if directory.as_os_str().is_empty() { PathBuf::from(".") } else { directory };
            if !directory.exists() || self.directories.contains(&directory) {
                continue;
            }
            match watcher.watch(&directory, mode) {
                Ok(()) => {
                    self.directories.insert(directory);
                }
                Err(error) => tracing::warn!(directory = %directory.display(), %error, "directory is not watched"),
            }
        }
    }
}

fn data_files(configuration: &Configuration) -> Vec<PathBuf> {
    let enabled = configuration.sources.values().filter(|source| source.enabled);
    enabled.filter_map(|source| Some(source.path(source.text_property("yamlCatalogPath")?))).collect()
}

/// Reads the configuration together with a digest of all files that it and its sources are made of.
pub(crate) fn read_configuration<T>(
    settings: &Settings,
    mut read: impl FnMut() -> (Configuration, T),
) -> (Configuration, T, Vec<u8>) {
    loop {
        let before = fingerprint(&settings.sources.iter().cloned().collect());
        let (configuration, more) = read();
        let all = fingerprint(&files(settings, &data_files(&configuration)));
        // Written in between, the digest would belong to a newer configuration than the one read.
        if before == fingerprint(&settings.sources.iter().cloned().collect()) {
            return (configuration, more, all);
        }
    }
}

fn files(settings: &Settings, data: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut files: BTreeSet<PathBuf> = settings.sources.iter().chain(data).cloned().collect();
    for root in &settings.measurements {
        walk(root, 0, &mut files);
    }
    files
}

fn walk(directory: &Path, depth: usize, files: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if depth < DEEPEST {
                walk(&path, depth + 1, files);
            }
        } else {
            files.insert(path);
        }
    }
}

/// A digest of the names and contents of all files.
fn fingerprint(files: &BTreeSet<PathBuf>) -> Vec<u8> {
    let mut digest = Sha256::new();
    for file in files {
        digest.update(file.as_os_str().as_encoded_bytes());
        // Of one length, so that no content can be taken for the next file's name.
        match content(file) {
            Ok(content) => digest.update(content),
            Err(_) => digest.update([0; 32]),
        }
    }
    digest.finalize().to_vec()
}

/// A digest of a file's content, which may be larger than what should be in memory.
fn content(file: &Path) -> std::io::Result<sha2::digest::Output<Sha256>> {
    let mut opened = std::fs::File::open(file)?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        let count = opened.read(&mut piece)?;
        if count == 0 {
            return Ok(digest.finalize());
        }
        digest.update(piece.get(..count).unwrap_or_default());
    }
}
