//! Logs, metrics and traces.

mod collector;
pub(crate) mod log;
mod process;
mod prometheus;
mod trace_context;

pub use collector::{Collector, CollectorOptions};
pub(crate) use collector::{begin, describe};
pub use log::{LogError, LogFormat};
pub use prometheus::{Metrics, MetricsFormat};
pub(crate) use trace_context::TraceContext;
