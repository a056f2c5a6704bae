//! Paging and ordering.

use model_registry_testkit::{Backend, on_each_database};
use serde_json::json;

use crate::support::entities::{Creation, Entities};
use crate::support::{Api, encoded};

on_each_database!(
    pages_in_every_order_cover_the_whole_list,
    page_tokens_are_deterministic_and_bound_to_list_order_and_filter,
    corrupt_rows_are_skipped_in_lists,
    the_page_size_is_positive_and_capped_at_ten_thousand,
    nested_lists_are_filtered_by_exact_name_external_id_and_filter,
    head_options_and_unsupported_methods_are_handled,
    every_list_accepts_every_parameter
);

/// A name with the kind in it, because artifacts of every kind are in one list.
fn name_in(list: &Creation, name: &str) -> String {
    format!("{}: {name}", list.kind.name())
}

fn external_id_in(list: &Creation, name: &str) -> String {
    format!("{} {}", list.path, name_in(list, name))
}

async fn models(api: &Api, count: usize) {
    for n in 0..count {
        api.create("registered_models", json!({"name": format!("m{n}")})).await;
    }
}

async fn pages_in_every_order_cover_the_whole_list(backend: Backend) {
    let api = Api::on(backend).await;
    models(&api, 7).await;
    for order in ["ID", "CREATE_TIME", "LAST_UPDATE_TIME"] {
        for direction in ["ASC", "DESC"] {
            let query = format!("registered_models?orderBy={order}&sortOrder={direction}");
            let all = api.get(&query).await.names();
            assert_eq!(all.len(), 7);
            let (mut paged, mut token) = (Vec::new(), String::new());
            loop {
                let page = api.get(&format!("{query}&pageSize=3&nextPageToken={token}")).await;
                paged.extend(page.names());
                token = page.json()["nextPageToken"].as_str().unwrap().to_owned();
                if token.is_empty() {
                    break;
                }
            }
            assert_eq!(paged, all, "{order} {direction}");
        }
    }
}

async fn page_tokens_are_deterministic_and_bound_to_list_order_and_filter(backend: Backend) {
    let api = Api::on(backend).await;
    models(&api, 3).await;
    let token = |response: crate::support::Response| response.json()["nextPageToken"].as_str().unwrap().to_owned();
    let first = token(api.get("registered_models?pageSize=1").await);
    assert_eq!(first, token(api.get("registered_models?pageSize=1").await));
    for other in ["sortOrder=DESC", "orderBy=CREATE_TIME", "filterQuery=name='m1'"] {
        let response = api.get(&format!("registered_models?{other}&nextPageToken={first}")).await;
        assert_eq!(response.status, 400);
        assert!(response.message().contains("another list, order or filter"), "{}", response.message());
    }
    assert_eq!(api.get(&format!("model_versions?nextPageToken={first}")).await.status, 400);
    // The page size may change between pages.
    assert_eq!(api.get(&format!("registered_models?pageSize=5&nextPageToken={first}")).await.names(), ["m1", "m2"]);
}

async fn corrupt_rows_are_skipped_in_lists(backend: Backend) {
    let api = Api::on(backend).await;
    models(&api, 4).await;
    let damage = "UPDATE resource SET document = 'garbage' WHERE name IN ('m1', 'm2')";
    api.database.execute(damage).await.unwrap();
    let response = api.get("registered_models?pageSize=3").await;
    assert_eq!(response.names(), ["m0"]);
    let token = response.json()["nextPageToken"].as_str().unwrap().to_owned();
    assert_eq!(api.get(&format!("registered_models?pageSize=3&nextPageToken={token}")).await.names(), ["m3"]);
}

async fn the_page_size_is_positive_and_capped_at_ten_thousand(backend: Backend) {
    let api = Api::on(backend).await;
    for size in ["0", "-1", "x", "1.5"] {
        assert_eq!(api.get(&format!("registered_models?pageSize={size}")).await.status, 400, "{size}");
    }
    assert_eq!(api.get("registered_models").await.json()["pageSize"], 1000);
    assert_eq!(api.get("registered_models?pageSize=99999999").await.json()["pageSize"], 10_000);
}

