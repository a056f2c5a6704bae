//! The commands of the client, against a server of the same executable.

mod catalog;
mod check;
mod documentation;
mod failures;
mod help;
mod profiles;
mod runs;
mod servers;
mod support;
mod terminal;
