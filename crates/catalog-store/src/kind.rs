//! The tables of the kinds.

use model_registry_api::catalog::{CatalogKind, CatalogTable};

pub(crate) fn table(kind: CatalogKind) -> &'static str {
    match kind.spec().table {
        CatalogTable::Item => "catalog_item",
        CatalogTable::Artifact => "catalog_artifact",
    }
}
