//! The change feed of the running executable: killed replicas, readers that resume, and shutdown.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use model_registry_testkit::{Backend, TestDatabase, on_each_database};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::sync::watch;

use crate::support::{Client, PROGRAM, TIME_LIMIT, eventually, role_on, start_on};

on_each_database!(multi_thread: a_killed_replica_leaves_no_gap_in_the_feed_and_loses_no_change);

async fn read(client: &Client, after: &str, more: &str) -> reqwest::Result<(Vec<Value>, String)> {
    let response = client.try_get(&format!("changes?after={after}{more}")).await?;
    assert_eq!(response.status, 200, "{}", response.body);
    Ok((response.items().to_vec(), response.body["next"].as_str().unwrap().to_owned()))
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

/// Asserts that every acknowledged creation is in the feed, sequences have no gap, and revisions of an entity ascend.
fn check(feed: &[Value], acknowledged: &[String]) {
    for (index, change) in feed.iter().enumerate() {
        assert_eq!(change["sequence"], (index + 1).to_string());
    }
    let mut revisions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for change in feed {
        revisions.entry(change["id"].as_str().unwrap()).or_default().push(change["revision"].as_str().unwrap());
    }
    for (id, revisions) in &revisions {
        assert_eq!(revisions[..], ["1", "2"][..revisions.len()], "entity {id}");
    }
    for id in acknowledged {
        assert!(revisions.contains_key(id.as_str()), "entity {id} is missing");
    }
}

async fn a_killed_replica_leaves_no_gap_in_the_feed_and_loses_no_change(backend: Backend) {
    let database = TestDatabase::create(backend).await.unwrap();
    let mut killed = start_on(&database).await;
    let survivor = start_on(&database).await;
    let clients = [Client::of(&killed), Client::of(&survivor)];

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
    // A reader follows the killed replica and continues at the other one with its last sequence.
    let (end, last) = watch::channel(None);
    let reader = tokio::spawn({
        let clients = clients.clone();
        async move {
            let (mut seen, mut after, mut client) = (Vec::new(), "0".to_owned(), &clients[0]);
            while last.borrow().as_ref() != Some(&after) {
                match read(client, &after, "&limit=10&wait=1").await {
                    Ok((items, next)) => {
                        seen.extend(items);
                        after = next;
                    }
                    Err(_) => client = &clients[1],
                }
            }
            seen
        }
    });
    let newest = async || read(&clients[1], "newest", "").await.unwrap().1;
    eventually("100 changes", async || newest().await.parse::<i64>().unwrap() >= 100).await;
    killed.kill().await.unwrap();

    let mut acknowledged = Vec::new();
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    end.send(Some(newest().await)).unwrap();
    let seen = reader.await.unwrap();
    let feed = read_all(&clients[1]).await;
    check(&feed, &acknowledged);
    assert_eq!(seen, feed, "the reader that resumed has read another feed");

    // The restarted replica serves the same feed.
    killed.start_again().await.unwrap();
    assert_eq!(read_all(&clients[0]).await, feed);
}

#[tokio::test]
async fn waiting_readers_get_a_response_on_shutdown() {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let mut server = start_on(&database).await;
    let client = Client::of(&server);
    let poll = tokio::spawn({
        let client = client.clone();
        async move { read(&client, "0", "&wait=30").await }
    });
    let url = format!("{}/api/model_registry/v1alpha3/changes?after=newest", server.base_url());
    let stream = reqwest::Client::builder().no_proxy().build().unwrap().get(url);
    let mut stream = stream.header("accept", "text/event-stream").send().await.unwrap();
    assert_eq!(stream.chunk().await.unwrap().unwrap(), "retry: 1000\n\n");
    // The request for the metrics is in flight as well.
    eventually("the poll is waiting", async || has_metric(&client, "model_registry_http_requests_in_flight 2").await)
        .await;
    assert!(!poll.is_finished());
    let start = Instant::now();
    assert!(server.terminate().await.unwrap().success());
    assert_eq!(poll.await.unwrap().unwrap(), (Vec::new(), "0".to_owned()));
    assert_eq!(stream.chunk().await.unwrap(), None);
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
        let line = tokio::time::timeout(TIME_LIMIT, lines.next_line()).await.unwrap().unwrap().unwrap();
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
async fn watch_reports_deleted_changes() {
    let launch = role_on("server", "sqlite:x.db").arguments(["--changes-retention", "1ms"]);
    let mut server = launch.start().await.unwrap();
    let client = Client::of(&server);
    client.create("registered_models", &json!({"name": "old"})).await;
    assert_eq!(read_all(&client).await.len(), 1);
    // The server deletes old changes when it starts.
    server.kill().await.unwrap();
    server.start_again().await.unwrap();
    eventually("the change is deleted", async || client.get("changes?after=0").await.status == 410).await;
    let mut watch = Command::new(PROGRAM);
    watch.args(["watch", "--after", "0", "--server", &server.base_url()]).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(TIME_LIMIT, watch.output()).await.unwrap().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.starts_with("error: the changes after 0 have expired, the oldest one left is 2"), "{errors}");
    assert!(errors.contains("hint: `watch --after newest`"), "{errors}");
}

#[tokio::test]
async fn the_newest_sequence_is_a_metric_without_any_reader() {
    let database = TestDatabase::create(Backend::Sqlite).await.unwrap();
    let server = start_on(&database).await;
    let client = Client::of(&server);
    for name in ["a", "b"] {
        client.create("registered_models", &json!({"name": name})).await;
    }
    eventually("the metric is 2", async || has_metric(&client, "model_registry_change_sequence 2.0").await).await;
}

async fn has_metric(client: &Client, line: &str) -> bool {
    client.get("/metrics").await.body.as_str().unwrap().lines().any(|found| found == line)
}
