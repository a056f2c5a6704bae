//! The commands of the client, against a server of the same executable.

mod catalog;
mod check;
mod completion;
mod documentation;
mod failures;
mod help;
mod login;
mod profiles;
mod runs;
mod servers;
mod support;
mod terminal;
mod typos;
