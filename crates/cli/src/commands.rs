//! One file per subcommand.

pub(crate) mod catalog;
pub(crate) mod server;
pub(crate) mod up;
