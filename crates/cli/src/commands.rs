//! One file per subcommand.

pub(crate) mod server;
pub(crate) mod up;
