//! Lists in the order of every field and of custom properties are those of a full sort.

use std::cmp::Ordering;

use model_registry_api::{Field, Kind, Shape, double};
use model_registry_testkit::{Backend, on_each_database};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::entities::{Creation, Entities};
use crate::support::{Api, encoded, random_values};

on_each_database!(
    every_list_is_ordered_by_every_field_and_by_custom_properties,
    an_order_is_combined_with_filters_and_parents,
    names_without_values_are_refused_in_v1_only,
    tokens_of_an_order_are_bound_to_it,
    pages_in_the_order_of_values_list_everything_once_during_updates
);

const V1: &str = "/api/model_registry/v1";

/// Custom properties with values of one type, and with several.
const CUSTOM: [&str; 4] = ["score.double_value", "score", "`two words`", "active.bool_value"];

fn pick<T: Clone + std::fmt::Debug + 'static>(runner: &mut TestRunner, values: &[T]) -> T {
    proptest::sample::select(values.to_vec()).new_tree(runner).unwrap().current()
}

/// Random values for most fields of an entity, and for custom properties.
fn random_body(creation: &Creation, number: usize, runner: &mut TestRunner) -> Value {
    let mut body = creation.body.clone();
    body["name"] = json!(format!("{} {number}", pick(runner, &["b", "a", "B", "é"])));
    for field in creation.kind.spec().all_fields().filter(|field| field.on_create() && field.name != "externalId") {
        if body.get(field.name).is_some() || field.shape == Shape::Id || pick(runner, &[true, false, false]) {
            continue;
        }
        let values = match field.shape {
            Shape::String | Shape::Uri => vec![json!("one"), json!("two"), json!("Two"), json!("")],
            Shape::StringList => vec![json!(["n", "d"]), json!(["m"]), json!(["a", "z"]), json!([])],
            Shape::Enumeration(declared) => declared.members.iter().map(|member| json!(member)).collect(),
            Shape::Double => vec![json!(0.5), json!(-1.5), json!("NaN"), json!("Infinity"), json!("-Infinity")],
            Shape::Integer => vec![json!(1), json!(-3), json!(20)],
            Shape::EpochMillis if field.name.starts_with("end") => vec![json!("1000"), json!("2000")],
            Shape::EpochMillis => vec![json!("100"), json!("20"), json!("300")],
            Shape::Id => continue,
        };
        body[field.name] = pick(runner, &values);
    }
    if creation.kind == Kind::Metric {
        body["value"] = pick(runner, &[json!(0.25), json!(4.0), json!("NaN"), json!("Infinity")]);
    }
    let score = pick(
        runner,
        &[
            json!({"metadataType": "MetadataDoubleValue", "double_value": 0.5}),
            json!({"metadataType": "MetadataDoubleValue", "double_value": "NaN"}),
            json!({"metadataType": "MetadataIntValue", "int_value": "1"}),
            json!({"metadataType": "MetadataStringValue", "string_value": "high"}),
            json!({"metadataType": "MetadataBoolValue", "bool_value": true}),
        ],
    );
    let words = json!({"metadataType": "MetadataStringValue", "string_value": pick(runner, &["x", "y"])});
    let active = json!({"metadataType": "MetadataBoolValue", "bool_value": pick(runner, &[true, false])});
    let mut custom = json!({"score": score});
    if pick(runner, &[true, false]) {
        custom["two words"] = words;
        custom["active"] = active;
    }
    body["customProperties"] = custom;
    body
}

#[derive(Clone, Debug, PartialEq)]
enum Key {
    Int(i64),
    Double(f64),
    String(String),
    Bool(bool),
    Absent,
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let number = |key: &Self| match key {
            Self::Int(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            _ => None,
        };
        match (self, other) {
            (Self::String(one), Self::String(other)) => one.cmp(other),
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            _ => match (number(self), number(other)) {
                (Some(one), Some(other)) => one.partial_cmp(&other).unwrap(),
                _ => self.rank().cmp(&other.rank()),
            },
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Int(_) | Self::Double(_) => 0,
            Self::String(_) => 1,
            Self::Bool(_) => 2,
            Self::Absent => 3,
        }
    }
}

fn double_key(value: &Value) -> Key {
    double::from_json(value).filter(|value| !value.is_nan()).map_or(Key::Absent, Key::Double)
}

fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// The key of an item whose kind has the field.
fn field_key(item: &Value, field: &Field, is_ascending: bool) -> Key {
    let Some(value) = item.get(field.name) else { return Key::Absent };
    match field.shape {
        Shape::StringList => {
            let elements = value.as_array().unwrap().iter().map(|element| element.as_str().unwrap().to_owned());
            let first = if is_ascending { elements.min() } else { elements.max() };
            first.map_or(Key::Absent, Key::String)
        }
        Shape::Double => double_key(value),
        Shape::Integer | Shape::Id | Shape::EpochMillis => number(value).map_or(Key::Absent, Key::Int),
        Shape::String | Shape::Uri | Shape::Enumeration(_) => Key::String(value.as_str().unwrap().to_owned()),
    }
}

fn custom_key(item: &Value, name: &str, explicit: Option<&str>) -> Key {
    let Some(value) = item["customProperties"].get(name) else { return Key::Absent };
    let key = match value["metadataType"].as_str().unwrap() {
        "MetadataIntValue" => ("int_value", Key::Int(number(&value["int_value"]).unwrap())),
        "MetadataDoubleValue" => ("double_value", double_key(&value["double_value"])),
        "MetadataStringValue" => ("string_value", Key::String(value["string_value"].as_str().unwrap().to_owned())),
        "MetadataBoolValue" => ("bool_value", Key::Bool(value["bool_value"].as_bool().unwrap())),
        other => panic!("{other}"),
    };
    if explicit.is_none_or(|explicit| explicit == key.0) { key.1 } else { Key::Absent }
}

fn kind_of(item: &Value, kinds: &[Kind]) -> Kind {
    match kinds {
        [only] => *only,
        _ => Kind::from_artifact_type(item["artifactType"].as_str().unwrap()).unwrap(),
    }
}

fn key(item: &Value, kinds: &[Kind], order: &str, is_ascending: bool) -> Key {
    let order = order.trim_matches('`');
    let (name, explicit) = match order.split_once('.') {
        Some((name, explicit)) => (name, Some(explicit)),
        None => (order, None),
    };
    let spec = kind_of(item, kinds).spec();
    let common = match name {
        "id" | "createTimeSinceEpoch" | "lastUpdateTimeSinceEpoch" => item.get(name).and_then(number).map(Key::Int),
        "name" | "artifactType" => item.get(name).map(|value| Key::String(value.as_str().unwrap().to_owned())),
        _ => None,
    };
    common.unwrap_or_else(|| match spec.field(name) {
        Some(field) => field_key(item, field, is_ascending),
        None => custom_key(item, name, explicit),
    })
}

fn id(item: &Value) -> i64 {
    number(&item["id"]).unwrap()
}

/// The ids of these items in the order of the list.
fn sorted(items: &[Value], kinds: &[Kind], order: &str, direction: &str) -> Vec<i64> {
    let is_ascending = direction == "ASC";
    let mut keys: Vec<(Key, i64)> =
        items.iter().map(|item| (key(item, kinds, order, is_ascending), id(item))).collect();
    keys.sort_by(|(one, one_id), (other, other_id)| {
        let in_direction = |ordering: Ordering| if is_ascending { ordering } else { ordering.reverse() };
        let keys = match (one, other) {
            (Key::Absent, _) | (_, Key::Absent) => one.compare(other),
            _ => in_direction(one.compare(other)),
        };
        keys.then(in_direction(one_id.cmp(other_id)))
    });
    keys.into_iter().map(|(_, id)| id).collect()
}

/// The items of all pages.
async fn items(api: &Api, list: &str, page_size: usize) -> Vec<Value> {
    let (mut items, mut token) = (Vec::new(), String::new());
    loop {
        let separator = if list.contains('?') { '&' } else { '?' };
        let response = api.get(&format!("{list}{separator}pageSize={page_size}&nextPageToken={token}")).await;
        assert_eq!(response.status, 200, "{list}: {}", response.message());
        let page = response.json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        page["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            return items;
        }
    }
}

fn ordered(list: &str, order: &str, direction: &str) -> String {
    format!("{list}?orderBy={}&sortOrder={direction}", encoded(order))
}

