//! Random filters over random entities: the database lists the same entities as evaluation in memory.

use std::collections::{BTreeMap, HashSet};

use model_registry_api::{Field, Kind, Shape, Storage, double};
use model_registry_filter::evaluate::strategies::{sample_entity, sample_expression};
use model_registry_filter::evaluate::{Entity, Property, evaluate};
use model_registry_filter::{Expression, Value, parse};
use model_registry_store::{PlanLimits, resolve_filter_name};
use model_registry_testkit::{Backend, on_each_database};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use crate::support::{Api, encoded, random_values};

on_each_database!(
    models_are_filtered_as_by_the_evaluator,
    versions_are_filtered_as_by_the_evaluator_with_and_without_a_parent,
    artifacts_are_filtered_as_by_the_evaluator
);

const ENTITIES: usize = 40;
const FILTERS: usize = 200;

/// A list, and the names to filter it by.
struct List {
    path: &'static str,
    kinds: &'static [Kind],
    names: &'static [&'static str],
}

const MODELS: List = List {
    path: "registered_models",
    kinds: &[Kind::RegisteredModel],
    names: &[
        "name",
        "state",
        "id",
        "createTimeSinceEpoch",
        "owner",
        "description",
        "language",
        "libraryName",
        "library_name",
        "externalId",
        "custom",
        "a-b.c",
        "score",
        "active",
        "step",
        "ratio",
        "value",
        "parent_id",
        "nothing",
    ],
};

const ARTIFACTS: List = List {
    path: "artifacts",
    kinds: &Kind::ARTIFACTS,
    names: &[
        "name",
        "state",
        "id",
        "value",
        "step",
        "timestamp",
        "uri",
        "digest",
        "parameterType",
        "parameter_type",
        "owner",
        "custom",
        "a-b.c",
        "score",
        "active",
        "ratio",
        "parent_id",
        "experimentId",
        "nothing",
    ],
};

/// Versions of several models: the whole list or the list of one model.
const VERSIONS: List = List {
    path: "model_versions",
    kinds: &[Kind::ModelVersion],
    names: &[
        "name",
        "state",
        "id",
        "registeredModelId",
        "registered_model_id",
        "lastUpdateTimeSinceEpoch",
        "author",
        "description",
        "externalId",
        "custom",
        "a-b.c",
        "score",
        "active",
        "step",
        "ratio",
        "value",
        "parent_id",
        "nothing",
    ],
};

const PARENTS: usize = 3;

async fn models_are_filtered_as_by_the_evaluator(backend: Backend) {
    compare(backend, &MODELS).await;
}

async fn versions_are_filtered_as_by_the_evaluator_with_and_without_a_parent(backend: Backend) {
    compare(backend, &VERSIONS).await;
}

async fn artifacts_are_filtered_as_by_the_evaluator(backend: Backend) {
    compare(backend, &ARTIFACTS).await;
}

