//! The log of the executable: its format, and the absence of secrets.

use model_registry_testkit::{Executable, HubServer, Ready};
use serde_json::{Value, json};

use crate::support::{Client, PROGRAM, eventually, role_on, run_in};

/// A part of all secrets in these tests.
const PLANTED: &str = "planted";
/// The SHA-256 of `planted-token`.
const HASH: &str = "adf96522a46e4c258f2489bf7aa5161965ef284b501f3ab967de68b65ed473c8";

#[tokio::test]
async fn log_lines_are_json_unless_the_format_is_text() {
    for (format, is_json) in [("json", true), ("auto", true), ("text", false)] {
        let server = role_on("server", "sqlite:x.db").arguments(["--log-format", format]);
        let mut server = server.start().await.unwrap();
        Client::of(&server).create("registered_models", &json!({"name": "m"})).await;
        server.terminate().await.unwrap();
        let log = server.log();
        for line in log.lines() {
            let parsed = serde_json::from_str::<Value>(line);
            assert_eq!(parsed.is_ok(), is_json, "{format}: {line}");
            match parsed {
                Ok(parsed) => {
                    assert!(parsed["timestamp"].is_string() && parsed["level"] == "INFO", "{format}: {line}");
                }
                // No colours, because the output is not a terminal.
                Err(_) => assert!(line.contains("Z  INFO ") && !line.contains('\u{1b}'), "{format}: {line}"),
            }
        }
        let access = log.lines().find(|line| line.contains("registered_models")).unwrap();
        assert!(access.contains("POST") && access.contains("201"), "{format}: {access}");
    }
}

#[tokio::test]
async fn anonymous_access_on_all_interfaces_is_rejected_or_warned_about() {
    let everywhere = ["--hostname", "0.0.0.0", "--port", "{port}", "--database", "sqlite:x.db"];
    let warning = "anyone who reaches this address can change all data";
    let rejected = Executable::launch(PROGRAM).arguments(["server"]).arguments(everywhere).start().await;
    let error = rejected.err().unwrap().to_string();
    assert!(error.contains("not listening on") && error.contains("--allow-anonymous"), "{error}");

    for (arguments, is_warned) in
        [(&["proxy"][..], true), (&["server", "--allow-anonymous"], false), (&["proxy", "--allow-anonymous"], false)]
    {
        let server = Executable::launch(PROGRAM).arguments(arguments.iter().copied()).arguments(everywhere);
        let server = server.start().await.unwrap();
        Client::of(&server).create("registered_models", &json!({"name": "m"})).await;
        let log = server.log();
        assert_eq!(log.matches(warning).count(), usize::from(is_warned), "{arguments:?}: {log}");
    }
    let loopback = ["proxy", "--hostname", "127.0.0.1", "--port", "{port}", "--database", "sqlite:x.db"];
    let server = Executable::launch(PROGRAM).arguments(loopback).start().await.unwrap();
    assert!(!server.log().contains(warning), "{}", server.log());
}

#[tokio::test]
async fn no_secret_of_a_request_is_logged_or_returned() {
    let tokens = format!("[[tokens]]\nuser = \"ada\"\nsha256 = \"{HASH}\"\n");
    let server = role_on("server", "sqlite:x.db")
        .arguments(["--log-level", "trace"])
        .arguments(["--auth-mode", "token", "--auth-tokens-file", "tokens.toml"])
        .file("tokens.toml", &tokens)
        .start()
        .await
        .unwrap();
    let client = Client::of(&server);
    let mut responses = Vec::new();
    for authorization in
        ["Bearer planted-token", "Bearer planted-wrong", "Basic planted", "planted", "Bearer a planted b"]
    {
        let headers = [("authorization", authorization), ("cookie", "session=planted"), ("x-api-key", "planted")];
        for (method, path, body) in [
            ("GET", "registered_models?access_token=planted&filterQuery=name%3D'planted'", None),
            ("GET", "registered_models?nextPageToken=planted", None),
            ("GET", "registered_models/planted-id?token=planted", None),
            ("POST", "registered_models", Some(json!({"name": "m", "description": "planted"}))),
            ("POST", "registered_models", Some(json!(["planted"]))),
            ("GET", "/api/nothing?planted", None),
        ] {
            let response = client.call(method, path, &headers, body.as_ref()).await.unwrap();
            responses.push((authorization, method, path, response));
        }
    }
    for (authorization, method, path, response) in &responses {
        if !path.contains("planted-id") && (*authorization != "Bearer planted-token" || response.status >= 400) {
            assert!(!response.body.to_string().contains(PLANTED), "{authorization} {method} {path}: {response:?}");
        }
    }
    assert!(responses.iter().any(|(.., response)| response.status == 201), "{responses:?}");
    let log = server.log();
    let lines: Vec<&str> =
        log.lines().filter(|line| line.contains("planted") && !line.contains("planted-id")).collect();
    assert!(log.contains("authentication failed") && lines.is_empty(), "{lines:#?}");
}

