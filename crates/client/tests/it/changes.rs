//! The change feed: pages, waiting, and a stream that goes on by itself.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use model_registry_client::{After, Client, Error, LoggedChange, RegisteredModelCreate};

use crate::support::{StandIn, answer, quick, registry};

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
    answer(200, &[("content-type", "text/event-stream")], &format!("retry: 1\n\n{text}"))
}

fn sequences(changes: &[LoggedChange]) -> Vec<i64> {
    changes.iter().map(|change| change.sequence).collect()
}

#[tokio::test]
async fn changes_come_in_pages_and_as_a_list_and_are_waited_for() {
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
async fn a_stream_tells_what_there_is_and_what_comes() {
    let server = registry().await;
    let client = server.client();
    create(&client, "a").await;
    let mut changes = client.changes().follow(After::Sequence(0));
    assert_eq!(changes.next().await.unwrap().unwrap().sequence, 1);
    let (next, ()) = tokio::join!(changes.next(), create(&client, "b"));
    assert_eq!(next.unwrap().unwrap().sequence, 2);
}

#[tokio::test]
async fn a_stream_that_ends_or_breaks_goes_on_behind_the_last_change() {
    let stand_in = StandIn::start(|number| match number {
        0 => answer(200, &[], r#"{"items":[],"next":"4"}"#),
        1 => events(&event(5)),
        2 => answer(503, &[], r#"{"code":"c","message":"starting"}"#),
        3 => events(": still here\n\n"),
        _ => events(&(event(6) + &event(7))),
    })
    .await;
    let changes = stand_in.server.quick_client(1).changes().follow(After::Newest);
    let changes: Vec<LoggedChange> = changes.take(3).try_collect().await.unwrap();
    assert_eq!(sequences(&changes), [5, 6, 7]);
    let asked: Vec<String> = stand_in.asked().iter().map(|asked| asked.path.clone()).collect();
    let path = |after| format!("/api/model_registry/v1alpha3/changes?after={after}");
    assert_eq!(asked[..], [path("newest&limit=1"), path("4"), path("5"), path("5"), path("5")]);
    assert_eq!(stand_in.asked()[1].header("accept"), "text/event-stream");
}

#[tokio::test]
async fn a_stream_ends_with_what_trying_again_does_not_help() {
    for (status, attempts) in [(403, 1), (400, 1), (410, 1), (503, 3)] {
        let stand_in = StandIn::start(move |_| answer(status, &[], r#"{"code":"c","message":"m"}"#)).await;
        let mut changes = stand_in.server.quick_client(2).changes().follow(After::Sequence(0));
        assert_eq!(changes.next().await.unwrap().unwrap_err().answer().unwrap().status, status);
        assert!(changes.next().await.is_none());
        assert_eq!(stand_in.asked().len(), attempts, "{status}");
    }
    let stand_in = StandIn::start(|number| match number {
        0 => answer(200, &[("content-type", "application/json")], r#"{"items":[]}"#),
        _ => events("data: {\"nonsense\":1}\n\n"),
    })
    .await;
    let client = stand_in.server.quick_client(2);
    for _ in 0..2 {
        let error = client.changes().follow(After::Sequence(0)).next().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
    }
}

#[tokio::test]
async fn the_place_in_the_feed_survives_a_server_that_is_replaced() {
    let server = registry().await;
    let client = Client::builder(&server.url).retries(quick(0)).build().unwrap();
    create(&client, "a").await;
    let mut changes = client.changes().follow(After::Sequence(0));
    assert_eq!(changes.next().await.unwrap().unwrap().sequence, 1);
    drop(server);
    let error = changes.next().await.unwrap().unwrap_err();
    assert!(error.is_temporary(), "{error:?}");
}
