//! The change feed of the running executable: replicas that are killed, readers that resume, a server that stops.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use model_registry_testkit::{Backend, Executable, TestDatabase, backends};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

use crate::support::{Client, PATIENCE, PROGRAM, eventually, start_on};

async fn read(client: &Client, after: &str, more: &str) -> reqwest::Result<(Vec<Value>, String)> {
    let answer = client.try_get(&format!("changes?after={after}{more}")).await?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Ok((answer.items().to_vec(), answer.body["next"].as_str().unwrap().to_owned()))
}

async fn read_all(client: &Client) -> Vec<Value> {
    let (mut all, mut after) = (Vec::new(), "0".to_owned());
    loop {
        let (items, next) = read(client, &after, "&limit=1000").await.unwrap();
        if items.is_empty() {
            return all;
        }
        all.extend(items);
        after = next;
    }
}

/// Every acknowledged creation is in the feed once, the numbers have no gap, and each entity's revisions ascend.
fn check(feed: &[Value], acknowledged: &[String], context: &str) {
    for (index, change) in feed.iter().enumerate() {
        assert_eq!(change["sequence"], (index + 1).to_string(), "{context}");
    }
    let mut revisions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for change in feed {
        revisions.entry(change["id"].as_str().unwrap()).or_default().push(change["revision"].as_str().unwrap());
    }
    for (id, revisions) in &revisions {
        assert_eq!(revisions[..], ["1", "2"][..revisions.len()], "{context}: entity {id}");
    }
    for id in acknowledged {
        assert!(revisions.contains_key(id.as_str()), "{context}: entity {id} is missing");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_killed_under_eight_writers_leaves_no_gap_and_no_change_out() {
    for backend in backends() {
        let database = TestDatabase::create(backend).await.unwrap();
        let mut doomed = start_on(&database).await;
        let survivor = start_on(&database).await;
        let clients = [Client::of(&doomed), Client::of(&survivor)];

        let writers: Vec<_> = (0..8)
            .map(|writer| {
                let client = clients[writer % 2].clone();
                tokio::spawn(async move {
                    let mut acknowledged = Vec::new();
                    for number in 0..40 {
                        let body = json!({"name": format!("{writer}-{number}")});
                        let Ok(created) = client.try_post("registered_models", &body).await else { break };
                        assert_eq!(created.status, 201, "{}", created.body);
                        let id = created.id().to_owned();
                        acknowledged.push(id.clone());
                        let change = json!({"description": "changed"});
                        let path = format!("registered_models/{id}");
                        if client.call("PATCH", &path, &[], Some(&change)).await.is_err() {
                            break;
                        }
                    }
                    acknowledged
                })
            })
            .collect();
        // One reader follows the replica that dies and goes on at the other with the number it has.
        let reader = tokio::spawn({
            let clients = clients.clone();
            async move {
                let (mut seen, mut after, mut client) = (Vec::new(), "0".to_owned(), &clients[0]);
                let mut quiet_since = Instant::now();
                while quiet_since.elapsed() < Duration::from_secs(3) {
                    match read(client, &after, "&limit=10&wait=1").await {
                        Ok((items, next)) => {
                            if !items.is_empty() {
                                quiet_since = Instant::now();
                            }
                            seen.extend(items);
                            after = next;
                        }
                        Err(_) => client = &clients[1],
                    }
                }
                seen
            }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        doomed.kill().await.unwrap();

        let mut acknowledged = Vec::new();
        for writer in writers {
            acknowledged.extend(writer.await.unwrap());
        }
        let seen = reader.await.unwrap();
        let feed = read_all(&clients[1]).await;
        check(&feed, &acknowledged, &backend.to_string());
        assert_eq!(seen, feed, "{backend}: the reader that resumed saw something else");

        // The dead one comes back, and shows the same.
        doomed.start_again().await.unwrap();
        assert_eq!(read_all(&clients[0]).await, feed, "{backend}");
    }
}

#[tokio::test]
async fn readers_that_wait_are_answered_when_the_server_stops() {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let mut server = start_on(&database).await;
    let client = Client::of(&server);
    let poll = tokio::spawn({
        let client = client.clone();
        async move { read(&client, "0", "&wait=30").await }
    });
    let stream = tokio::spawn({
        let client = client.clone();
        async move {
            let accept = [("accept", "text/event-stream")];
            client.call("GET", "changes?after=newest", &accept, None).await
        }
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(!poll.is_finished() && !stream.is_finished());
    let start = Instant::now();
    assert!(server.terminate().await.unwrap().success());
    assert_eq!(poll.await.unwrap().unwrap(), (Vec::new(), "0".to_owned()));
    let stream = stream.await.unwrap().unwrap();
    assert_eq!((stream.status, stream.body.as_str().unwrap()), (200, "retry: 1000\n\n"));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[tokio::test]
async fn watch_prints_each_change_once_across_a_restart_of_the_server() {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let mut server = start_on(&database).await;
    let client = Client::of(&server);
    client.create("registered_models", &json!({"name": "before"})).await;
    let mut watch = Command::new(PROGRAM)
        .args(["watch", "--after", "0", "--server", &server.base_url()])
        .env_remove("HTTP_PROXY")
        .env_remove("http_proxy")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = async || -> Value {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await.unwrap().unwrap().unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let first = next().await;
    assert_eq!((first["sequence"].as_str(), first["verb"].as_str()), (Some("1"), Some("create")));
    server.kill().await.unwrap();
    server.start_again().await.unwrap();
    client.create("registered_models", &json!({"name": "after"})).await;
    let second = next().await;
    assert_eq!((second["sequence"].as_str(), second["kind"].as_str()), (Some("2"), Some("registered_model")));
}

#[tokio::test]
async fn watch_says_so_where_changes_are_not_kept_any_more() {
    let arguments =
        ["server", "--listen", "127.0.0.1:{port}", "--database", "sqlite:x.db", "--changes-retention", "1ms"];
    let mut server = Executable::launch(PROGRAM).arguments(arguments).start().await.unwrap();
    let client = Client::of(&server);
    client.create("registered_models", &json!({"name": "old"})).await;
    assert_eq!(read_all(&client).await.len(), 1);
    // Old changes are looked for at the start.
    server.kill().await.unwrap();
    server.start_again().await.unwrap();
    eventually("the change is deleted", async || client.get("changes?after=0").await.status == 410).await;
    let mut watch = Command::new(PROGRAM);
    watch.args(["watch", "--after", "0", "--server", &server.base_url()]).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, watch.output()).await.unwrap().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.starts_with("error: the changes after 0 have expired, the oldest one left is 2"), "{errors}");
    assert!(errors.contains("hint: `watch --after newest`"), "{errors}");
}

#[tokio::test]
async fn the_newest_sequence_is_a_metric_though_nobody_reads_the_feed() {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    for name in ["a", "b"] {
        client.create("registered_models", &json!({"name": name})).await;
    }
    eventually("the metric is 2", async || {
        let metrics = client.get("/metrics").await;
        metrics.body.as_str().unwrap().lines().any(|line| line == "model_registry_change_sequence 2.0")
    })
    .await;
}
