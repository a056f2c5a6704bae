//! Paging: every item appears once, in every order.

use model_registry_testkit::{Backend, on_each_database};

use crate::support::Api;

on_each_database!(pages_contain_every_item_once_in_every_order);

async fn pages_contain_every_item_once_in_every_order(backend: Backend) {
    let api = Api::of_golden_data(backend).await;
    for order in [
        "ID",
        "NAME",
        "CREATE_TIME",
        "LAST_UPDATE_TIME",
        "ACCURACY",
        "size.string_value",
        "params_billion.double_value",
        "context_length.int_value",
        "artifacts.hardware_type.string_value",
        "artifacts.hardware_count.int_value",
        "absent_property.double_value",
    ] {
        for direction in ["ASC", "DESC"] {
            let list = format!("models?orderBy={order}&sortOrder={direction}");
            let whole = ids(&api, &format!("{list}&pageSize=1000")).await.0;
            let (mut paged, mut token) = (Vec::new(), String::new());
            loop {
                let (page, next) = ids(&api, &format!("{list}&pageSize=4&nextPageToken={token}")).await;
                assert!(page.len() <= 4);
                paged.extend(page);
                if next.is_empty() {
                    break;
                }
                token = next;
            }
            assert_eq!(paged, whole, "{list}");
        }
    }
}

#[tokio::test]
async fn a_page_token_of_another_list_is_rejected() {
    let api = Api::of_golden_data(Backend::Sqlite).await;
    let (_, token) = ids(&api, "models?pageSize=2").await;
    for other in ["models?orderBy=ID&", "models?q=heron&", "models?filterQuery=id>0&", "sources?", "labels?"] {
        let response = api.get(&format!("{}nextPageToken={token}", other.replace('>', "%3E"))).await;
        assert_eq!(response.status, 400, "{other}");
        assert!(response.message().starts_with("invalid nextPageToken: "), "{}", response.message());
    }
}

async fn ids(api: &Api, path: &str) -> (Vec<String>, String) {
    let response = api.get(path).await;
    assert_eq!(response.status, 200, "{path}: {}", response.message());
    let json = response.json();
    let ids = json["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect();
    (ids, json["nextPageToken"].as_str().unwrap().to_owned())
}
