//! Throw-away databases and servers for the tests of the other crates.
//!
//! **What this is.** A development-only library: it starts PostgreSQL and MariaDB in a temporary directory
//! ([`PostgresServer`], [`MariaDbServer`], with TLS by certificates of an [`Authority`]), hands each test a fresh database ([`TestDatabase`]), starts the real executable
//! ([`Executable`]), replays recorded exchanges against whatever answers them ([`golden`]), compares OpenAPI documents with
//! contracts ([`contract`]) and stands in for a Hugging Face hub ([`HubServer`]), an identity provider ([`IssuerServer`]) and an
//! OpenTelemetry collector ([`CollectorServer`]).
//!
//! **What it never does.** It never ends up in a release build (only `[dev-dependencies]` and xtask name it), never uses a
//! server that it did not start or that no `MR_TEST_…` variable names, never listens on anything but 127.0.0.1, never
//! installs a program (it says which command does: [`Error::Missing`]), and knows nothing of the registry's tables or rules.
//!
//! **How to add one more server.** Copy `mariadb.rs`: find the program, prepare a data directory, describe how to start
//! and how to ask whether it is ready; `server.rs` does ports, users, signals and clean-up. For one more database that tests
//! run on, add a [`Backend`] too, and its start in `xtask/src/test.rs`.

mod authority;
mod collector;
pub mod contract;
pub mod database;
mod each_database;
mod error;
pub mod executable;
pub mod golden;
pub mod hub;
pub mod issuer;
pub mod mariadb;
pub mod postgres;
mod seed;
mod server;

pub use authority::{Authority, Issued, IssuedFiles};
pub use collector::CollectorServer;
pub use database::{Backend, TestDatabase, backends};
pub use error::{Error, Result};
pub use executable::{Executable, Ready};
pub use hub::HubServer;
pub use issuer::{IssuerServer, SigningKey};
pub use mariadb::MariaDbServer;
pub use postgres::PostgresServer;
pub use seed::{SEED_VARIABLE, seed};
pub use server::{CERTIFIED_USER, ServerTls, Stop, find_program, free_port};
