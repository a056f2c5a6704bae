//! What the server's process uses: processor time, memory, statements.

use anyhow::Result;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use url::Url;

use crate::Target;

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
        let memory = memory(process, "VmRSS:")?;
        Some(Self { cpu: ticks / TICKS, memory, statements: statements(&target.base_url).await.ok() })
    }

    pub(crate) fn cpu_between(before: Option<&Self>, after: Option<&Self>, seconds: f64) -> Option<f64> {
        Some((after?.cpu - before?.cpu) / seconds)
    }

    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    pub(crate) fn statements_between(before: Option<&Self>, after: Option<&Self>, requests: u64) -> Option<f64> {
        Some((after?.statements? - before?.statements?) / requests as f64)
    }
}

/// The most memory that the server's process has had, in bytes.
pub(crate) fn peak_memory(target: &Target) -> Option<u64> {
    memory(target.process?, "VmHWM:")
}

fn memory(process: u32, line: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let found = status.lines().find_map(|found| found.strip_prefix(line))?;
    Some(found.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

async fn statements(base_url: &str) -> Result<f64> {
    let url = Url::parse(base_url)?;
    let address = (url.host_str().unwrap_or_default().to_owned(), url.port_or_known_default().unwrap_or(80));
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let request = http::Request::get("/metrics").header("host", "bench").body(Empty::<bytes::Bytes>::new())?;
    let body = sender.send_request(request).await?.into_body().collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&body);
    let line = text.lines().find_map(|line| line.strip_prefix("model_registry_database_statements_total "));
    Ok(line.unwrap_or_default().trim().parse()?)
}
