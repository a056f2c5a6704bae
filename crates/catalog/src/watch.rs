//! Notices that a file of the catalog has changed.
//!
//! Events of the directories wake it up; whether something changed is decided by a digest of what the files hold. So a
//! `ConfigMap`'s swap of symbolic links is noticed like an edit, an editor's temporary files are not, and a file system
//! without events is looked at now and then. A file is read again only if its inode, size or times have changed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model_registry_catalog_sources::{KnownFiles, Settings, data_files, watched_files};
use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use crate::Catalog;

/// Writers take a while to finish, and a swap is several events.
const QUIET: Duration = Duration::from_millis(300);
const POLL: Duration = Duration::from_secs(30);

/// What is watched.
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
            if event.is_ok_and(|event| is_reading(event.kind)) {
                return;
            }
            woken.notify_one();
        });
        let watcher = watcher
            .inspect_err(
                |error| tracing::warn!(%error, "files are not watched, only looked at every {} s", POLL.as_secs()),
            )
            .ok();
        let mut watch = Self { watcher, directories: BTreeSet::new(), wake, known: KnownFiles::default() };
        watch.follow(settings, &[]);
        watch
    }

    /// Returns when the files differ from what the last load saw.
    pub(crate) async fn changed(&mut self, catalog: &Catalog, seen: &[u8]) {
        loop {
            let data = data_files(&catalog.configuration());
            self.follow(catalog.settings(), &data);
            let settings = catalog.settings().clone();
            let mut known = std::mem::take(&mut self.known);
            let looked =
                tokio::task::spawn_blocking(move || (known.fingerprint(&watched_files(&settings, &data)), known)).await;
            if let Ok((now, known)) = looked {
                self.known = known;
                if now != seen {
                    return;
                }
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

/// Reading wakes nobody: looking at the files would be followed by looking at them again.
fn is_reading(event: EventKind) -> bool {
    matches!(event, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reading_a_watched_file_wakes_nobody_and_writing_does() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sources.yaml");
        std::fs::write(&file, "catalogs: []\n").unwrap();
        let settings = Settings { sources: vec![file.clone()], ..Settings::default() };
        let watch = Watch::new(&settings);
        let files = BTreeSet::from([file.clone()]);
        let before = KnownFiles::default().fingerprint(&files);
        let woken = tokio::time::timeout(QUIET, watch.wake.notified()).await;
        assert!(woken.is_err(), "by reading");
        std::fs::write(&file, "catalogs: [] # edited\n").unwrap();
        tokio::time::timeout(POLL, watch.wake.notified()).await.unwrap();
        assert_ne!(KnownFiles::default().fingerprint(&files), before);
    }
}
