//! The versions of the API of the catalog.

/// A version of the API of the catalog. All are served from one declaration; in v1, all names on the wire are in camel case,
/// and an unknown `orderBy` is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CatalogVersion {
    #[default]
    V1Alpha1,
    V1,
}

impl CatalogVersion {
    pub const ALL: [Self; 2] = [Self::V1Alpha1, Self::V1];

    /// The last segment of a base path, such as `v1alpha1`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1Alpha1 => "v1alpha1",
            Self::V1 => "v1",
        }
    }
}
