//! Paths that lead elsewhere than they seem to: out of a directory, or around authentication.

use anyhow::Result;

use crate::raw::{exchange, statuses};
use crate::scenario::{EVERY, Group, Limits, Measured, SQLITE, Scenario};
use crate::scenarios::tokens::Provider;
use crate::stage::Stage;

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "paths",
    about: "`..`, `%2e%2e`, `//`, NUL and others in paths, without a token: none of them is a success",
    group: Group::Abuse,
    databases: EVERY,
    short: SQLITE,
    limits: Limits::unserved(5),
    run: |stage| Box::pin(run(stage)),
};

const LIST: &str = "api/model_registry/v1alpha3/registered_models";
const CATALOG: &str = "api/model_catalog/v1alpha1/sources";

async fn run(stage: Stage) -> Result<Measured> {
    let provider = Provider::start().await?;
    let mut abused = provider.abused(&stage, "up").await?;
    abused.begin();
    for path in paths() {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let received = exchange(abused.address(), request.as_bytes()).await?;
        let statuses = statuses(&received);
        let is_rejected = statuses.len() == 1 && (400..500).contains(&statuses[0]);
        abused
            .expect(is_rejected && !received.contains("root:"), || format!("{}: {statuses:?}", path.escape_default()));
    }
    abused.finish().await
}

fn paths() -> Vec<String> {
    let mut paths: Vec<String> = [
        // Out of a directory.
        "/../../../../etc/passwd",
        "/docs/../../../../etc/passwd",
        "/docs/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/docs/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/docs/%252e%252e/%252e%252e/etc/passwd",
        "/docs/..%5c..%5c..%5cetc%5cpasswd",
        "/docs/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
        "/docs/....//....//etc/passwd",
        "/docs//etc/passwd",
        "/docs/%00",
        "file:///etc/passwd",
        "//etc/passwd",
    ]
    .map(str::to_owned)
    .to_vec();
    // Around authentication, by paths that need no token.
    for target in [LIST, CATALOG] {
        paths.extend([
            format!("/{target}"),
            format!("//{target}"),
            format!("/./{target}"),
            format!("/livez/../{target}"),
            format!("/livez/%2e%2e/{target}"),
            format!("/livez/..;/{target}"),
            format!("/docs/../{target}"),
            format!("/docs/..%2f{target}"),
            format!("/%2f{target}"),
            format!("/{target}/"),
            format!("/{target}/."),
            format!("/{target}%00"),
            format!("/{target}%2f1"),
            format!("/{target}/%2e%2e/registered_models"),
            format!("/{target}/..%00/"),
            format!("/{target};/livez"),
            format!("/{target}%3f/livez"),
            format!("/{}", target.to_uppercase()),
            format!("http://localhost/{target}"),
            format!("http://localhost/livez/../{target}"),
        ]);
    }
    paths
}
