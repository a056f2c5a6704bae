//! Watches the files of a catalog for changes.
//!
//! File system events wake it up; a digest of the files' contents decides whether something changed. So the swap of symbolic
//! links of a `ConfigMap` counts as a change, an editor's temporary files do not, and a file system without events is polled.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model_registry_base::files::is_directory;
use model_registry_base::run_blocking;
use model_registry_catalog_sources::{KnownFiles, Settings, watched_files};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Debounce: writers take a while to finish, and a swap of links is several events.
const DEBOUNCE: Duration = Duration::from_millis(300);
/// How often a change is looked at again before it is read although the files go on changing.
const MOST_SETTLING: usize = 10;
const POLL: Duration = Duration::from_secs(30);

/// A watch on the files of a catalog.
pub(crate) struct Watch {
    watcher: Option<RecommendedWatcher>,
    directories: BTreeSet<PathBuf>,
    wake: Arc<Notify>,
    known: KnownFiles,
}

impl Watch {
    pub(crate) fn new(settings: &Settings) -> Self {
        let wake = Arc::new(Notify::new());
        let woken = Arc::clone(&wake);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| is_read(event.kind)) {
                return;
            }
            woken.notify_one();
        });
        let watcher = watcher
            .inspect_err(
                |error| tracing::warn!(%error, "no file system events; files are polled every {} s", POLL.as_secs()),
            )
            .ok();
        let mut watch = Self { watcher, directories: BTreeSet::new(), wake, known: KnownFiles::default() };
        watch.add(directories(settings, &[]));
        watch
    }

    /// Returns when the digest of the files differs from `seen`, the digest of the last load, and stays the same. `data` are the data files of the
    /// current configuration.
    pub(crate) async fn changed(&mut self, settings: &Settings, data: &[PathBuf], seen: &[u8]) {
        let (mut last, mut settling) = (None, 0);
        loop {
            let (settings, data) = (settings.clone(), data.to_vec());
            // Before the files are read, so that no change in between is missed. A file system may take long to respond.
            let (settings, data, directories) = run_blocking(move || {
                let directories = directories(&settings, &data);
                (settings, data, directories)
            })
            .await;
            self.add(directories);
            let mut known = std::mem::take(&mut self.known);
            let digest =
                tokio::task::spawn_blocking(move || (known.fingerprint(&watched_files(&settings, &data)), known)).await;
            if let Ok((digest, known)) = digest {
                self.known = known;
                if digest != seen {
                    if settling == MOST_SETTLING || last.as_ref() == Some(&digest) {
                        return;
                    }
                    // A file that is being written is read when it stays as it is.
                    settling += 1;
                    last = Some(digest);
                    tokio::time::sleep(DEBOUNCE).await;
                    continue;
                }
            }
            let _ = tokio::time::timeout(POLL, self.wake.notified()).await;
            tokio::time::sleep(DEBOUNCE).await;
        }
    }

    /// Watches the directories that are not watched yet.
    fn add(&mut self, directories: Vec<(PathBuf, RecursiveMode)>) {
        let Some(watcher) = &mut self.watcher else { return };
        for (directory, mode) in directories {
            if self.directories.contains(&directory) {
                continue;
            }
            match watcher.watch(&directory, mode) {
                Ok(()) => {
                    self.directories.insert(directory);
                }
                Err(error) => tracing::warn!(
                    directory = %directory.display(),
                    %error,
                    "directory not watched; its files are polled every {} s", POLL.as_secs()
                ),
            }
        }
    }
}

/// The directories of all files, as far as they exist.
fn directories(settings: &Settings, data: &[PathBuf]) -> Vec<(PathBuf, RecursiveMode)> {
    let of_files = settings.sources.iter().chain(data).filter_map(|file| file.parent());
    let of_files: BTreeSet<&Path> = of_files.collect();
    let roots = data.iter().filter(|path| is_directory(path)).chain(&settings.performance_metrics);
    let all = of_files.into_iter().map(|directory| (directory, RecursiveMode::NonRecursive));
    let all = all.chain(roots.map(|root| (root.as_path(), RecursiveMode::Recursive)));
    let all = all.map(|(directory, mode)| {
        let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
        (directory.to_owned(), mode)
    });
    all.filter(|(directory, _)| is_directory(directory)).collect()
}

/// Reads do not wake it up: it reads the files itself, which would wake it up again.
fn is_read(event: EventKind) -> bool {
    matches!(event, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_write_wakes_the_watch_and_a_read_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sources.yaml");
        std::fs::write(&file, "catalogs: []\n").unwrap();
        let settings = Settings { sources: vec![file.clone()], ..Settings::default() };
        let watch = Watch::new(&settings);
        let files = BTreeSet::from([file.clone()]);
        let before = KnownFiles::default().fingerprint(&files);
        let woken = tokio::time::timeout(DEBOUNCE, watch.wake.notified()).await;
        assert!(woken.is_err(), "woken by a read");
        std::fs::write(&file, "catalogs: [] # edited\n").unwrap();
        tokio::time::timeout(POLL, watch.wake.notified()).await.unwrap();
        assert_ne!(KnownFiles::default().fingerprint(&files), before);
    }
}
