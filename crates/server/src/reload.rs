//! Files that may change while the process runs: certificates, tokens, policies.
//!
//! They are read again every few seconds and compared by content, which also notices the symbolic links Kubernetes
//! swaps below a mounted Secret. A version that cannot be used is logged once and the one before stays in force.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use std::time::Duration;

/// How often the files are looked at.
const INTERVAL: Duration = Duration::from_secs(5);

/// Turns the contents of the files, in their order, into the value. The error is one line.
type Parse<T> = Box<dyn Fn(&[Vec<u8>]) -> Result<T, String> + Send + Sync>;

/// The first version of a file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// A file cannot be read.
    #[error("cannot read `{path}`: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The files can be read but not used.
    #[error("{0}")]
    Content(String),
}

/// A value made of files; cheap to clone.
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
    /// Reads the files for the first time.
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

    /// Makes a value that has no files and never changes.
    #[cfg(test)]
    pub(crate) fn fixed(value: T) -> Self {
        Self(Arc::new(Inner {
            paths: Vec::new(),
            parse: Box::new(|_| Err("never changes".to_owned())),
            seen: Mutex::default(),
            current: RwLock::new(Arc::new(value)),
        }))
    }

    /// Returns the version in force.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at the files now; tells whether a new version came into force.
    pub fn refresh(&self) -> Result<bool, ReloadError> {
        self.0.refresh()
    }

    /// Starts looking at the files regularly, for as long as the value is in use. Needs a runtime.
    pub fn keep_fresh(&self) {
        tokio::spawn(watch(Arc::downgrade(&self.0)));
    }
}

impl<T> Inner<T> {
    fn refresh(&self) -> Result<bool, ReloadError> {
        let contents = read(&self.paths)?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == contents {
            return Ok(false);
        }
        // Remembered even if unusable, so that it is complained about only once.
        seen.clone_from(&contents);
        let value = (self.parse)(&contents).map_err(ReloadError::Content)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
        Ok(true)
    }
}

async fn watch<T: Send + Sync + 'static>(value: Weak<Inner<T>>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let Some(value) = value.upgrade() else { return };
        let paths: Vec<String> = value.paths.iter().map(|path| path.display().to_string()).collect();
        let files = paths.join(", ");
        match tokio::task::spawn_blocking(move || value.refresh()).await {
            Ok(Ok(true)) => tracing::info!(files, "changed files taken over"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => {
                tracing::error!(files, %error, "changed files refused, the old ones stay in force");
            }
            Err(_) => return,
        }
    }
}

fn read(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, ReloadError> {
    let read_one =
        |path: &PathBuf| std::fs::read(path).map_err(|source| ReloadError::Read { path: path.clone(), source });
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
    async fn a_changed_file_is_taken_over_and_a_broken_one_is_not() {
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

        value.keep_fresh();
        std::fs::write(&path, "3").unwrap();
        for _ in 0..1000 {
            tokio::time::sleep(INTERVAL).await;
            if *value.current() == 3 {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("the change was never noticed");
    }

    #[test]
    fn the_first_version_has_to_be_usable() {
        let error = Reloading::load(&[Path::new("/none")], number).err().unwrap().to_string();
        assert!(error.starts_with("cannot read `/none`: "), "{error}");
    }
}
