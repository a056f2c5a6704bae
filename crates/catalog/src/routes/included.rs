//! Children that items include on request, such as the tools of MCP servers with `includeTools=true`.

use std::collections::HashMap;

use model_registry_api::catalog::{AssetTypeSpec, CatalogVersion, IncludedChildren};
use model_registry_catalog_store::{CatalogRecord, CatalogSnapshot};
use model_registry_server::{ApiError, Query};

use super::wire::to_wire;
use super::{parameters, store_error};

const DEFAULT_LIMIT: usize = 10;
const MAX_LIMIT: i32 = 100;

/// The children that a request includes.
pub(super) struct Included {
    children: &'static IncludedChildren,
    /// Maximum per item; 0 means all.
    limit: usize,
}

impl Included {
    /// `None` if the request includes none.
    pub(super) fn read(spec: &'static AssetTypeSpec, query: &Query) -> Result<Option<Self>, ApiError> {
        let Some(children) = &spec.list.included_children else { return Ok(None) };
        let parameter = children.limit_parameter;
        let limit = match parameters::integer(query, parameter)? {
            // parity: an empty number is zero, as in the Kubeflow Model Registry.
            None if query.has(parameter) => 0,
            None => DEFAULT_LIMIT,
            Some(limit) if (0..=MAX_LIMIT).contains(&limit) => usize::try_from(limit).unwrap_or_default(),
            Some(limit) => {
                let message = format!("{parameter}: {limit} is not between 0 and {MAX_LIMIT}; 0 means all");
                return Err(ApiError::Invalid(message));
            }
        };
        Ok(parameters::boolean(query, children.parameter)?.then_some(Self { children, limit }))
    }

    /// The JSON of the items with their children.
    pub(super) async fn append(
        &self,
        snapshot: &mut CatalogSnapshot,
        items: &[CatalogRecord],
        version: CatalogVersion,
    ) -> Result<Vec<String>, ApiError> {
        let ids: Vec<i64> = items.iter().map(|item| item.id).collect();
        let limit = if self.limit == 0 { usize::MAX } else { self.limit };
        let records = snapshot.list_children(self.children.kind, &ids, limit).await.map_err(store_error)?;
        let mut by_item: HashMap<i64, Vec<String>> = HashMap::new();
        for record in &records {
            by_item.entry(record.parent_id).or_default().push(to_wire(record, version));
        }
        let with_children = |item: &CatalogRecord| {
            let mut wire = to_wire(item, version);
            if let Some(of_item) = by_item.get(&item.id) {
                // The closing brace is replaced by one more member.
                wire.pop();
                let members = of_item.join(",");
                wire.extend([r#",""#, self.children.field, r#"":["#, &members, "]}"]);
            }
            wire
        };
        Ok(items.iter().map(with_children).collect())
    }
}
