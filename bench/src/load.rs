//! A closed loop: each connection sends the next request after the response to the previous one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::TryStreamExt;
use futures::stream::FuturesUnordered;

use crate::Target;
use crate::connection::Connection;
use crate::latencies::Latencies;
use crate::process::Usage;
use crate::scenario::Scenario;

/// The measurements of one scenario.
pub(crate) struct Measured {
    pub(crate) scenario: &'static str,
    pub(crate) requests_per_second: f64,
    pub(crate) latencies: Latencies,
    /// Processor seconds per second of the server; `None` if its process is unknown.
    pub(crate) cpu: Option<f64>,
    /// Peak memory of the server in bytes.
    pub(crate) memory: Option<u64>,
    pub(crate) statements_per_request: Option<f64>,
}

/// Numbers the requests of all scenarios, so that names are unique.
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
        // Warms up: statements are prepared and buffers allocated.
        connection.send(&(scenario.call)(NEXT.fetch_add(1, Ordering::Relaxed))).await?;
        open.push(connection);
    }
    Usage::reset_peak_memory(target);
    let before = Usage::read(target).await;
    let started = Instant::now();
    let until = started + duration;
    // Polls only the connections that have received something.
    let loops: FuturesUnordered<_> = open
        .into_iter()
        .map(|mut connection| async move {
            let mut micros = Vec::new();
            while Instant::now() < until {
                let call = (scenario.call)(NEXT.fetch_add(1, Ordering::Relaxed));
                let sent = Instant::now();
                connection.send(&call).await?;
                micros.push(Latencies::micros(sent.elapsed()));
            }
            Ok::<_, anyhow::Error>(micros)
        })
        .collect();
    let micros: Vec<Vec<u32>> = loops.try_collect().await?;
    let elapsed = started.elapsed().as_secs_f64();
    let latencies = Latencies::new(micros.concat());
    let after = Usage::read(target).await;
    let requests = latencies.len();
    #[expect(clippy::cast_precision_loss, reason = "counts of seconds, not of years")]
    let requests_per_second = requests as f64 / elapsed;
    Ok(Measured {
        scenario: scenario.name,
        requests_per_second,
        latencies,
        cpu: Usage::cpu_between(before.as_ref(), after.as_ref(), elapsed),
        memory: after.as_ref().map(|usage| usage.memory),
        statements_per_request: Usage::statements_between(before.as_ref(), after.as_ref(), requests),
    })
}
