//! The API of the registry, called in process on every configured database.
//!
//! Each module carries `#[cfg(test)]` because Clippy allows `unwrap` only in such modules.

#[cfg(test)]
mod artifacts;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod change_retention;
#[cfg(test)]
mod changes;
#[cfg(test)]
mod conditional_requests;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod custom_properties;
#[cfg(test)]
mod entities;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod filter_options;
#[cfg(test)]
mod filters;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod large_documents;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod names;
#[cfg(test)]
mod not_finite;
#[cfg(test)]
mod odd_requests;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod random_filters;
#[cfg(test)]
mod random_pages;
#[cfg(test)]
mod register;
#[cfg(test)]
mod search;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod support;
#[cfg(test)]
mod totals;
#[cfg(test)]
mod v1;
