//! Limits on the elements of a body: each one is a row that is written and that filters read.

/// Most custom properties of an entity.
pub(crate) const CUSTOM_PROPERTIES: usize = 1_000;
/// Most elements of a list-valued field.
pub(crate) const LIST: usize = 500;
/// Most artifacts of one registration.
pub(crate) const REGISTERED_ARTIFACTS: usize = 100;
