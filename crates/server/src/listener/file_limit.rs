//! The limit of open files: raised as far as the process may, and divided between connections, probes and everything else.

use std::io;

use tokio::net::TcpListener;

/// Files for everything but connections of clients: connections to the database, SQLite files, catalog files, certificates.
const RESERVE: usize = 128;

/// How many connections may be open at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Division {
    /// With a place.
    pub(super) connections: usize,
    /// For probes, in addition.
    pub(super) probes: usize,
    /// Descriptors that are kept for probes: see [`SpareFiles`].
    pub(super) spare: usize,
}

/// The numbers of connections for which file descriptors are left, at most those that are wanted.
pub(super) fn divide(wanted: Division) -> Division {
    raised_limit().map_or(wanted, |files| within(files, wanted))
}

fn within(files: usize, wanted: Division) -> Division {
    // With a very low limit, a quarter is left for connections, and an eighth for probes.
    let probes = wanted.probes.min(files / 8).max(1);
    let connections = wanted.connections.min(files.saturating_sub(RESERVE + probes).max(files / 4)).max(1);
    let spare = wanted.spare.min(files / 32).max(1);
    Division { connections, probes, spare }
}

/// File descriptors that are kept for connections of health probes, for the case that everything else has taken all others.
pub(super) struct SpareFiles {
    count: usize,
    /// Duplicates of the listening socket, which take descriptors and nothing else. Elsewhere than on Unix there are none.
    #[cfg(unix)]
    files: Vec<std::os::fd::OwnedFd>,
    #[cfg(not(unix))]
    files: Vec<()>,
}

impl SpareFiles {
    pub(super) fn new(count: usize) -> Self {
        Self { count, files: Vec::new() }
    }

    /// Takes descriptors, as far as they are free.
    #[cfg_attr(not(unix), expect(unused_variables, reason = "there are none"))]
    pub(super) fn refill(&mut self, listener: &TcpListener) {
        #[cfg(unix)]
        while self.files.len() < self.count {
            let Ok(duplicate) = std::os::fd::AsFd::as_fd(listener).try_clone_to_owned() else { return };
            self.files.push(duplicate);
        }
    }

    /// Closes one, so that a connection can be accepted; false if there is none.
    pub(super) fn release(&mut self) -> bool {
        self.files.pop().is_some()
    }
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
        let wanted = Division { connections: 8192, probes: 64, spare: 8 };
        for (files, connections, probes, spare) in
            [(1024, 832, 64, 8), (1 << 20, 8192, 64, 8), (256, 96, 32, 8), (100, 25, 12, 3), (1, 1, 1, 1)]
        {
            assert_eq!(within(files, wanted), Division { connections, probes, spare }, "{files}");
        }
    }
}
