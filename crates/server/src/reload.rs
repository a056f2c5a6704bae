//! Reloads files that change while the process runs: certificates, tokens, policies.
//!
//! It polls every few seconds and compares contents, which also detects the symbolic links that Kubernetes swaps in a
//! mounted Secret. An unusable version is logged once, and the previous version stays in effect.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

use model_registry_base::files::{self, FileError, LARGEST_SETTINGS};

/// Polling interval.
const INTERVAL: Duration = Duration::from_secs(5);

/// Parses the contents of the files, in order. The error is one line.
type Parse<T> = Box<dyn Fn(&[Vec<u8>]) -> Result<T, String> + Send + Sync>;

/// Why files are unusable.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Read { path: PathBuf, source: FileError },
    /// The content is invalid.
    #[error("{0}")]
    Content(String),
}

/// A value parsed from files; cheap to clone.
pub struct Reloading<T>(Arc<Inner<T>>);

impl<T> Clone for Reloading<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

struct Inner<T> {
    paths: Vec<PathBuf>,
    parse: Parse<T>,
    seen: Mutex<Vec<Vec<u8>>>,
    current: RwLock<Arc<T>>,
}

impl<T: Send + Sync + 'static> Reloading<T> {
    /// Loads the files; they have to be usable.
    pub fn load(
        paths: &[&Path],
        parse: impl Fn(&[Vec<u8>]) -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, ReloadError> {
        let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
        let contents = read(&paths)?;
        let value = parse(&contents).map_err(ReloadError::Content)?;
        Ok(Self(Arc::new(Inner {
            paths,
            parse: Box::new(parse),
            seen: Mutex::new(contents),
            current: RwLock::new(Arc::new(value)),
        })))
    }

    /// A value without files.
    #[cfg(test)]
    pub(crate) fn fixed(value: T) -> Self {
        Self(Arc::new(Inner {
            paths: Vec::new(),
            parse: Box::new(|_| Err("never changes".to_owned())),
            seen: Mutex::default(),
            current: RwLock::new(Arc::new(value)),
        }))
    }

    /// The current version.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the files now; true if a new version took effect.
    pub fn refresh(&self) -> Result<bool, ReloadError> {
        self.0.refresh()
    }

    /// Polls the files until the last clone is dropped. Requires a Tokio runtime.
    pub fn watch(&self) {
        tokio::spawn(poll(Arc::downgrade(&self.0)));
    }
}

impl<T> Inner<T> {
    fn refresh(&self) -> Result<bool, ReloadError> {
        let contents = read(&self.paths)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == contents {
            return Ok(false);
        }
        // Stored even if unusable, so that it is logged only once.
        seen.clone_from(&contents);
        let value = (self.parse)(&contents).map_err(ReloadError::Content)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
        Ok(true)
    }
}

async fn poll<T: Send + Sync + 'static>(value: Weak<Inner<T>>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(value) = value.upgrade() else { return };
        let paths: Vec<String> = value.paths.iter().map(|path| path.display().to_string()).collect();
        let files = paths.join(", ");
        match tokio::task::spawn_blocking(move || value.refresh()).await {
            Ok(Ok(true)) => tracing::info!(files, "reloaded changed files"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                tracing::error!(files, %error, "changed files are unusable, the previous versions stay in effect");
            }
            Err(_) => return,
        }
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, ReloadError> {
    let read_one = |path: &PathBuf| {
        files::read(path, LARGEST_SETTINGS).map_err(|source| ReloadError::Read { path: path.clone(), source })
    };
    paths.iter().map(read_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(contents: &[Vec<u8>]) -> Result<i64, String> {
        let text = String::from_utf8_lossy(&contents[0]);
        text.trim().parse().map_err(|_| format!("`{text}` is not a number"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_file_takes_effect_and_an_unusable_one_does_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("number");
        std::fs::write(&path, "1").unwrap();
        let value = Reloading::load(&[&path], number).unwrap();
        assert_eq!(*value.current(), 1);

        std::fs::write(&path, "2").unwrap();
        assert!(value.refresh().unwrap());
        assert!(!value.refresh().unwrap());
        assert_eq!(*value.current(), 2);

        std::fs::write(&path, "x").unwrap();
        assert_eq!(value.refresh().unwrap_err().to_string(), "`x` is not a number");
        assert_eq!(*value.current(), 2);

        value.watch();
        std::fs::write(&path, "3").unwrap();
        for _ in 0..1000 {
            tokio::time::sleep(INTERVAL).await;
            if *value.current() == 3 {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the change was not detected");
    }

    #[test]
    fn the_first_version_has_to_be_usable() {
        let error = Reloading::load(&[Path::new("/none")], number).err().unwrap().to_string();
        assert!(error.starts_with("cannot read `/none`: "), "{error}");
    }
}
