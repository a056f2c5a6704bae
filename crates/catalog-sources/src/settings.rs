//! Where the catalog reads from.

use std::path::PathBuf;

use model_registry_server::config::Environment;

use crate::HubAccess;

/// Where the catalog reads from.
#[derive(Clone, Default)]
pub struct Settings {
    /// Sources files; later ones win.
    pub sources: Vec<PathBuf>,
    /// Directories of performance metrics.
    pub measurements: Vec<PathBuf>,
    /// Hubs that sources may read from.
    pub hubs: HubAccess,
    /// Environment variables with the access tokens that sources name.
    pub environment: Environment,
}
