//! What belongs to a model: a part of `show`.

use model_registry_client::Items;
use model_registry_client::catalog::ArtifactOptions;
use serde_json::Value;

use crate::entity::values;
use crate::output::Layout;
use crate::session::Session;

pub(super) const ARTIFACTS: Layout = Layout {
    columns: &["type", "metrics", "name", "uri", "properties"],
    reference: |artifact| artifact.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
};

pub(super) fn of(session: &Session, source_id: &str, name: &str) -> Items<Value> {
    let options = ArtifactOptions { page_size: Some(1_000), ..ArtifactOptions::default() };
    values(session.client.catalog().artifacts_of(source_id, name).list(options))
}