/// Lists random entities with random filters, and compares the ids with those that the evaluator selects.
async fn compare(backend: Backend, list: &List) {
    let api = Api::on(backend).await;
    let replicas = [
        PlanLimits::default(),
        PlanLimits { few: 0, window: 0, many: 0, budget: 250_000 },
        PlanLimits { few: 0, window: 0, many: 1_000, budget: 250_000 },
        PlanLimits { few: 4, window: 5, many: 12, budget: 250_000 },
    ]
    .map(|limits| api.with_plan_limits(limits));
    let mut runner = random_values();
    let mut names = HashSet::new();
    let mut entities = Vec::new();
    let mut parents = Vec::new();
    if list.kinds == [Kind::ModelVersion] {
        for number in 0..PARENTS {
            parents.push(api.create("registered_models", json!({"name": format!("m{number}")})).await);
        }
    }
    for number in 0..ENTITIES {
        let sample = one_of(&mut runner, &sample_entity());
        let mut body = new_body(list, number, &sample, &mut names);
        if !parents.is_empty() {
            body["registeredModelId"] = json!(parents[number % PARENTS]);
        }
        let response = api.post(list.path, body.clone()).await;
        assert_eq!(response.status, 201, "{body}: {}", response.json());
        entities.push((response.json(), filterable_values(list.kinds, &response.json())));
    }
    let (mut tested, mut rejected) = (0, 0);
    while tested < FILTERS {
        let mut filter = one_of(&mut runner, &filters(list.names)).to_string();
        if one_of(&mut runner, &proptest::bool::ANY) {
            // Equality of strings, so that the list is an index scan.
            for (name, string) in one_of(&mut runner, &strings_of_one(&entities)) {
                filter = format!("`{}` = '{}' AND ({filter})", escaped(&name, '`'), escaped(&string, '\''));
            }
        }
        // The evaluator gets the parsed string too, so that printing an expression is tested as well.
        let expression = parse(&filter).unwrap_or_else(|error| panic!("{filter}: {error}")).unwrap();
        let within = one_of(&mut runner, &proptest::option::of(0..PARENTS));
        let within = within.and_then(|number| parents.get(number));
        let path = within.map_or_else(|| list.path.to_owned(), |model| format!("registered_models/{model}/versions"));
        let is_within = |wire: &Json| within.is_none_or(|model| wire["registeredModelId"] == model.as_str());
        let mut expected = Ok(Vec::new());
        for (wire, entity) in entities.iter().filter(|(wire, _)| is_within(wire)) {
            match (evaluate(&expression, entity, &|name| resolve_filter_name(list.kinds, name)), &mut expected) {
                (Ok(true), Ok(ids)) => ids.push(wire["id"].as_str().unwrap().to_owned()),
                (Ok(_), _) => {}
                (Err(error), _) => expected = Err(error),
            }
        }
        // Most random filters are rejected for their types; only one in eight of those is tested.
        rejected += usize::from(expected.is_err());
        if expected.is_err() && rejected % 8 != 0 {
            continue;
        }
        tested += 1;
        match expected {
            Ok(mut expected) => {
                let order = one_of(&mut runner, &proptest::sample::select(vec!["ASC", "DESC"]));
                if order == "DESC" {
                    expected.reverse();
                }
                let page_size = one_of(&mut runner, &(1..ENTITIES));
                let query = format!("sortOrder={order}&pageSize={page_size}&filterQuery={}", encoded(&filter));
                let replica = one_of(&mut runner, &(0..replicas.len()));
                let found = all_pages(&replicas[replica], &path, &query).await;
                let wrong: Vec<_> = (entities.iter().map(|(wire, _)| wire))
                    .filter(|wire| {
                        let id = wire["id"].as_str().unwrap();
                        found.iter().any(|found| found == id) != expected.iter().any(|expected| expected == id)
                    })
                    .collect();
                assert_eq!(
                    found,
                    expected,
                    "{path} {order} by {page_size} with limits {replica}: {filter}\nlisted by only one of the two: {}",
                    json!(wrong)
                );
            }
            Err(error) => {
                let response = api.get(&format!("{path}?filterQuery={}", encoded(&filter))).await;
                assert_eq!(response.status, 400, "{filter}\nshould be rejected: {error}");
                assert_eq!(response.message(), error.to_string(), "{filter}");
            }
        }
    }
}

/// The ids on all pages of a list.
async fn all_pages(api: &Api, path: &str, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut token = String::new();
    loop {
        let response = api.get(&format!("{path}?{query}&nextPageToken={}", encoded(&token))).await;
        assert_eq!(response.status, 200, "{query}: {}", response.json());
        let page = response.json();
        ids.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        page["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        if token.is_empty() {
            return ids;
        }
    }
}

