//! One file per subcommand.

pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod server;
pub(crate) mod up;
pub(crate) mod watch;
