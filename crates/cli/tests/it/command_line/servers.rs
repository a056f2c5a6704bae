//! The log of every command that serves, from start to end.

use model_registry_testkit::{Executable, Ready};
use regex::Regex;

use crate::command_line::support::stable;
use crate::support::PROGRAM;

async fn log_of(arguments: &[&str], ready: Ready, level: &str, until: &str) -> String {
    let launch = Executable::launch(PROGRAM).arguments(arguments.iter().copied()).ready(ready);
    let launch = launch.arguments(["--log-format", "text", "--log-level", level]);
    let mut server = launch.start().await.unwrap();
    crate::support::eventually("the log has the line", async || server.log().contains(until)).await;
    assert!(server.terminate().await.unwrap().success(), "{}", server.log());
    let log = server.log();
    // Their number depends on the version, and on open connections at shutdown.
    let is_stable = |line: &&str| !line.contains("schema migration applied") && !line.contains("draining");
    let text = log.lines().filter(is_stable).collect::<Vec<_>>().join("\n");
    let text = text.replace(&format!(":{}", server.port()), ":PORT");
    let text = text.replace(&server.directory().display().to_string(), "~");
    let rules = [
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"schema_version=\d+", "schema_version=N"),
        (r"seconds=\S+", "seconds=S"),
    ];
    let text = rules.iter().fold(text, |text, (pattern, replacement)| {
        Regex::new(pattern).unwrap().replace_all(&text, *replacement).into_owned()
    });
    // Lines of concurrent tasks have no order.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_by_key(|line| if line.starts_with("TIME") { line } else { "" });
    stable(&lines.join("\n"))
}

#[tokio::test]
async fn server() {
    let arguments = ["server", "--listen", "127.0.0.1:{port}", "--database", "sqlite:x.db"];
    insta::assert_snapshot!(log_of(&arguments, Ready::Healthy, "info,access=off", "database ready").await);
}

#[tokio::test]
async fn proxy() {
    let arguments = ["proxy", "--hostname", "0.0.0.0", "--port", "{port}", "--database", "sqlite:x.db"];
    insta::assert_snapshot!(log_of(&arguments, Ready::Healthy, "info,access=off", "database ready").await);
}

#[tokio::test]
async fn catalog() {
    let arguments = ["catalog", "--port", "{port}", "--database", "sqlite:x.db"];
    insta::assert_snapshot!(log_of(&arguments, Ready::Listening, "info,access=off", "catalog indexed").await);
}

#[tokio::test]
async fn up() {
    insta::assert_snapshot!(log_of(&["up", "--port", "{port}"], Ready::Healthy, "warn", "my-model").await);
}
