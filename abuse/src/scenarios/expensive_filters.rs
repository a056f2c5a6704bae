//! Filters, orders and searches that take long.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use crate::abused::Abused;
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "expensive-filters",
    about: "8 clients with patterns of many wildcards, hundreds of conditions and deep parentheses, in registry and catalog",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

const CLIENTS: usize = 8;
const TEXT: usize = 20_000;

async fn run(stage: Stage) -> Result<Measured> {
    let mut abused = Abused::start_with_catalog(&stage).await?;
    for number in 0..30 {
        let body = format!("{{\"name\": \"long-{number}\", \"description\": \"{}\"}}", "a".repeat(TEXT));
        let response = abused.api.post("registered_models", body).await?;
        ensure!(response.status == 201, "{} {}", response.status, response.text());
    }
    let requests = requests();
    abused.begin();
    let until = Instant::now() + Duration::from_secs(stage.amount(3, 10));
    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        let (api, requests) = (abused.api.apart()?, requests.clone());
        clients.spawn(async move {
            let mut statuses = Vec::new();
            for number in client.. {
                if Instant::now() > until {
                    break;
                }
                statuses.push(api.get(&requests[number % requests.len()]).await?.status);
            }
            anyhow::Ok(statuses)
        });
    }
    while let Some(statuses) = clients.join_next().await {
        for status in statuses?? {
            if status != 200 {
                abused.expect_rejection(status, "a filter");
            }
        }
    }
    abused.finish().await
}

fn requests() -> Vec<String> {
    let wildcards = format!("description LIKE '{}b'", "%a".repeat(200));
    let underscores = format!("description LIKE '%{}b'", "_a".repeat(200));
    let conditions: Vec<String> = (0..400).map(|number| format!("p{number} = 'x'")).collect();
    let likes: Vec<String> = (0..40).map(|number| format!("description LIKE '%a%a%a%a%{number}b%'")).collect();
    let parentheses = format!("{}name = 'x'{}", "(".repeat(5_000), ")".repeat(5_000));
    let filters = [wildcards, underscores, conditions.join(" OR "), likes.join(" OR "), parentheses];
    let mut requests = Vec::new();
    for list in ["registered_models", "model_versions", "/api/model_catalog/v1alpha1/models"] {
        requests.extend(filters.iter().map(|filter| format!("{list}?pageSize=1000&filterQuery={}", encoded(filter))));
    }
    requests.push(format!("/api/model_catalog/v1alpha1/models?q={}", encoded(&"a ".repeat(2_000))));
    requests
}

/// Percent-encodes a value of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}
