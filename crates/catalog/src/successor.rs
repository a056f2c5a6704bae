//! Which path of v1 replaces a path of v1alpha1.

use model_registry_api::catalog::{AssetType, CatalogVersion};

/// What the paths of v1alpha1 begin with.
pub(crate) fn alpha_paths() -> impl Iterator<Item = String> {
    AssetType::ALL.into_iter().map(|asset_type| base_path(asset_type, CatalogVersion::V1Alpha1))
}

/// Finds the path of v1 that replaces a path of v1alpha1: the same below the base path, because both versions have the same
/// routes; v1 as a whole where the path has no route.
pub(crate) fn of_alpha(route: Option<&str>, path: &str) -> Option<String> {
    AssetType::ALL.into_iter().find_map(|asset_type| {
        let rest = path.strip_prefix(&base_path(asset_type, CatalogVersion::V1Alpha1))?;
        let v1 = base_path(asset_type, CatalogVersion::V1);
        Some(format!("{v1}{}", route.map_or("", |_| rest)))
    })
}

fn base_path(asset_type: AssetType, version: CatalogVersion) -> String {
    format!("{}/", asset_type.spec().api.base_path(version))
}
