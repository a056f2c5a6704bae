//! How much a body may carry. Each element is a row that is written and that filters look at.

/// Custom properties of an entity at most.
pub(crate) const CUSTOM_PROPERTIES: usize = 1_000;
/// Elements of a list-valued field at most.
pub(crate) const LIST: usize = 500;
/// Artifacts of one registration at most.
pub(crate) const REGISTERED_ARTIFACTS: usize = 100;
