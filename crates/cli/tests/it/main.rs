//! The real executable, driven from outside.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without fails it")]

mod command_line;
