//! The limit of open files: raised as far as the process may, and divided between connections and everything else.

use std::io;

/// Files for everything but connections of clients: connections to the database, SQLite files, catalog files, certificates.
const RESERVE: usize = 128;

/// The number of connections for which file descriptors are left, at most `wanted`; `shed` more are opened for a moment.
pub(super) fn connections(wanted: usize, shed: usize) -> usize {
    raised_limit().map_or(wanted, |files| within(files, wanted, shed))
}

fn within(files: usize, wanted: usize, shed: usize) -> usize {
    // With a very low limit, a quarter is left for connections.
    wanted.min(files.saturating_sub(RESERVE + shed).max(files / 4)).max(1)
}

/// Whether an accept failed because no file descriptor is free, in the process or on the machine.
pub(super) fn is_reached(error: &io::Error) -> bool {
    #[cfg(unix)]
    let codes = [rustix::io::Errno::MFILE.raw_os_error(), rustix::io::Errno::NFILE.raw_os_error()];
    #[cfg(not(unix))]
    let codes: [i32; 0] = [];
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Raises the soft limit to the hard one; `None` if files are not limited. The soft limit is low by default, for programs that
/// use `select`.
#[cfg(unix)]
fn raised_limit() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limits = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limits.maximum, maximum: limits.maximum };
    let limit = if setrlimit(Resource::Nofile, raised).is_ok() { limits.maximum } else { limits.current };
    limit.and_then(|files| usize::try_from(files).ok())
}

#[cfg(not(unix))]
fn raised_limit() -> Option<usize> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(within(1024, 8192, 64), 832);
        assert_eq!(within(1 << 20, 8192, 64), 8192);
        assert_eq!(within(100, 8192, 64), 25);
        assert_eq!(within(1, 8192, 64), 1);
    }
}
