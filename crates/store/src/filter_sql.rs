//! Checked filters as SQL: one condition per dialect, every value bound.
//!
//! It never runs a statement, and knows an entity kind only through the caller's [`Scope`].

mod common_strings;
mod compile;
#[cfg(test)]
mod evaluator_tests;
#[cfg(test)]
mod samples;

use model_registry_filter::Resolve;

pub(crate) use common_strings::{Equality, walkable};
pub use compile::{INDEXED_PREFIX, Selection, compile, selections};

/// The list a filter applies to.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The outer table, by the name the statement uses for it.
    pub table: &'static str,
    pub workspace_id: i32,
    /// The kinds listed. With one, its code is compared with; with several, the outer table's `kind` is.
    pub kinds: &'a [i16],
    /// The table with the rows of [`Target::Property`] and [`Target::List`].
    pub properties: &'static str,
    /// Its column with the first [`INDEXED_PREFIX`] characters of each text, where it has one.
    pub text_key: Option<&'static str>,
    /// The name under which the statement walks rows of `properties`, when those and not the outer table lead to the
    /// matches: every comparison with a property is then looked up for one owner at a time.
    pub walked: Option<&'static str>,
    /// The rows behind [`Target::Related`]: those whose `parent_id` is the outer row's id.
    pub related: Option<&'a Scope<'a>>,
    /// Says what a name means in this list.
    pub resolve: Resolve<'a>,
}
