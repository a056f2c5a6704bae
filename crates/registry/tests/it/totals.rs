//! `total=true`: the number of entities on all pages.

use model_registry_store::PlanLimits;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Value, json};

use crate::support::{Api, encoded};

on_each_database!(
    a_total_is_that_of_all_pages_on_every_list,
    a_total_needs_at_most_two_statements,
    a_count_that_ends_early_is_a_lower_bound,
    more_than_ten_thousand_are_not_counted
);

fn int(value: usize) -> Value {
    json!({"metadataType": "MetadataIntValue", "int_value": value.to_string()})
}

async fn models(api: &Api, count: usize) {
    for number in 0..count {
        let properties = json!({"n": int(number), "even": int(number % 2)});
        let body = json!({"name": format!("m{number}"), "customProperties": properties});
        api.create("registered_models", body).await;
    }
}

fn total(response: &crate::support::Response) -> (Value, Value) {
    assert_eq!(response.status, 200, "{}", response.json());
    (response.json()["total"].clone(), response.json()["totalIsExact"].clone())
}

async fn a_total_is_that_of_all_pages_on_every_list(backend: Backend) {
    let api = Api::on(backend).await;
    models(&api, 9).await;
    let model = api.get("registered_model?name=m3").await.id();
    for name in ["v1", "v2", "v3"] {
        let version = api.create("model_versions", json!({"name": name, "registeredModelId": model})).await;
        for artifact in ["a", "b"] {
            let body = json!({"artifactType": "model-artifact", "name": artifact, "uri": format!("s3://{name}")});
            api.create(&format!("model_versions/{version}/artifacts"), body).await;
        }
    }
    let version = api.get(&format!("model_version?name=v2&parentResourceId={model}")).await.id();
    for (list, filter, expected) in [
        ("registered_models".to_owned(), None, 9),
        ("registered_models".to_owned(), Some("n > 2 AND n < 7"), 4),
        ("registered_models".to_owned(), Some("even = 1 OR n = 4"), 5),
        ("registered_models".to_owned(), Some("NOT even = 1"), 5),
        ("registered_models".to_owned(), Some("name LIKE 'm%' AND even = 0"), 5),
        ("registered_models".to_owned(), Some("missing = 1"), 0),
        ("model_versions".to_owned(), None, 3),
        (format!("registered_models/{model}/versions"), Some("name != 'v1'"), 2),
        ("artifacts".to_owned(), None, 6),
        ("artifacts".to_owned(), Some("uri = 's3://v2'"), 2),
        ("model_artifacts".to_owned(), Some("name = 'a'"), 3),
        (format!("model_versions/{version}/artifacts"), None, 2),
        ("experiment_runs/metric_history".to_owned(), None, 0),
    ] {
        let filter = filter.map(|filter| format!("&filterQuery={}", encoded(filter))).unwrap_or_default();
        for (size, order) in [(1, "ID"), (2, "CREATE_TIME"), (1, "name"), (2, "n.int_value"), (100, "ID")] {
            let path = format!("{list}?total=true&pageSize={size}&orderBy={order}&sortOrder=DESC{filter}");
            let page = api.get(&path).await;
            assert_eq!(total(&page), (json!(expected), json!(true)), "{path}");
            let token = page.json()["nextPageToken"].as_str().unwrap().to_owned();
            if !token.is_empty() {
                assert_eq!(total(&api.get(&format!("{path}&nextPageToken={token}")).await).0, expected, "{path}");
            }
        }
    }
    for version in ["v1alpha3", "v1"] {
        let page = api.get(&format!("/api/model_registry/{version}/registered_models?pageSize=2&total=true")).await;
        assert_eq!(total(&page), (json!(9), json!(true)));
    }
    assert_eq!(total(&api.get("registered_models?total=false").await), (Value::Null, Value::Null));
    let invalid = api.get("registered_models?total=yes").await;
    assert_eq!((invalid.status, invalid.message().as_str()), (400, "invalid total `yes`: use true or false"));
}

async fn a_total_needs_at_most_two_statements(backend: Backend) {
    let api = Api::on(backend).await;
    models(&api, 20).await;
    for (query, most) in [
        ("pageSize=5".to_owned(), 1),
        // All are on the page.
        ("pageSize=50".to_owned(), 0),
        (format!("pageSize=2&filterQuery={}", encoded("n > 3 AND even = 1")), 2),
        (format!("pageSize=2&filterQuery={}", encoded("NOT even = 1")), 2),
    ] {
        let path = format!("registered_models?{query}");
        let (without, _) = api.statements(api.get(&path)).await;
        let (with, page) = api.statements(api.get(&format!("{path}&total=true"))).await;
        assert_eq!(total(&page).1, true);
        assert!(with <= without + most, "{path} on {backend}: {without} statements, with the total {with}");
    }
}

async fn a_count_that_ends_early_is_a_lower_bound(backend: Backend) {
    let api = Api::on(backend).await;
    models(&api, 40).await;
    let limits = PlanLimits { many: 10, ..PlanLimits::default() };
    let limited = api.with_plan_limits(limits);
    // No index narrows this filter, so that the first entities are tested: 10 of them, or 11 with the one at the limit.
    let path = format!("registered_models?pageSize=2&total=true&filterQuery={}", encoded("NOT even = 1"));
    let (count, is_exact) = total(&limited.get(&path).await);
    assert_eq!(is_exact, false);
    assert!((2..=6).contains(&count.as_u64().unwrap()), "{count}");
    assert_eq!(total(&api.get(&path).await), (json!(20), json!(true)));
}

async fn more_than_ten_thousand_are_not_counted(backend: Backend) {
    let api = Api::on(backend).await;
    api.create("registered_models", json!({"name": "first"})).await;
    let copies = "INSERT INTO resource (workspace_id, kind, family, parent_id, name, state, create_time, update_time, revision, document) \
                  WITH RECURSIVE numbers AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM numbers WHERE n < 999) \
                  SELECT 1, 2, 1, r.id + n, 'v', 'LIVE', 1, 1, 1, '{\"name\":\"v\"}' FROM numbers, resource r";
    api.database.execute(copies).await.unwrap();
    assert_eq!(total(&api.get("model_versions?pageSize=1&total=true").await), (json!(999), json!(true)));
    let more = "INSERT INTO resource (workspace_id, kind, family, parent_id, name, state, create_time, update_time, revision, document) \
                SELECT 1, 2, 1, 100000 * d.d + r.parent_id, r.name, r.state, 1, 1, 1, r.document FROM resource r, \
                (SELECT 1 AS d UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 \
                 UNION SELECT 8 UNION SELECT 9 UNION SELECT 10) d WHERE r.kind = 2";
    api.database.execute(more).await.unwrap();
    for filter in ["", "&filterQuery=name%20%3D%20%27v%27", "&filterQuery=name%20%21%3D%20%27w%27"] {
        let page = api.get(&format!("model_versions?pageSize=1&total=true{filter}")).await;
        assert_eq!(total(&page), (json!(10_000), json!(false)), "{filter}");
    }
}