/// One or two string properties of an entity, as pairs of name and value.
fn strings_of_one(entities: &[(Json, Entity)]) -> impl Strategy<Value = Vec<(String, String)>> + use<> {
    let strings: Vec<Vec<_>> = entities
        .iter()
        .map(|(_, entity)| {
            let strings =
                entity.properties.iter().filter_map(|row| Some((row.name.clone(), as_string(row.value.as_ref()?)?)));
            strings.collect()
        })
        .filter(|strings: &Vec<_>| !strings.is_empty())
        .collect();
    proptest::sample::select(strings).prop_flat_map(|strings| {
        let most = strings.len().min(2);
        proptest::sample::subsequence(strings, 1..=most)
    })
}

fn escaped(string: &str, quote: char) -> String {
    string.replace('\\', "\\\\").replace(quote, &format!("\\{quote}"))
}

fn one_of<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

/// Sample filters with the names of a list.
fn filters(names: &'static [&'static str]) -> impl Strategy<Value = Expression> {
    let picks = proptest::collection::vec(proptest::sample::select(names), 1..8);
    (sample_expression(), picks).prop_map(|(mut expression, picks)| {
        rename(&mut expression, &mut picks.iter().cycle());
        expression
    })
}

fn rename<'a>(expression: &mut Expression, names: &mut impl Iterator<Item = &'a &'static str>) {
    match expression {
        Expression::Or(members) | Expression::And(members) => {
            for member in members {
                rename(member, names);
            }
        }
        Expression::Not(inner) => rename(inner, names),
        Expression::Comparison(comparison) => {
            (**names.next().unwrap()).clone_into(&mut comparison.property.name);
        }
    }
}

/// A body with as many values of the sample as an entity of the list can have.
fn new_body(list: &List, number: usize, sample: &Entity, names: &mut HashSet<String>) -> Json {
    let kind = list.kinds[number % list.kinds.len()];
    let spec = kind.spec();
    let built_in = |name: &'static str| {
        let rows = sample.properties.iter().filter(move |row| row.name == name && !row.custom);
        rows.filter_map(|row| row.value.as_ref())
    };
    let string = |name: &'static str| built_in(name).find_map(as_string);
    let name = match sample.columns.get("name") {
        Some(Value::String(name)) if !name.is_empty() && name.chars().count() <= spec.name_limit => name.clone(),
        _ => String::new(),
    };
    // Resources need unique names; standalone artifacts may share one.
    let is_free = spec.artifact_type.is_some() || names.insert(name.clone());
    let name = if name.is_empty() || !is_free { format!("e{number}") } else { name };
    let mut body = json!({"name": name, "customProperties": custom_properties(sample)});
    let mut set = |field: &str, value: Option<Json>| {
        if let Some(value) = value {
            body[field] = value;
        }
    };
    if spec.artifact_type.is_none() {
        set("state", Some(json!(["LIVE", "ARCHIVED"][number % 2])));
        set("description", string("custom").map(Json::from));
        if kind == Kind::ModelVersion {
            set("author", string("owner").map(Json::from));
            return body;
        }
        set("owner", string("owner").map(Json::from));
        set("libraryName", string("a-b.c").map(Json::from));
        set("language", Some(built_in("value").filter_map(as_string).collect()));
        return body;
    }
    set("artifactType", spec.artifact_type.map(Json::from));
    set("state", [None, Some("LIVE"), Some("DELETED")][number % 3].map(Json::from));
    let int = |name: &'static str| built_in(name).find_map(as_int);
    match kind {
        Kind::Metric => {
            set("value", sample.columns.get("score").and_then(as_double).or(Some(0.5)).map(double::to_json));
            set("step", int("step").map(Json::from));
            set("timestamp", sample.columns.get("parent_id").and_then(as_int).map(|time| time.to_string().into()));
        }
        Kind::Parameter => {
            set("value", string("value").map(Json::from));
            set("parameterType", string("owner").map(|_| json!("number")));
        }
        Kind::DataSet => set("digest", string("owner").map(Json::from)),
        _ => {}
    }
    if !matches!(kind, Kind::Metric | Kind::Parameter) {
        set("uri", string("custom").map(Json::from));
    }
    body
}

