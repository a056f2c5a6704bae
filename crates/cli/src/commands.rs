//! One file per subcommand.

pub(crate) mod artifacts;
pub(crate) mod catalog;
pub(crate) mod completion;
pub(crate) mod config;
pub(crate) mod environments;
pub(crate) mod experiments;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod metrics;
pub(crate) mod models;
pub(crate) mod open;
pub(crate) mod register;
pub(crate) mod runs;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod services;
pub(crate) mod up;
pub(crate) mod versions;
pub(crate) mod watch;
