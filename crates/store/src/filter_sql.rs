//! Filters as SQL conditions, in each dialect, with all values bound.
//!
//! It never runs a statement, and knows nothing about a list but the caller's [`Scope`].

mod compile;
#[cfg(test)]
mod evaluator_tests;
mod index_ranges;
mod required_strings;
#[cfg(test)]
mod samples;

use model_registry_filter::Resolve;

pub use compile::{INDEXED_PREFIX, Selection, compile, selections};
pub(crate) use index_ranges::{IndexRanges, Superset, after_prefix, force_index, index_ranges, property_index};
pub(crate) use required_strings::{RequiredString, required_strings};

/// The list that a filter applies to.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// The name of the outer table in the statement.
    pub table: &'static str,
    pub workspace_id: i32,
    /// The codes of the listed kinds. A single one is compared as a value, several by the outer table's `kind`.
    pub kinds: &'a [i16],
    /// The table with the rows of [`Target::Property`](model_registry_filter::Target::Property) and [`Target::List`](model_registry_filter::Target::List).
    pub properties: &'static str,
    /// Its column with the first [`INDEXED_PREFIX`] characters of each string, if it has one.
    pub string_key: Option<&'static str>,
    /// The column, of `properties` and of the outer table, that says of a double that it is not finite; without it there are no
    /// such doubles.
    pub not_finite: Option<&'static str>,
    /// In an index scan, the alias of the scanned rows of `properties`. Comparisons with properties are then evaluated for one
    /// owner at a time.
    pub scanned: Option<&'static str>,
    /// Whether comparisons with properties are evaluated for one row of the outer table at a time, in the order of the list,
    /// instead of in an order that the database chooses.
    pub one_by_one: bool,
    /// The rows of [`Target::Related`](model_registry_filter::Target::Related): those whose `parent_id` is the id of the outer row.
    pub related: Option<&'a Scope<'a>>,
    /// Resolves names.
    pub resolve: Resolve<'a>,
}