async fn nested_lists_are_filtered_by_exact_name_external_id_and_filter(backend: Backend) {
    let api = Api::on(backend).await;
    // Children of other parents have the same names.
    let (others, entities) = (Entities::create_named(&api, "other").await, Entities::create(&api).await);
    for list in others.nested().into_iter().chain(entities.nested()) {
        for name in ["it's", "a_b", "aXb"] {
            let mut body = list.body.clone();
            body["name"] = json!(name_in(&list, name));
            body["externalId"] = json!(external_id_in(&list, name));
            body["description"] = json!(name);
            api.create(&list.path, body).await;
        }
    }
    for (list, other) in entities.nested().into_iter().zip(others.nested()) {
        let name = |name: &str| encoded(&name_in(&list, name));
        let external_id = |list: &Creation, name: &str| encoded(&external_id_in(list, name));
        let filter = |filter: &str| format!("filterQuery={}", encoded(filter));
        for (query, expected) in [
            (format!("name={}", name("it's")), &["it's"][..]),
            (format!("name={}", name("a_b")), &["a_b"]),
            (format!("name={}", name("%")), &[]),
            (format!("name={}", name("a")), &[]),
            (format!("externalId={}", external_id(&list, "aXb")), &["aXb"]),
            (format!("externalId={}", external_id(&other, "aXb")), &[]),
            (format!("name={}&externalId={}", name("a_b"), external_id(&list, "a_b")), &["a_b"]),
            (format!("name={}&externalId={}", name("a_b"), external_id(&list, "aXb")), &[]),
            (filter(&format!("name = '{}'", name_in(&list, "a_b"))), &["a_b"]),
            (filter(&format!("externalId = '{}'", external_id_in(&list, "a_b"))), &["a_b"]),
            (format!("{}&name={}", filter("description = 'a_b' OR description = 'aXb'"), name("aXb")), &["aXb"]),
            (format!("{}&name={}", filter("description = 'a_b'"), name("aXb")), &[]),
        ] {
            let found = api.get(&format!("{}?{query}", list.path)).await.names();
            let expected: Vec<String> = expected.iter().map(|name| name_in(&list, name)).collect();
            assert_eq!(found, expected, "{}?{query}", list.path);
        }
        for wrong in ["name =", "name = 5", "description > true"] {
            let response = api.get(&format!("{}?{}", list.path, filter(wrong))).await;
            assert_eq!(response.status, 400, "{} {wrong}", list.path);
            assert!(response.message().starts_with("invalid filter query"), "{}", response.message());
        }
    }
}

async fn head_options_and_unsupported_methods_are_handled(backend: Backend) {
    let api = Api::on(backend).await;
    let head = api.call("HEAD", "registered_models", &[], None).await;
    assert_eq!((head.status, head.bytes.len()), (200, 0));
    let options = api.call("OPTIONS", "registered_models", &[], None).await;
    assert_eq!(options.status, 204);
    assert!(options.headers["allow"].to_str().unwrap().contains("POST"));
    let put = api.call("PUT", "registered_models", &[], Some(json!({}))).await;
    assert_eq!((put.status, put.json()["code"].clone()), (405, json!("Method Not Allowed")));
}

/// A list ignores parameters that it does not have and validates the others.
async fn every_list_accepts_every_parameter(backend: Backend) {
    let api = Api::on(backend).await;
    let model = api.create("registered_models", json!({"name": "m"})).await;
    let version = api.create("model_versions", json!({"name": "v", "registeredModelId": model})).await;
    let experiment = api.create("experiments", json!({"name": "e"})).await;
    let run = api.create("experiment_runs", json!({"name": "r", "experimentId": experiment})).await;
    let environment = api.create("serving_environments", json!({"name": "s"})).await;
    let service = json!({"name": "i", "registeredModelId": model, "servingEnvironmentId": environment});
    let service = api.create("inference_services", service).await;
    let lists = [
        "registered_models".to_owned(),
        format!("registered_models/{model}/versions"),
        "model_versions".to_owned(),
        format!("model_versions/{version}/artifacts"),
        "artifacts".to_owned(),
        "model_artifacts".to_owned(),
        "experiments".to_owned(),
        format!("experiments/{experiment}/experiment_runs"),
        "experiment_runs".to_owned(),
        "experiment_runs/metric_history".to_owned(),
        format!("experiment_runs/{run}/artifacts"),
        format!("experiment_runs/{run}/metric_history"),
        "serving_environments".to_owned(),
        format!("serving_environments/{environment}/inference_services"),
        "inference_services".to_owned(),
        format!("inference_services/{service}/serves"),
    ];
    for list in &lists {
        for parameter in [
            "name=x",
            "externalId=x",
            "parentResourceId=1",
            "artifactType=metric",
            "stepIds=1",
            "pageSize=2147483647",
            "orderBy=CREATE_TIME&sortOrder=DESC",
            "filterQuery=name%20=%20'x'",
            "nextPageToken=",
            "other=x",
        ] {
            let response = api.get(&format!("{list}?{parameter}")).await;
            assert_eq!(response.status, 200, "{list}?{parameter}: {}", response.message());
        }
        for parameter in ["pageSize=2147483648", "pageSize=0", "pageSize=x"] {
            assert_eq!(api.get(&format!("{list}?{parameter}")).await.status, 400, "{list}?{parameter}");
        }
    }
}
