//! What a source publishes.

use model_registry_store::Document;

use crate::CatalogKind;

/// A model or an MCP server with its children, or one of those.
#[derive(Clone, Debug)]
pub struct CatalogItem {
    pub kind: CatalogKind,
    /// Unique within kind and parent (or source), at most 255 characters.
    pub key: String,
    pub name: Option<String>,
    /// Without id and times.
    pub document: Document,
    /// The JSON of members whose values in the document do not hold everything that was written, such as integers beyond 64 bits.
    pub written: Vec<(&'static str, String)>,
    /// Milliseconds since the Unix epoch; otherwise the time of the first load.
    pub create_time: Option<i64>,
    /// Otherwise the time of the load that changed something.
    pub update_time: Option<i64>,
    /// Artifacts of a model, tools of a server.
    pub children: Vec<CatalogItem>,
}