async fn every_list_is_ordered_by_every_field_and_by_custom_properties(backend: Backend) {
    let api = Api::on(backend).await;
    let entities = Entities::create(&api).await;
    let mut runner = random_values();
    let creations = entities.creations();
    for round in 0..3 {
        for (number, creation) in creations.iter().enumerate() {
            let body = random_body(creation, round * 100 + number, &mut runner);
            let response = api.post(&creation.path, body.clone()).await;
            assert!(matches!(response.status, 200 | 201), "{} {body}: {}", creation.path, response.message());
        }
    }
    let run = entities.id(Kind::ExperimentRun);
    let histories = ["experiment_runs/metric_history".to_owned(), format!("experiment_runs/{run}/metric_history")];
    let mut lists: Vec<(String, Vec<Kind>)> = creations
        .iter()
        .map(|creation| {
            let is_of_artifacts = creation.path.ends_with("artifacts") && !creation.path.starts_with("model_artifacts");
            let kinds = if is_of_artifacts { Kind::ARTIFACTS.to_vec() } else { vec![creation.kind] };
            (creation.path.clone(), kinds)
        })
        .chain(histories.map(|path| (path, vec![Kind::MetricPoint])))
        .collect();
    lists.sort();
    lists.dedup();
    for (list, kinds) in &lists {
        let all = items(&api, list, 1_000).await;
        assert!(all.len() > 2, "{list}");
        let mut orders = vec!["name", "id", "createTimeSinceEpoch", "lastUpdateTimeSinceEpoch"];
        orders.extend(kinds.iter().flat_map(|kind| kind.spec().all_fields()).map(|field| field.name));
        orders.extend(CUSTOM);
        if Kind::ARTIFACTS.contains(&kinds[0]) {
            orders.push("artifactType");
        }
        orders.sort_unstable();
        orders.dedup();
        for order in orders {
            let direction = pick(&mut runner, &["ASC", "DESC"]);
            let page_size = pick(&mut runner, &[1, 3, 100]);
            let query = ordered(list, order, direction);
            let found: Vec<i64> = items(&api, &query, page_size).await.iter().map(id).collect();
            assert_eq!(found, sorted(&all, kinds, order, direction), "{query} by {page_size}");
        }
    }
}

async fn scored_models(api: &Api, count: usize) {
    for number in 0..count {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let score = json!({"metadataType": "MetadataDoubleValue", "double_value": (number * 7 % 10) as f64 / 4.0});
        let custom = if number % 5 == 4 { json!({}) } else { json!({"score": score}) };
        let owner = ["ann", "bo", "cy"][number % 3];
        let model = json!({"name": format!("m{number}"), "owner": owner, "customProperties": custom});
        api.create("registered_models", model).await;
    }
}

async fn an_order_is_combined_with_filters_and_parents(backend: Backend) {
    let api = Api::on(backend).await;
    scored_models(&api, 12).await;
    let mut runner = random_values();
    let models = [Kind::RegisteredModel];
    let filter = encoded("owner != 'bo' AND (score > 0.3 OR score IS NULL)");
    let matching = items(&api, &format!("registered_models?filterQuery={filter}"), 100).await;
    assert!((3..9).contains(&matching.len()));
    for order in ["score", "score.double_value", "owner", "name"] {
        for direction in ["ASC", "DESC"] {
            let query = format!("{}&filterQuery={filter}", ordered("registered_models", order, direction));
            let page_size = pick(&mut runner, &[1, 2, 100]);
            let found: Vec<i64> = items(&api, &query, page_size).await.iter().map(id).collect();
            assert_eq!(found, sorted(&matching, &models, order, direction), "{query} by {page_size}");
        }
    }
    let nothing = api.get(&format!("registered_models?orderBy=score&filterQuery={}", encoded("owner = 'zoe'"))).await;
    assert_eq!((nothing.status, nothing.json()["size"].clone()), (200, json!(0)));
    // Versions of one model among those of others.
    for (model, name) in [("1", "b"), ("2", "z"), ("1", "c"), ("1", "a"), ("2", "0")] {
        api.create("model_versions", json!({"name": name, "registeredModelId": model, "author": name})).await;
    }
    for order in ["name", "author"] {
        let list = ordered("registered_models/1/versions", order, "DESC");
        assert_eq!(api.get(&list).await.names(), ["c", "b", "a"], "{order}");
        let second = api.get(&format!("{list}&pageSize=1")).await.json()["nextPageToken"].as_str().unwrap().to_owned();
        assert_eq!(api.get(&format!("{list}&pageSize=1&nextPageToken={second}")).await.names(), ["b"], "{order}");
    }
}

