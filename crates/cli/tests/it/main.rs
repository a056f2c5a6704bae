//! The real executable as a process: its commands, kills and signals, database outages, and published Python clients.
//!
//! Each module carries `#[cfg(test)]` because Clippy allows `unwrap` only in such modules.

#[cfg(test)]
mod api_conformity;
#[cfg(test)]
mod api_copy;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod catalog;
#[cfg(test)]
mod change_feed;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod data_places;
#[cfg(test)]
mod database_faults;
#[cfg(test)]
mod database_server;
#[cfg(test)]
mod database_tls;
#[cfg(test)]
mod hostile_peers;
#[cfg(test)]
mod hub;
#[cfg(test)]
mod identity_provider;
#[cfg(test)]
mod log_output;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod memory_limits;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod outage;
#[cfg(test)]
mod protocol;
#[cfg(test)]
mod proxies;
#[cfg(test)]
mod python_client;
#[cfg(test)]
mod startup;
#[cfg(test)]
mod storage_initializer;
#[cfg(test)]
mod support;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod transfer;
#[cfg(test)]
mod upload_job;
