//! The server is killed while clients write.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::api::Api;
use crate::load::Load;
use crate::scenario::{EVERY, Group, Limits, Measured, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "kill",
    about: "kill -9 of the server while 8 clients write, several times",
    group: Group::Fault,
    databases: EVERY,
    short: EVERY,
    limits: Limits::unserved(10),
    run: |stage| Box::pin(run(stage)),
};

async fn run(stage: Stage) -> Result<Measured> {
    let database = stage.database().await?;
    let mut server = stage.launch("server", database.url()).start().await?;
    let api = Api::of(&server)?;
    let mut measured = Measured::default();
    for round in 0..stage.amount(2, 15) {
        let load = Load::start(&api, 8, &format!("kill-{round}-"))?;
        load.more(20 + round * 7 % 30, Duration::from_mins(1)).await?;
        measured.memory = measured.memory.max(server.peak_memory()?);
        server.kill().await?;
        let start = Instant::now();
        server.start_again().await?;
        load.more(1, Duration::from_mins(1)).await?;
        measured.unserved = measured.unserved.max(start.elapsed());
        let ledger = load.end().await;
        let damage = ledger.compare(&api).await?;
        measured.acknowledged += ledger.acknowledged();
        measured.lost += damage.lost;
        measured.partial += damage.partial;
        measured.problems.extend(ledger.unexpected_statuses());
    }
    Ok(measured)
}
