//! The wire vocabulary of the APIs: kinds of entity with their fields, what the catalog publishes, the error body,
//! paging parameters.
//!
//! It never does I/O, knows no SQL, no HTTP framework and no async: servers, clients and tools share it.
//!
//! To add a field, add one line to its kind in `kinds/`; to add a kind, add one file there, a member of [`Kind`]
//! and an arm in [`Kind::spec`]. Decoding, storage, filters and the OpenAPI document follow from the declaration; a test
//! asks for the field in the typed form, in `entities/`.

pub mod catalog;
pub mod entities;
pub mod error;
pub mod field;
pub mod kind;
mod kinds;
pub mod page;

pub use error::ErrorBody;
pub use field::{Access, Enumeration, Field, Shape, Storage};
pub use kind::{EntityTable, Kind, KindSpec, Parent, Reference};
pub use page::{OrderBy, SortOrder};

/// Versions of the registry's REST API. Both serve the same entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    /// With experiments; a metric's `step` is a JSON integer.
    V1Alpha3,
    /// Without experiments; a metric's `step` is a string; an unknown `orderBy` is refused.
    V1,
}

impl ApiVersion {
    pub const ALL: [Self; 2] = [Self::V1Alpha3, Self::V1];

    /// The last segment of the base path, such as `v1alpha3`.
    pub const fn segment(self) -> &'static str {
        match self {
            Self::V1Alpha3 => "v1alpha3",
            Self::V1 => "v1",
        }
    }

    /// The path below which the API is served.
    pub const fn base_path(self) -> &'static str {
        match self {
            Self::V1Alpha3 => "/api/model_registry/v1alpha3",
            Self::V1 => "/api/model_registry/v1",
        }
    }
}
