//! A closed loop: each connection sends its next call when it has the last one's answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::TryStreamExt;
use futures::stream::FuturesUnordered;
use hdrhistogram::Histogram;

use crate::Target;
use crate::connection::Connection;
use crate::process::Usage;
use crate::scenario::Scenario;

/// The numbers of one scenario.
pub(crate) struct Measured {
    pub(crate) scenario: &'static str,
    pub(crate) requests_per_second: f64,
    /// Microseconds.
    pub(crate) histogram: Histogram<u64>,
    /// Processor seconds per second, and bytes, of the server; where its process is known.
    pub(crate) cpu: Option<f64>,
    pub(crate) memory: Option<u64>,
    pub(crate) statements_per_request: Option<f64>,
}

/// Numbers calls over all scenarios of the process, so that names are not made twice.
static NEXT: AtomicUsize = AtomicUsize::new(0);

pub(crate) async fn run(
    target: &Target,
    scenario: &Scenario,
    connections: usize,
    duration: Duration,
) -> Result<Measured> {
    let mut open = Vec::new();
    for _ in 0..connections {
        let mut connection = Connection::open(&target.base_url).await?;
        // Prepared statements and buffers are those of a server that has been running.
        connection.send(&(scenario.call)(NEXT.fetch_add(1, Ordering::Relaxed))).await?;
        open.push(connection);
    }
    Usage::forget_memory(target);
    let before = Usage::read(target).await;
    let started = Instant::now();
    let until = started + duration;
    // Polls only those whose answer came.
    let loops: FuturesUnordered<_> = open
        .into_iter()
        .map(|mut connection| async move {
            let mut histogram = Histogram::<u64>::new(3)?;
            while Instant::now() < until {
                let call = (scenario.call)(NEXT.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                connection.send(&call).await?;
                histogram.record(u64::try_from(sent.elapsed().as_micros()).unwrap_or(u64::MAX))?;
            }
            Ok::<_, anyhow::Error>(histogram)
        })
        .collect();
    let histograms: Vec<_> = loops.try_collect().await?;
    let elapsed = started.elapsed().as_secs_f64();
    let mut histogram = Histogram::<u64>::new(3)?;
    for part in histograms {
        histogram.add(part)?;
    }
    let after = Usage::read(target).await;
    let requests = histogram.len();
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds, not of years")]
    let requests_per_second = requests as f64 / elapsed;
    Ok(Measured {
        scenario: scenario.name,
        requests_per_second,
        histogram,
        cpu: Usage::cpu_between(before.as_ref(), after.as_ref(), elapsed),
        memory: after.as_ref().map(|usage| usage.memory),
        statements_per_request: Usage::statements_between(before.as_ref(), after.as_ref(), requests),
    })
}