#[tokio::test]
async fn no_password_of_a_database_is_logged_or_returned() {
    // No server listens on port 1, so that the error is logged repeatedly.
    for (arguments, variable) in [
        (&["server", "--database", "postgres://planted-user:planted@127.0.0.1:1/models"][..], None),
        (&["server", "--database", "mysql://u:planted@127.0.0.1:1/models"], None),
        (&["server", "--database", "postgres://u:pl%2Fx%40planted%3F@127.0.0.1:1/models"], None),
        (&["server", "--database", "mysql://u:pl@planted@127.0.0.1:1/models"], None),
        (&["server", "--database", "host=127.0.0.1 port=1 user=u password='pl@ /planted' dbname=models"], None),
        (&["proxy", "--embedmd-database-dsn", "u:pl/x@planted?x@tcp(127.0.0.1:1)/models"], None),
        (&["server"], Some("postgres://127.0.0.1:1/models?user=u&password=planted")),
        (
            &[
                "proxy",
                "--embedmd-database-type",
                "mysql",
                "--embedmd-database-dsn",
                "u:planted@tcp(127.0.0.1:1)/models",
            ],
            None,
        ),
        (
            &[
                "proxy",
                "--embedmd-database-type",
                "postgres",
                "--embedmd-database-dsn",
                "host=127.0.0.1 port=1 user=u password=planted dbname=models",
            ],
            None,
        ),
    ] {
        let mut server = Executable::launch(PROGRAM).arguments(arguments.iter().copied()).ready(Ready::Listening);
        server = server.arguments(["--listen", "127.0.0.1:{port}", "--log-level", "trace"]);
        if let Some(url) = variable {
            server = server.variable("MR_DATABASE", url);
        }
        let server = server.start().await.unwrap();
        eventually("the error is logged", async || server.log().contains("not reachable")).await;
        let client = Client::of(&server);
        for path in ["registered_models", "/readyz/health", "/readyz/isDirty", "/metrics"] {
            let response = client.get(path).await;
            assert!(!response.body.to_string().contains(":planted"), "{arguments:?} {path}: {response:?}");
        }
        let secret = |line: &&str| line.replace("planted-user", "").contains("planted");
        let log = server.log();
        let lines: Vec<&str> = log.lines().filter(secret).collect();
        assert!(lines.is_empty(), "{arguments:?}: {lines:#?}");
    }
}

#[tokio::test]
async fn no_part_of_a_password_is_in_the_message_about_a_mistake_or_in_shown_settings() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("scalar.yaml"), "postgres://u:planted@h/m\n").unwrap();
    std::fs::write(home.path().join("open.toml"), "database = \"postgres://u:pl@nted/planted@h/m\n").unwrap();
    std::fs::write(home.path().join("key.toml"), "\"postgres://u:planted@h/m\" = 1\n").unwrap();
    std::fs::write(home.path().join("port.toml"), "listen = \"http://u:12/planted@h\"\n").unwrap();
    let urls = [
        "postgres://u:12/planted@h/m",
        "postgres://u:pl@x/planted@h/m",
        "mysql://u:12?planted@h/m",
        "mysql://u:12#planted@h/m",
        "postgres://h?user=u&password=pl@planted",
        "postgres://u:planted@h",
        "host=h password=pl@ planted",
        "u:pl/x@planted@tcp(h:x)/m",
        "planted",
    ];
    let mut runs = Vec::new();
    for url in urls {
        for arguments in [
            vec!["server", "--database", url],
            vec!["proxy", "--embedmd-database-type", "postgres", "--embedmd-database-dsn", url],
            vec!["catalog", "--database", url],
            vec!["export", "-", "--database", url],
        ] {
            runs.push((run_in(home.path(), &arguments, &[]).await, arguments.join(" ")));
        }
        let shown = run_in(home.path(), &["config", "show"], &[("MR_DATABASE", url)]).await;
        assert_eq!(shown.code, Some(0), "{shown:?}");
        runs.push((shown, format!("MR_DATABASE={url} config show")));
    }
    for arguments in [
        &["server", "postgres://u:planted@h/m"][..],
        &["server", "--databse=postgres://u:planted@h/m"],
        &["up", "--port", "postgres://u:pl@x/planted@h/m"],
        &["up", "--config", "scalar.yaml"],
        &["up", "--config", "open.toml"],
        &["up", "--config", "key.toml"],
        &["up", "--config", "port.toml"],
        &["up", "--telemetry-otlp-endpoint", "http://u:12/planted@h"],
        &["up", "--telemetry-otlp-endpoint", "http://u:pl/planted@h"],
        &["models", "list", "--server", "http://u:12/planted@h"],
        &["models", "list", "--server", "http://u:pl?planted@h"],
        &["models", "list", "--server", "u:planted@h"],
    ] {
        let run = run_in(home.path(), arguments, &[]).await;
        assert!(run.code.is_some_and(|code| code != 0), "{arguments:?}: {run:?}");
        runs.push((run, arguments.join(" ")));
    }
    for (run, command) in runs {
        assert!(!run.output.contains(PLANTED) && !run.errors.contains(PLANTED), "{command}: {run:?}");
    }
}

#[tokio::test]
async fn no_token_of_a_hub_or_collector_is_logged_or_returned() {
    let hub = HubServer::start().await.unwrap();
    hub.publish("org/m", 1);
    let sources = "model_catalogs:\n- {name: Hub, id: hub, type: hf, includedModels: ['org/*'], properties: \
                   {url: 'URL', apiKeyEnvVar: HF_SECRET}}\n";
    let collector = "http://u:planted@127.0.0.1:1";
    let server = role_on("catalog", "sqlite:x.db")
        .arguments(["--log-level", "trace"])
        .arguments(["--catalogs-path", "sources.yaml", "--allow-private-hubs", "--hub-hosts", "127.0.0.1"])
        .arguments(["--telemetry-otlp-endpoint", collector])
        .file("sources.yaml", &sources.replace("URL", &hub.base_url()))
        .variable("HF_SECRET", "hf_planted");
    let mut server = server.start().await.unwrap();
    let client = Client::of(&server);
    let sources = "/api/model_catalog/v1alpha1/sources";
    eventually("the hub got a request with the token", async || {
        client.get(sources).await.items()[0]["status"] == "error"
    })
    .await;
    let response = client.get(sources).await;
    assert!(!response.body.to_string().contains(PLANTED), "{response:?}");
    server.terminate().await.unwrap();
    let log = server.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(PLANTED)).collect();
    assert!(lines.is_empty(), "{lines:#?}");
}
