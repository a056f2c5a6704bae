//! The declarations of the asset types, one file each.

pub(super) mod agents;
pub(super) mod mcp_servers;
pub(super) mod models;
pub(super) mod skills;
