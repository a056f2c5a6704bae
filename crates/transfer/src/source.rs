//! The kinds of sources.

pub(crate) mod archive;
pub(crate) mod directory;
pub(crate) mod hub;
pub(crate) mod image;
pub(crate) mod objects;
pub(crate) mod spooled;
pub(crate) mod web;
