//! Databases that are full, do not respond, or cannot be written; each fault ends without a restart of the registry.

mod failover;
mod full_disk;
mod lost_packets;
mod swallowed_connections;

use std::collections::HashMap;
use std::time::Duration;

use model_registry_testkit::Executable;
use serde_json::{Value, json};

use crate::support::{Client, eventually};

/// Limit for the time to recover; generous, for a busy machine. On an idle one it takes up to five seconds.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);

/// Models that a server has acknowledged, by id.
#[derive(Default)]
struct Acknowledged(HashMap<String, Value>);

impl Acknowledged {
    /// Creates a model with a description of some bytes; returns the status and the message.
    async fn create(&mut self, client: &Client, name: &str, bytes: usize) -> (u16, String) {
        let model = json!({"name": name, "description": "x".repeat(bytes)});
        let response = client.post("registered_models", &model).await;
        if response.status == 201 {
            self.0.insert(response.id().to_owned(), response.body.clone());
        }
        (response.status, response.body["message"].as_str().unwrap_or_default().to_owned())
    }

    /// Creates models until one is accepted.
    async fn create_eventually(&mut self, client: &Client, name: &str, bytes: usize) -> Duration {
        let mut attempt = 0;
        let mut last = String::new();
        eventually(&format!("{name} is created"), async || {
            attempt += 1;
            let (status, message) = self.create(client, &format!("{name}-{attempt}"), bytes).await;
            assert!([201, 503, 504].contains(&status), "{status}: {message}");
            last = message;
            status == 201
        })
        .await
    }

    /// Asserts that every acknowledged model is there, unchanged.
    async fn check(&self, client: &Client) {
        for (id, model) in &self.0 {
            assert_eq!(client.read(&format!("registered_models/{id}")).await, *model, "acknowledged but lost");
        }
    }
}

/// Asserts that all probes fail with this message.
async fn check_not_ready(client: &Client, expected: &str) {
    for probe in ["/readyz", "/readyz/health", "/readyz/isDirty"] {
        let response = client.get(probe).await;
        let message = response.body.to_string();
        assert!(response.status == 503 && message.contains(expected), "{probe}: {} {message}", response.status);
    }
    assert_eq!(client.get("/livez").await.status, 200);
}

async fn ready_eventually(client: &Client) {
    eventually("ready again", async || client.get("/readyz").await.status == 200).await;
}

fn check_log(server: &Executable, expected: &[&str]) {
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
    for words in expected {
        assert!(log.contains(words), "`{words}` is not in the log: {log}");
    }
}