async fn names_without_values_are_refused_in_v1_only(backend: Backend) {
    let api = Api::on(backend).await;
    scored_models(&api, 5).await;
    let by_id = api.get("registered_models").await.names();
    for (order, reason) in [
        ("NAME", "with the suffix of their type"),
        ("acuracy", "with the suffix of their type"),
        ("name.int_value", "`name` has no values of the type `int_value`"),
        ("name DESC", "unexpected `DESC`"),
        ("a-b", "back-quotes"),
        ("'name'", "without quotes or in back-quotes"),
        ("name; DROP TABLE property", "unexpected"),
    ] {
        let query = format!("registered_models?orderBy={}", encoded(order));
        let response = api.get(&format!("{V1}/{query}")).await;
        let message = response.message();
        assert_eq!(response.status, 400, "{order}: {message}");
        assert!(message.starts_with(&format!("invalid orderBy `{order}`: ")), "{message}");
        assert!(message.contains(reason) && message.contains("CREATE_TIME, LAST_UPDATE_TIME, ID"), "{message}");
        let lenient = api.get(&query).await;
        assert_eq!((lenient.status, lenient.names()), (200, by_id.clone()), "{order}");
    }
    for known in
        ["score.double_value", "nothing.double_value", "owner.string_value", "ID", "createTimeSinceEpoch.int_value"]
    {
        assert_eq!(api.get(&format!("{V1}/registered_models?orderBy={known}")).await.status, 200, "{known}");
    }
    for without_suffix in ["score", "owner", "createTimeSinceEpoch"] {
        assert_eq!(api.get(&format!("{V1}/registered_models?orderBy={without_suffix}")).await.status, 400);
        let ordered = api.get(&format!("registered_models?orderBy={without_suffix}")).await;
        assert_eq!(ordered.status, 200, "{without_suffix}");
    }
}

async fn tokens_of_an_order_are_bound_to_it(backend: Backend) {
    let api = Api::on(backend).await;
    scored_models(&api, 6).await;
    let token = |query: String| {
        let api = &api;
        async move { api.get(&query).await.json()["nextPageToken"].as_str().unwrap().to_owned() }
    };
    let by_score = token("registered_models?orderBy=score&pageSize=2".to_owned()).await;
    let by_id = token("registered_models?pageSize=2".to_owned()).await;
    for (list, token) in [
        ("registered_models?orderBy=owner", &by_score),
        ("registered_models?orderBy=score&sortOrder=DESC", &by_score),
        ("registered_models?orderBy=score&filterQuery=id%3E0", &by_score),
        ("registered_models", &by_score),
        ("registered_models?orderBy=CREATE_TIME", &by_score),
        ("registered_models?orderBy=score", &by_id),
    ] {
        let separator = if list.contains('?') { '&' } else { '?' };
        let response = api.get(&format!("{list}{separator}nextPageToken={token}")).await;
        assert_eq!(response.status, 400, "{list}");
        assert!(response.message().contains("another list, order or filter"), "{list}: {}", response.message());
    }
    assert_eq!(api.get(&format!("registered_models?orderBy=score&nextPageToken={by_score}")).await.names().len(), 4);
}

async fn pages_in_the_order_of_values_list_everything_once_during_updates(backend: Backend) {
    let api = Api::on(backend).await;
    scored_models(&api, 12).await;
    let expected = api.get("registered_models?orderBy=score&sortOrder=DESC").await.names();
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let list = format!("registered_models?orderBy=score&sortOrder=DESC&pageSize=2&nextPageToken={token}");
        let page = api.get(&list).await;
        names.extend(page.names().into_iter().filter(|name| name.starts_with('m')));
        page.json()["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            break;
        }
        // New entities before and after the place.
        let score = json!({"metadataType": "MetadataDoubleValue", "double_value": 2.1});
        let model = json!({"name": format!("new {}", names.len()), "customProperties": {"score": score}});
        api.create("registered_models", model).await;
    }
    assert_eq!(names, expected);
}
