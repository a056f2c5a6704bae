//! The change feed: pages, long polling, and a stream that reconnects.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use model_registry_client::{After, Client, Error, LoggedChange, RegisteredModelCreate};

use crate::support::{FakeServer, quick_retries, registry, response};

async fn create(client: &Client, name: &str) {
    let create = RegisteredModelCreate { name: name.to_owned(), ..Default::default() };
    client.registered_models().create(&create).await.unwrap();
}

fn event(sequence: i64) -> String {
    format!(
        "id: {sequence}\nevent: change\ndata: {{\"sequence\":\"{sequence}\",\"time\":\"1\",\"actor\":null,\
         \"kind\":\"registered_model\",\"id\":\"7\",\"verb\":\"create\",\"revision\":\"1\",\"news\":true}}\n\n"
    )
}

fn events(text: &str) -> axum::response::Response {
    response(200, &[("content-type", "text/event-stream")], &format!("retry: 1\n\n{text}"))
}

fn sequences(changes: &[LoggedChange]) -> Vec<i64> {
    changes.iter().map(|change| change.sequence).collect()
}

#[tokio::test]
async fn changes_are_read_by_pages_as_a_list_and_by_long_polling() {
    let server = registry().await;
    let client = server.client();
    for name in ["a", "b", "c"] {
        create(&client, name).await;
    }
    let feed = client.changes();
    let page = feed.page(After::Sequence(0), 2).await.unwrap();
    assert_eq!((sequences(&page.items), page.next), (vec![1, 2], 2));
    let first = &page.items[0];
    assert_eq!((first.kind.as_str(), first.id.as_str(), first.verb.as_str()), ("registered_model", "1", "create"));
    assert_eq!((first.known_kind(), first.revision), (Some(model_registry_client::Kind::RegisteredModel), 1));
    assert_eq!(first.time.millis(), Some(1_700_000_000_000));
    assert_eq!(feed.page(After::Newest, 10).await.unwrap().next, 3);
    let all: Vec<LoggedChange> = feed.list(1).try_collect().await.unwrap();
    assert_eq!(sequences(&all), [2, 3]);

    let (waited, ()) = tokio::join!(feed.wait(After::Sequence(3), 10, Duration::from_secs(20)), create(&client, "d"));
    assert_eq!(sequences(&waited.unwrap().items), [4]);
    let error = feed.page(After::Sequence(99), 10).await.unwrap_err();
    assert!(matches!(error, Error::Invalid(_)), "{error:?}");
}

#[tokio::test]
async fn a_stream_has_existing_and_new_changes() {
    let server = registry().await;
    let client = server.client();
    create(&client, "a").await;
    let mut changes = client.changes().follow(After::Sequence(0));
    assert_eq!(changes.next().await.unwrap().unwrap().sequence, 1);
    let (next, ()) = tokio::join!(changes.next(), create(&client, "b"));
    assert_eq!(next.unwrap().unwrap().sequence, 2);
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_change() {
    let fake = FakeServer::start(|number| match number {
        0 => response(200, &[], r#"{"items":[],"next":"4"}"#),
        1 => events(&event(5)),
        2 => response(503, &[], r#"{"code":"c","message":"starting"}"#),
        3 => events(": still here\n\n"),
        _ => events(&(event(6) + &event(7))),
    })
    .await;
    let changes = fake.server.quick_client(1).changes().follow(After::Newest);
    let changes: Vec<LoggedChange> = changes.take(3).try_collect().await.unwrap();
    assert_eq!(sequences(&changes), [5, 6, 7]);
    let requests: Vec<String> = fake.requests().iter().map(|request| request.path.clone()).collect();
    let path = |after| format!("/api/model_registry/v1alpha3/changes?after={after}");
    assert_eq!(requests[..], [path("newest&limit=1"), path("4"), path("5"), path("5"), path("5")]);
    assert_eq!(fake.requests()[1].header("accept"), "text/event-stream");
}

#[tokio::test]
async fn a_stream_ends_with_a_permanent_error() {
    for (status, attempts) in [(403, 1), (400, 1), (410, 1), (503, 3)] {
        let fake = FakeServer::start(move |_| response(status, &[], r#"{"code":"c","message":"m"}"#)).await;
        let mut changes = fake.server.quick_client(2).changes().follow(After::Sequence(0));
        assert_eq!(changes.next().await.unwrap().unwrap_err().response().unwrap().status, status);
        assert!(changes.next().await.is_none());
        assert_eq!(fake.requests().len(), attempts, "{status}");
    }
    let fake = FakeServer::start(|number| match number {
        0 => response(200, &[("content-type", "application/json")], r#"{"items":[]}"#),
        _ => events("data: {\"nonsense\":1}\n\n"),
    })
    .await;
    let client = fake.server.quick_client(2);
    for _ in 0..2 {
        let error = client.changes().follow(After::Sequence(0)).next().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_stream_fails_with_a_temporary_error_while_the_server_is_down() {
    let server = registry().await;
    let client = Client::builder(&server.url).retries(quick_retries(0)).build().unwrap();
    create(&client, "a").await;
    let mut changes = client.changes().follow(After::Sequence(0));
    assert_eq!(changes.next().await.unwrap().unwrap().sequence, 1);
    drop(server);
    let error = changes.next().await.unwrap().unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
}
