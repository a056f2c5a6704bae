//! Paging and ordering parameters of lists.

/// Page size without `pageSize`.
pub const DEFAULT_PAGE_SIZE: u32 = 1_000;
/// Largest page; a larger `pageSize` is reduced to it, and the page token leads to the rest.
pub const MAX_PAGE_SIZE: u32 = 10_000;

/// Sort key of a list; equal keys are ordered by id in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OrderBy {
    #[default]
    Id,
    CreateTime,
    LastUpdateTime,
}

impl OrderBy {
    pub const NAMES: [&'static str; 3] = ["CREATE_TIME", "LAST_UPDATE_TIME", "ID"];

    /// Parses a value of `orderBy`; `id` in lower case is accepted too (parity).
    pub fn parse(value: &str) -> Option<Self> {
        match value {
            "ID" | "id" => Some(Self::Id),
            "CREATE_TIME" => Some(Self::CreateTime),
            "LAST_UPDATE_TIME" => Some(Self::LastUpdateTime),
            _ => None,
        }
    }
}

/// Sort direction of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SortOrder {
    #[default]
    Ascending,
    Descending,
}

impl SortOrder {
    pub const NAMES: [&'static str; 2] = ["ASC", "DESC"];

    /// Parses a value of `sortOrder`; anything but `DESC` is ascending (parity).
    pub fn parse(value: &str) -> Self {
        if value == "DESC" { Self::Descending } else { Self::Ascending }
    }
}
