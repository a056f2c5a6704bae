//! Temporary databases and servers for the tests of the other crates.
//!
//! **What this is.** A development-only library. It
//!
//! * starts PostgreSQL and MariaDB in a temporary directory ([`PostgresServer`], [`MariaDbServer`], either as a
//!   [`DatabaseServer`]), with TLS by certificates of an [`Authority`] if needed;
//! * creates a fresh database for each test ([`TestDatabase`], [`on_each_database`]);
//! * starts the real executable ([`Executable`]);
//! * replays recorded exchanges ([`golden`]) and compares OpenAPI documents with contracts ([`contract`]);
//! * fakes a Hugging Face hub ([`HubServer`]), Google Cloud Storage ([`GoogleStore`]), an identity provider ([`IssuerServer`]) and an OpenTelemetry collector
//!   ([`CollectorServer`]);
//! * serves Git repositories over HTTP ([`GitServer`]) and images ([`OciRegistry`], [`Registry11`]), and starts servers of other projects ([`ForeignProgram`],
//!   [`AzuriteServer`], [`MotoServer`]);
//! * is a proxy to servers with TLS ([`ConnectProxy`]), adds TLS to a server ([`TlsFront`]), and makes FIFOs ([`make_fifo`]);
//! * misuses servers ([`abuse`]): slow bodies, responses that are not read;
//! * causes faults ([`faults`]): a full disk, a network that loses packets, swallowed connections.
//!
//! Its executable `test-servers` starts the database servers for `cargo xtask test` and `cargo xtask databases`.
//!
//! **What it never does.** It is not part of a release build (only `[dev-dependencies]` and the benchmark use it). It uses
//! no server except those it started and those that `MR_TEST_…` variables name, listens only on 127.0.0.1, installs nothing
//! ([`Error::Missing`] has the command that does), and depends on none of the registry's tables or rules.
//!
//! **How to add one more server.** Copy `mariadb.rs`: find the program, prepare a data directory, describe how to start the
//! server and how to test that it is ready; `server.rs` does ports, users, signals and clean-up. For a database that tests
//! run on, also add a [`Backend`], and its start in `src/bin/test-servers.rs` and `xtask/src/test.rs`.

pub mod abuse;
mod authority;
mod azurite;
mod collector;
pub mod contract;
pub mod database;
mod database_server;
mod each_database;
mod error;
pub mod executable;
pub mod faults;
mod fifo;
mod file_server;
mod foreign;
pub mod git;
pub mod golden;
mod google;
pub mod hub;
pub mod issuer;
pub mod mariadb;
mod moto;
mod oci_registry;
pub mod postgres;
mod proxy;
mod registry_1_1;
mod s3;
mod s3_raw;
mod seed;
mod server;
mod server_directory;
mod tls_front;

pub use authority::{Authority, Issued, IssuedFiles};
pub use azurite::{AZURE_CONTAINER, AZURE_KEY, AzuriteServer};
pub use collector::CollectorServer;
pub use database::{Backend, TestDatabase, backends};
pub use database_server::DatabaseServer;
pub use error::{Error, Result};
pub use executable::{Executable, Ready};
pub use faults::disk::SmallDisk;
pub use faults::network::NetworkNamespace;
pub use faults::proxy::TcpProxy;
#[cfg(unix)]
pub use fifo::make_fifo;
pub use file_server::{FileServer, WebFault};
pub use foreign::ForeignProgram;
pub use git::{GitRepository, GitServer};
pub use google::{GOOGLE_BUCKET, GOOGLE_TOKEN, GoogleStore};
pub use hub::HubServer;
pub use issuer::{IssuerServer, SigningKey};
pub use mariadb::MariaDbServer;
pub use model_registry_programs::{Missing, find_program, skopeo};
pub use moto::MotoServer;
pub use oci_registry::{OciRegistry, REGISTRY_PASSWORD, REGISTRY_USER};
pub use postgres::PostgresServer;
pub use proxy::ConnectProxy;
pub use registry_1_1::Registry11;
pub use s3::{BUCKET as S3_BUCKET, Fault as S3Fault, S3Server, SECRET_KEY as S3_SECRET_KEY};
pub use s3_raw::upload_in_parts;
pub use seed::{SEED_VARIABLE, seed};
pub use server::{CERTIFIED_USER, ServerTls, Stop, free_port};
pub use server_directory::server_directory;
pub use tls_front::TlsFront;
