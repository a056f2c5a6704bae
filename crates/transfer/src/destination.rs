//! The kinds of destinations.

pub(crate) mod directory;
pub(crate) mod image;
pub(crate) mod objects;
