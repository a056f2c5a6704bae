//! The metrics of the process under the names that every Prometheus client library uses: `process_…`.
//!
//! They are read from `/proc` at each scrape; on systems without it, only the start time is present.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

/// The unit of processor times in `/proc`: 100 per second for every process on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A registry with the metrics of this process.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::with_prefix("process");
    registry.register_collector(Box::new(Process { started: now() }));
    registry
}

#[derive(Debug)]
struct Process {
    /// In seconds since the epoch.
    started: f64,
}

#[expect(clippy::disallowed_methods, reason = "the start of the process, which no decision depends on")]
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// What `/proc` says about this process.
#[derive(Debug, Default, PartialEq)]
struct Usage {
    cpu_seconds: Option<f64>,
    virtual_memory: Option<u64>,
    resident_memory: Option<u64>,
    threads: Option<u64>,
    open_files: Option<u64>,
    max_files: Option<u64>,
}

impl Usage {
    fn read() -> Self {
        let text = |path| std::fs::read_to_string(path).unwrap_or_default();
        let open_files = std::fs::read_dir("/proc/self/fd").ok();
        let (stat, status, limits) = (text("/proc/self/stat"), text("/proc/self/status"), text("/proc/self/limits"));
        // One of the descriptors is that of the listing.
        let open_files = open_files.and_then(|files| u64::try_from(files.count().saturating_sub(1)).ok());
        Self { open_files, ..Self::parse(&stat, &status, &limits) }
    }

    fn parse(stat: &str, status: &str, limits: &str) -> Self {
        // The second field, the name of the program in parentheses, may contain blanks.
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        // The fields 14 and 15, counted from the first.
        let ticks = |field: usize| fields.get(field - 3)?.parse::<u32>().ok();
        let line = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next());
        let kibibytes = |name| line(name).and_then(|number| number.parse::<u64>().ok()).map(|number| number * 1024);
        let max_files = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
        Self {
            cpu_seconds: ticks(14)
                .zip(ticks(15))
                .map(|(user, system)| (f64::from(user) + f64::from(system)) / TICKS_PER_SECOND),
            virtual_memory: kibibytes("VmSize:"),
            resident_memory: kibibytes("VmRSS:"),
            threads: line("Threads:").and_then(|number| number.parse().ok()),
            open_files: None,
            max_files: max_files.and_then(|limits| limits.split_whitespace().next()?.parse().ok()),
        }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let usage = Usage::read();
        if let Some(seconds) = usage.cpu_seconds {
            let help = "Processor time of the process, user and system, in seconds";
            let descriptor = encoder.encode_descriptor("cpu_seconds", help, None, MetricType::Counter)?;
            ConstCounter::<f64>::new(seconds).encode(descriptor)?;
        }
        for (name, help, value) in [
            ("virtual_memory_bytes", "Virtual memory of the process, in bytes", usage.virtual_memory),
            ("resident_memory_bytes", "Resident memory of the process, in bytes", usage.resident_memory),
            ("threads", "Threads of the process", usage.threads),
            ("open_fds", "Open file descriptors of the process", usage.open_files),
            ("max_fds", "Maximum number of open file descriptors", usage.max_files),
        ] {
            if let Some(value) = value.and_then(|value| i64::try_from(value).ok()) {
                let descriptor = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
                ConstGauge::<i64>::new(value).encode(descriptor)?;
            }
        }
        let help = "Start of the process, in seconds since the epoch";
        let descriptor = encoder.encode_descriptor("start_time_seconds", help, None, MetricType::Gauge)?;
        ConstGauge::<f64>::new(self.started).encode(descriptor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_proc_are_parsed() {
        let stat = "7 (a (b) c) S 1 7 7 0 -1 4194560 9 0 0 0 1234 66 0 0 20 0 5 0 300 1000 200";
        let status = "Name:\tx\nVmSize:\t    2048 kB\nVmRSS:\t     512 kB\nThreads:\t5\n";
        let limits =
            "Limit  Soft Limit  Hard Limit  Units\nMax open files            1024                 4096   files\n";
        let expected = Usage {
            cpu_seconds: Some(13.0),
            virtual_memory: Some(2048 * 1024),
            resident_memory: Some(512 * 1024),
            threads: Some(5),
            open_files: None,
            max_files: Some(1024),
        };
        assert_eq!(Usage::parse(stat, status, limits), expected);
        assert_eq!(Usage::parse("", "", "Max open files unlimited unlimited files"), Usage::default());
    }
}
