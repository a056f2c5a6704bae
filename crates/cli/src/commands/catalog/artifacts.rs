//! The artifacts of a model, for `catalog show`.

use model_registry_client::Items;
use model_registry_client::catalog::{ArtifactOptions, CatalogKind};
use serde_json::Value;

use crate::client_context::ClientContext;
use crate::entity::values;
use crate::output::Layout;

pub(super) const ARTIFACTS: Layout = Layout {
    columns: &["type", "metrics", "name", "uri", "properties"],
    reference: |artifact| artifact.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
    kinds: &CatalogKind::ARTIFACTS,
};

/// The artifacts of a model.
pub(super) fn of(context: &ClientContext, source_id: &str, name: &str) -> Items<Value> {
    let options = ArtifactOptions { page_size: Some(1_000), ..ArtifactOptions::default() };
    values(context.client.catalog().artifacts_of(source_id, name).list(options))
}
