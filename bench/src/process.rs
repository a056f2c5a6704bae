//! Resource usage of the server: processor time, memory, statements.

use anyhow::Result;

use crate::Target;
use crate::connection::Connection;

/// Clock ticks per second; always 100 on Linux.
const TICKS: f64 = 100.0;

pub(crate) struct Usage {
    /// Processor seconds.
    cpu: f64,
    /// Peak memory in bytes since the last reset.
    pub(crate) memory: u64,
    statements: Option<f64>,
}

/// Processor seconds of a process.
pub(crate) fn cpu(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field, the name in parentheses, may contain spaces.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS)
}

impl Usage {
    pub(crate) async fn read(target: &Target) -> Option<Self> {
        let process = target.process?;
        Some(Self {
            cpu: cpu(process)?,
            memory: peak_memory(process)?,
            statements: statements(&target.base_url).await.ok(),
        })
    }

    /// Resets the kernel's peak memory of the process; without permission, the peak since the start is measured.
    pub(crate) fn reset_peak_memory(target: &Target) {
        if let Some(process) = target.process {
            let _ = std::fs::write(format!("/proc/{process}/clear_refs"), "5");
        }
    }

    pub(crate) fn cpu_between(before: Option<&Self>, after: Option<&Self>, seconds: f64) -> Option<f64> {
        Some((after?.cpu - before?.cpu) / seconds)
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    pub(crate) fn statements_between(before: Option<&Self>, after: Option<&Self>, requests: usize) -> Option<f64> {
        Some((after?.statements? - before?.statements?) / requests as f64)
    }
}

/// Peak resident memory of a process in bytes.
pub(crate) fn peak_memory(process: u32) -> Option<u64> {
    bytes(process, "VmHWM:")
}

/// Resident memory of a process in bytes.
pub(crate) fn memory(process: u32) -> Option<u64> {
    bytes(process, "VmRSS:")
}

fn bytes(process: u32, field: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

async fn statements(base_url: &str) -> Result<f64> {
    let mut connection = Connection::open(base_url).await?;
    let text = String::from_utf8_lossy(connection.exchange("GET", "/metrics", "").await?);
    let line = text.lines().find_map(|line| line.strip_prefix("model_registry_database_statements_total "));
    Ok(line.unwrap_or_default().trim().parse()?)
}