fn custom_properties(sample: &Entity) -> Json {
    let mut properties = serde_json::Map::new();
    for row in sample.properties.iter().filter(|row| row.custom) {
        let value = match &row.value {
            Some(Value::String(string)) => json!({"metadataType": "MetadataStringValue", "string_value": string}),
            Some(Value::Int(int)) => json!({"metadataType": "MetadataIntValue", "int_value": int.to_string()}),
            Some(Value::Double(double)) => {
                json!({"metadataType": "MetadataDoubleValue", "double_value": double::to_json(*double)})
            }
            Some(Value::Bool(bool)) => json!({"metadataType": "MetadataBoolValue", "bool_value": bool}),
            None => continue,
        };
        properties.insert(row.name.clone(), value);
    }
    Json::Object(properties)
}

fn as_string(value: &Value) -> Option<String> {
    if let Value::String(string) = value { Some(string.clone()) } else { None }
}

fn as_int(value: &Value) -> Option<i64> {
    if let Value::Int(int) = value { Some(*int) } else { None }
}

fn as_double(value: &Value) -> Option<f64> {
    if let Value::Double(double) = value { Some(*double) } else { None }
}

/// The filterable values of an entity, taken from its JSON.
fn filterable_values(kinds: &[Kind], wire: &Json) -> Entity {
    let kind = wire["artifactType"].as_str().and_then(Kind::from_artifact_type).unwrap_or(kinds[0]);
    let number = |field: &str| Value::Int(wire[field].as_str().unwrap().parse().unwrap());
    let mut entity = Entity {
        columns: BTreeMap::from([
            ("id", number("id")),
            ("name", Value::String(wire["name"].as_str().unwrap().to_owned())),
            ("create_time", number("createTimeSinceEpoch")),
            ("update_time", number("lastUpdateTimeSinceEpoch")),
        ]),
        properties: Vec::new(),
    };
    for field in kind.spec().all_fields() {
        for value in typed(field, &wire[field.name]) {
            match field.storage {
                Storage::Column(column) => drop(entity.columns.insert(column, value)),
                Storage::Property => {
                    entity.properties.push(Property {
                        name: field.stored.to_owned(),
                        custom: false,
                        value: Some(value),
                    });
                }
            }
        }
    }
    for (name, property) in wire["customProperties"].as_object().unwrap() {
        let value = match property["metadataType"].as_str().unwrap() {
            "MetadataStringValue" => Value::String(property["string_value"].as_str().unwrap().to_owned()),
            "MetadataIntValue" => Value::Int(property["int_value"].as_str().unwrap().parse().unwrap()),
            "MetadataDoubleValue" => Value::Double(double::from_json(&property["double_value"]).unwrap()),
            _ => Value::Bool(property["bool_value"].as_bool().unwrap()),
        };
        entity.properties.push(Property { name: name.clone(), custom: true, value: Some(value) });
    }
    entity
}

/// The values of a field: none, one, or the elements of a list.
fn typed(field: &Field, wire: &Json) -> Vec<Value> {
    let string = |wire: &Json| wire.as_str().map(|string| Value::String(string.to_owned()));
    match field.shape {
        Shape::StringList => wire.as_array().into_iter().flatten().filter_map(string).collect(),
        Shape::String | Shape::Uri | Shape::Enumeration(_) => string(wire).into_iter().collect(),
        Shape::Double => double::from_json(wire).map(Value::Double).into_iter().collect(),
        Shape::Integer => wire.as_i64().map(Value::Int).into_iter().collect(),
        Shape::Id | Shape::EpochMillis => {
            wire.as_str().and_then(|string| string.parse().ok()).map(Value::Int).into_iter().collect()
        }
    }
}
