//! The wire vocabulary of the APIs: kinds of entity with their fields, custom properties, assets of the catalog, the
//! error body, paging parameters.
//!
//! It does no I/O and depends on no SQL, HTTP or async library: servers, clients and tools share it.
//!
//! To add a field, add one line to its kind in `kinds/`. To add a kind, add a file there, a member of [`Kind`] and a
//! line in `kinds.rs`. Routes, decoding, storage, filters, export and the OpenAPI document derive from the declaration;
//! tests compare the typed form in `entities/`, the client and the command line with it.

pub mod catalog;
pub mod custom_property;
pub mod double;
pub mod entities;
pub mod error;
pub mod field;
mod id;
pub mod kind;
mod kinds;
pub mod page;

pub use custom_property::CustomProperty;
pub use error::ErrorBody;
pub use field::{Access, Enumeration, Field, Shape, Storage};
pub use id::parse_id;
pub use kind::{Check, EntityTable, Kind, KindSpec, Parent, Reference, ReferenceCheck};
pub use page::{OrderBy, SortOrder};

/// Versions of the registry's REST API over the same entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    /// With experiments; a metric's `step` is a JSON integer.
    V1Alpha3,
    /// Without experiments; a metric's `step` is a string; an unknown `orderBy` is 400.
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
