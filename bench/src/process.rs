//! What the server's process uses: processor time, memory, statements.

use anyhow::Result;

use crate::Target;
use crate::connection::Connection;

/// Clock ticks a second; Linux has never had another value for user space.
const TICKS: f64 = 100.0;

pub(crate) struct Usage {
    /// Seconds.
    cpu: f64,
    /// Bytes.
    pub(crate) memory: u64,
    statements: Option<f64>,
}

impl Usage {
    pub(crate) async fn read(target: &Target) -> Option<Self> {
        let process = target.process?;
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name in parentheses may contain blanks.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let kilobytes: u64 =
            status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?.split_whitespace().next()?.parse().ok()?;
        Some(Self { cpu: ticks / TICKS, memory: kilobytes * 1024, statements: statements(&target.base_url).await.ok() })
    }

    pub(crate) fn cpu_between(before: Option<&Self>, after: Option<&Self>, seconds: f64) -> Option<f64> {
        Some((after?.cpu - before?.cpu) / seconds)
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    pub(crate) fn statements_between(before: Option<&Self>, after: Option<&Self>, requests: u64) -> Option<f64> {
        Some((after?.statements? - before?.statements?) / requests as f64)
    }
}

async fn statements(base_url: &str) -> Result<f64> {
    let mut connection = Connection::open(base_url).await?;
    let text = String::from_utf8_lossy(connection.exchange("GET", "/metrics", "").await?);
    let line = text.lines().find_map(|line| line.strip_prefix("model_registry_database_statements_total "));
    Ok(line.unwrap_or_default().trim().parse()?)
}
