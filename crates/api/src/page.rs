//! Paging and ordering parameters of lists.

/// Items on a page when the request names no size.
pub const DEFAULT_PAGE_SIZE: u32 = 1_000;
/// Items on a page at most; a larger request gets this many and a token for the rest.
pub const MAX_PAGE_SIZE: u32 = 10_000;

/// What a list is ordered by; equal keys are ordered by id, in the same direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OrderBy {
    #[default]
    Id,
    CreateTime,
    LastUpdateTime,
}

impl OrderBy {
    pub const NAMES: [&'static str; 3] = ["CREATE_TIME", "LAST_UPDATE_TIME", "ID"];

    /// Reads a value of `orderBy`; `id` in lower case is accepted as well (parity, registry-server 3.1).
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "ID" | "id" => Some(Self::Id),
            "CREATE_TIME" => Some(Self::CreateTime),
            "LAST_UPDATE_TIME" => Some(Self::LastUpdateTime),
            _ => None,
        }
    }
}

/// Direction of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SortOrder {
    #[default]
    Ascending,
    Descending,
}

impl SortOrder {
    pub const NAMES: [&'static str; 2] = ["ASC", "DESC"];

    /// Anything but `DESC` is ascending (parity, registry-server 3.1).
    pub fn parse(text: &str) -> Self {
        if text == "DESC" { Self::Descending } else { Self::Ascending }
    }
}
