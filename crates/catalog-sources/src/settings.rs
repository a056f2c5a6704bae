use std::path::PathBuf;

use model_registry_base::Environment;

use crate::HubAccess;

/// Locations that the catalog is read from.
#[derive(Clone, Default)]
pub struct Settings {
    /// Sources files; later ones win.
    pub sources: Vec<PathBuf>,
    /// Directories with performance metrics.
    pub performance_metrics: Vec<PathBuf>,
    /// Hubs that sources may be read from.
    pub hubs: HubAccess,
    /// Environment variables with the access tokens that sources name.
    pub environment: Environment,
}
