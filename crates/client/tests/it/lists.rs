//! Lists as streams.

use futures::{StreamExt, TryStreamExt};
use model_registry_client::{Error, ListOptions, OrderBy, RegisteredModel, RegisteredModelCreate, SortOrder};

use crate::support::{FakeServer, registry, response};

#[tokio::test]
async fn a_stream_lists_all_pages() {
    let server = registry().await;
    let models = server.client().registered_models();
    for number in 0..7 {
        let create = RegisteredModelCreate { name: format!("model-{number}"), ..Default::default() };
        models.create(&create).await.unwrap();
    }
    let names = async |options: ListOptions| {
        let items: Vec<RegisteredModel> = models.list(options).try_collect().await.unwrap();
        items.into_iter().map(|model| model.name).collect::<Vec<_>>()
    };
    let options = ListOptions { page_size: Some(3), ..Default::default() };
    assert_eq!(names(options.clone()).await.len(), 7);
    let newest = ListOptions { order_by: OrderBy::CreateTime, sort_order: SortOrder::Descending, ..options.clone() };
    assert_eq!(names(newest).await[0], "model-6");
    let by_name = ListOptions { order_by: OrderBy::Value("name".to_owned()), ..newest_first(&options) };
    assert_eq!(names(by_name).await[..2], ["model-6", "model-5"]);
    let filtered = ListOptions { filter: Some("name ILIKE '%-3' OR name = 'model-5'".to_owned()), ..options.clone() };
    assert_eq!(names(filtered).await, ["model-3", "model-5"]);

    let page = models.page(&options, "").await.unwrap();
    assert_eq!((page.size, page.page_size), (3, 3));
    assert_eq!(models.page(&options, &page.next_page_token).await.unwrap().items[0].name, "model-3");
    assert!(matches!(models.page(&options, "nonsense").await, Err(Error::Invalid(_))));
}

fn newest_first(options: &ListOptions) -> ListOptions {
    ListOptions { sort_order: SortOrder::Descending, ..options.clone() }
}

#[tokio::test]
async fn pages_are_fetched_on_demand() {
    let page = |number: usize| {
        let body = format!(r#"{{"items":[{{"name":"{number}"}}],"nextPageToken":"t{number}"}}"#);
        response(200, &[], &body)
    };
    let fake = FakeServer::start(page).await;
    let mut models = fake.server.client().registered_models().list(ListOptions::default());
    for number in 0..2 {
        assert_eq!(models.try_next().await.unwrap().unwrap().name, number.to_string());
    }
    let requests: Vec<String> = fake.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(
        requests,
        [
            "/api/model_registry/v1alpha3/registered_models",
            "/api/model_registry/v1alpha3/registered_models?nextPageToken=t0"
        ]
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_first_error() {
    let fake = FakeServer::start(|number| match number {
        0 => response(200, &[], r#"{"items":[{"name":"a"}],"nextPageToken":"t"}"#),
        _ => response(400, &[], r#"{"code":"Bad Request","message":"stale token"}"#),
    })
    .await;
    let items: Vec<_> = fake.server.client().registered_models().list(ListOptions::default()).collect().await;
    assert_eq!(items.len(), 2);
    assert!(matches!(&items[1], Err(Error::Invalid(response)) if response.message == "stale token"));
}

#[tokio::test]
async fn a_repeated_page_token_is_an_error() {
    let fake = FakeServer::start(|_| response(200, &[], r#"{"items":[],"nextPageToken":"t"}"#)).await;
    let items: Vec<_> = fake.server.client().registered_models().list(ListOptions::default()).collect().await;
    assert!(matches!(items.as_slice(), [Err(Error::Unreadable { .. })]), "{items:?}");
}

#[tokio::test]
async fn a_list_below_an_empty_parent_id_is_an_error() {
    let fake = FakeServer::start(|_| response(200, &[], "{}")).await;
    let items: Vec<_> = fake.server.client().versions_of("").list(ListOptions::default()).collect().await;
    assert!(matches!(items.as_slice(), [Err(Error::Usage(_))]), "{items:?}");
    assert!(fake.requests().is_empty());
}
