//! Accesses to the file system with a time limit.
//!
//! An access that does not return (a network file system without its server) cannot be ended, so each is made by another thread,
//! which is abandoned after the limit. While it hangs, further accesses to the same path fail at once, so that no more threads
//! are lost to it.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::FileError;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that are kept for the next access.
const MOST_IDLE: usize = 8;
/// Accesses that may hang at the same time.
const MOST_HANGING: usize = 32;

/// The threads that wait for an access.
static IDLE: Mutex<Vec<Sender<Job>>> = Mutex::new(Vec::new());
/// The paths with an access that has not returned within its limit.
static HANGING: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `access`, which concerns this path, on another thread, and waits for its result at most until the limit.
pub fn within<T: Send + 'static>(
    path: &Path,
    limit: Duration,
    access: impl FnOnce() -> T + Send + 'static,
) -> Result<T, FileError> {
    let no_response = || FileError::NoResponse(limit);
    {
        let hanging = lock(&HANGING);
        if hanging.len() >= MOST_HANGING || hanging.contains(path) {
            return Err(no_response());
        }
    }
    let (sender, receiver) = channel();
    let returned = Returned(path.to_owned());
    let job: Job = Box::new(move || {
        // Dropped last, also by a panic.
        let _returned = returned;
        // Fails if the limit has passed.
        let _ = sender.send(access());
    });
    let thread = start(job)?;
    match receiver.recv_timeout(limit) {
        Ok(result) => {
            let mut idle = lock(&IDLE);
            if idle.len() < MOST_IDLE {
                idle.push(thread);
            }
            Ok(result)
        }
        Err(RecvTimeoutError::Disconnected) => Err(panicked()),
        Err(RecvTimeoutError::Timeout) => {
            let mut hanging = lock(&HANGING);
            match receiver.try_recv() {
                // It has returned since, and does not remove the path any more.
                Ok(result) => Ok(result),
                Err(TryRecvError::Disconnected) => Err(panicked()),
                Err(TryRecvError::Empty) => {
                    hanging.insert(path.to_owned());
                    Err(no_response())
                }
            }
        }
    }
}

fn panicked() -> FileError {
    FileError::Io(io::Error::other("the access failed"))
}

/// Marks the end of an access that may be known as hanging.
struct Returned(PathBuf);

impl Drop for Returned {
    fn drop(&mut self) {
        lock(&HANGING).remove(&self.0);
    }
}

/// Gives the job to an idle thread, or to a new one.
fn start(mut job: Job) -> Result<Sender<Job>, FileError> {
    loop {
        let idle = lock(&IDLE).pop();
        let Some(thread) = idle else { break };
        match thread.send(job) {
            Ok(()) => return Ok(thread),
            // It ended by a panic.
            Err(unsent) => job = unsent.0,
        }
    }
    let (thread, jobs) = channel::<Job>();
    let run = move || jobs.into_iter().for_each(|job| job());
    std::thread::Builder::new().name("files".to_owned()).spawn(run)?;
    // The thread has just been started and waits.
    let _ = thread.send(job);
    Ok(thread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_that_does_not_return_is_given_up_and_repeated_only_after_it_has_returned() {
        let path = Path::new("/hanging");
        let (release, held) = channel::<()>();
        let (done, finished) = channel::<()>();
        let access = move || {
            let _ = held.recv();
            drop(done);
        };
        let error = within(path, Duration::from_millis(1), access).unwrap_err();
        assert!(error.to_string().contains("the file system does not respond"), "{error}");
        // At once, although its limit is long.
        assert!(within(path, Duration::from_hours(1), || ()).is_err());
        assert_eq!(within(Path::new("/other"), Duration::from_hours(1), || 7).unwrap(), 7);
        drop(release);
        let _ = finished.recv();
        while lock(&HANGING).contains(path) {
            std::thread::yield_now();
        }
        assert_eq!(within(path, Duration::from_hours(1), || 8).unwrap(), 8);
    }

    #[test]
    fn a_panic_of_an_access_is_an_error_and_other_accesses_go_on() {
        let failed = within(Path::new("/panic"), Duration::from_mins(1), || panic!("broken"));
        assert!(failed.is_err());
        assert_eq!(within(Path::new("/other-2"), Duration::from_mins(1), || 1).unwrap(), 1);
    }
}
