//! Filters as clients write them, applied to lists as a registry declares them.

use super::evaluate::{Entity, Property, evaluate};
use super::{Member, Target, Value, ValueType, fold, parse};

const ID: Target = Target::Column { name: "id", value: ValueType::Int, folded: None };
const NAME: Target = Target::Column { name: "name", value: ValueType::String, folded: Some("name_folded") };

fn declared(name: &str, value: ValueType) -> Target {
    Target::Property { name: name.to_owned(), built_in_only: true, value: Some(value) }
}

fn enumeration(members: &[&'static str], target: Target) -> Target {
    Target::Enumeration { members: Member::named(members), target: Box::new(target) }
}

fn state(members: &[&'static str]) -> Target {
    enumeration(members, Target::Column { name: "state", value: ValueType::String, folded: None })
}

fn custom(name: &str) -> Target {
    Target::Property { name: name.to_owned(), built_in_only: false, value: None }
}

fn version_target(name: &str) -> Target {
    match name {
        "id" => ID,
        "name" => NAME,
        "registeredModelId" => Target::Column { name: "parent_id", value: ValueType::Int, folded: None },
        "state" => state(&["LIVE", "ARCHIVED"]),
        "author" => declared("author", ValueType::String),
        other => custom(other),
    }
}

fn artifact_target(name: &str) -> Target {
    let value = Target::Column { name: "value", value: ValueType::Double, folded: None };
    match name {
        "id" => ID,
        "name" => NAME,
        "state" => state(&["UNKNOWN", "PENDING", "LIVE", "DELETED"]),
        "uri" => declared("uri", ValueType::String),
        "modelFormatName" => declared("modelFormatName", ValueType::String),
        "experimentId" | "experimentRunId" | "step" | "timestamp" => declared(name, ValueType::Int),
        "value" => Target::ByLiteral { number: Box::new(value), other: Box::new(declared("value", ValueType::String)) },
        other => custom(other),
    }
}

fn run_target(name: &str) -> Target {
    match name {
        "status" => enumeration(&["RUNNING", "FINISHED"], declared("status", ValueType::String)),
        "startTimeSinceEpoch" | "endTimeSinceEpoch" => declared(name, ValueType::Int),
        other => version_target(other),
    }
}

fn string(value: &str) -> Value {
    Value::String(value.to_owned())
}

fn entity(columns: &[(&'static str, Value)], built_in: &[(&str, Value)], custom: &[(&str, Value)]) -> Entity {
    let row = |custom| {
        move |(name, value): &(&str, Value)| Property { name: (*name).to_owned(), custom, value: Some(value.clone()) }
    };
    Entity {
        columns: columns.iter().cloned().collect(),
        properties: built_in.iter().map(row(false)).chain(custom.iter().map(row(true))).collect(),
    }
}

fn version(id: i64, parent: i64, name: &str, state: &str, author: &str, custom: &[(&str, Value)]) -> Entity {
    let mut built_in = vec![("author", string(author))];
    if id == 1 {
        built_in.push(("description", string("first release with bug fixes")));
    }
    let columns =
        [("id", Value::Int(id)), ("parent_id", Value::Int(parent)), ("name", string(name)), ("state", string(state))];
    entity(&columns, &built_in, custom)
}

fn versions() -> Vec<Entity> {
    vec![
        version(
            1,
            1,
            "v1.0.0",
            "LIVE",
            "alice",
            &[
                ("stage", string("production")),
                ("accuracy", Value::Double(0.97)),
                ("batch_size", Value::Int(32)),
                ("experimental", Value::Bool(false)),
                ("a-b", Value::Int(1)),
            ],
        ),
        version(
            2,
            1,
            "v1.1.0",
            "LIVE",
            "bob",
            &[
                ("stage", string("staging")),
                ("accuracy", Value::Double(0.91)),
                ("batch_size", Value::Int(64)),
                ("experimental", Value::Bool(true)),
            ],
        ),
        version(
            3,
            1,
            "v2.0-beta",
            "LIVE",
            "charlie",
            &[
                ("stage", string("development")),
                ("accuracy", Value::Double(0.99)),
                ("batch_size", Value::Double(32.0)),
                ("mlflow.source.type", string("notebook")),
            ],
        ),
        version(
            4,
            2,
            "v1.0.0",
            "ARCHIVED",
            "alice",
            &[("stage", string("production")), ("accuracy", Value::Double(0.5))],
        ),
        version(5, 2, "it's", "LIVE", "dan", &[]),
    ]
}

fn artifacts() -> Vec<Entity> {
    let artifact = |id, name, state: Option<&str>, built_in: &[(&str, Value)]| {
        let mut artifact = entity(&[("id", Value::Int(id)), ("name", string(name))], built_in, &[]);
        artifact.columns.extend(state.map(|state| ("state", string(state))));
        artifact
    };
    let metric = |id, name, value, step, timestamp| {
        let mut metric = artifact(
            id,
            name,
            None,
            &[
                ("experimentId", Value::Int(3)),
                ("experimentRunId", Value::Int(4)),
                ("step", Value::Int(step)),
                ("timestamp", Value::Int(timestamp)),
            ],
        );
        metric.columns.insert("value", Value::Double(value));
        metric
    };
    vec![
        artifact(1, "weights", Some("LIVE"), &[("uri", string("s3://b/w")), ("modelFormatName", string("onnx"))]),
        artifact(2, "card", Some("PENDING"), &[("uri", string("https://x/card"))]),
        metric(3, "acc", 0.95, 2, 1_700_000_000_002),
        metric(4, "loss", 0.2, 5, 1_700_000_000_005),
        artifact(5, "lr", None, &[("experimentRunId", Value::Int(5)), ("value", string("0.01"))]),
    ]
}

fn runs() -> Vec<Entity> {
    let finished = [
        ("status", string("FINISHED")),
        ("startTimeSinceEpoch", Value::Int(1_700_000_000_000)),
        ("endTimeSinceEpoch", Value::Int(1_700_000_009_000)),
    ];
    vec![
        entity(&[("id", Value::Int(1)), ("name", string("r1"))], &finished, &[("gpu", string("a100"))]),
        entity(&[("id", Value::Int(2)), ("name", string("r2"))], &[("status", string("RUNNING"))], &[]),
    ]
}

/// The ids of the entities that pass; all of them for a blank filter.
fn passing(filter: &str, list: &[Entity], resolve: &(dyn Fn(&str) -> Target + Sync)) -> Vec<i64> {
    let expression = parse(filter).unwrap_or_else(|error| panic!("{filter}: {error}"));
    let mut ids = Vec::new();
    for (entity, id) in list.iter().zip(1..) {
        let passes = match &expression {
            None => true,
            Some(expression) => {
                evaluate(expression, entity, resolve).unwrap_or_else(|error| panic!("{filter}: {error}"))
            }
        };
        if passes {
            ids.push(id);
        }
    }
    ids
}

#[test]
fn versions_are_found_by_fields_and_custom_properties() {
    let list = versions();
    for (filter, expected) in [
        ("name = 'v1.0.0'", &[1, 4][..]),
        ("name = \"v1.0.0\" -- note", &[1, 4]),
        ("name LIKE 'v1.%'", &[1, 2, 4]),
        ("name LIKE 'V1.%'", &[]),
        ("name LIKE '%-beta'", &[3]),
        ("name ILIKE '%BETA%'", &[3]),
        ("name ILIKE 'V1%'", &[1, 2, 4]),
        ("name != 'v1.0.0'", &[2, 3, 5]),
        ("name IN ('v1.0.0','v1.1.0')", &[1, 2, 4]),
        ("name IN 'v1.1.0'", &[2]),
        ("author = 'alice' OR author = 'charlie'", &[1, 3, 4]),
        ("stage = 'production' AND accuracy > 0.95", &[1]),
        ("(stage = 'production' OR stage = 'staging') AND accuracy < 0.95", &[2, 4]),
        ("batch_size = 32", &[1, 3]),
        ("batch_size = 32.0", &[1, 3]),
        ("batch_size = 32.5", &[]),
        ("batch_size != 32.5", &[1, 2, 3]),
        ("batch_size > 31.5", &[1, 2, 3]),
        ("batch_size BETWEEN 31.5 AND 33", &[1, 3]),
        ("batch_size IN (32.0, 32.5)", &[1, 3]),
        ("batch_size NOT IN (32.5)", &[1, 2, 3]),
        ("batch_size > 1e300", &[]),
        ("batch_size < 1e300", &[1, 2, 3]),
        ("batch_size.double_value > 31.5", &[3]),
        ("batch_size.int_value > 31.5", &[1, 2]),
        ("batch_size.int_value = 32", &[1]),
        ("batch_size.double_value = 32.0", &[3]),
        ("batch_size.double_value = 32", &[3]),
        ("batch_size.int_value IN (32,64)", &[1, 2]),
        ("batch_size IN (32,64)", &[1, 2, 3]),
        ("batch_size NOT IN (32)", &[2]),
        ("batch_size NOT IN ()", &[1, 2, 3]),
        ("accuracy >= 0.91 AND accuracy <= 0.97", &[1, 2]),
        ("accuracy BETWEEN 0.91 AND 0.97", &[1, 2]),
        ("accuracy NOT BETWEEN 0.91 AND 0.97", &[3, 4]),
        ("NOT accuracy BETWEEN 0.91 AND 0.97", &[3, 4, 5]),
        ("experimental = true", &[2]),
        ("experimental = False", &[1]),
        ("experimental = True", &[2]),
        ("stage <> 'development'", &[1, 2, 4]),
        ("stage != 'development'", &[1, 2, 4]),
        ("NOT stage = 'development'", &[1, 2, 4, 5]),
        ("stage IS NULL", &[5]),
        ("stage IS NOT NULL", &[1, 2, 3, 4]),
        ("description LIKE '%bug fixes%'", &[1]),
        ("state = 'ARCHIVED'", &[4]),
        ("registeredModelId = 2", &[4, 5]),
        ("registeredModelId = \"2\" AND state = 'LIVE'", &[5]),
        ("`mlflow.source.type` = \"notebook\"", &[3]),
        ("mlflow.source.type = \"notebook\"", &[3]),
        ("`a-b.int_value` = 1", &[1]),
        ("`a-b` = 01", &[1]),
        ("name = 'it''s'", &[5]),
        (r"name = 'it\'s'", &[5]),
        ("author='alice' and not stage='staging' or author in ('dan')", &[1, 4, 5]),
        ("id IN ()", &[]),
        ("id NOT IN ()", &[1, 2, 3, 4, 5]),
        ("id IN (1, '3', 4.0, 4.5)", &[1, 3, 4]),
        ("   ", &[1, 2, 3, 4, 5]),
        ("nosuch = 'x'", &[]),
        ("libraryName = 'transformers'", &[]),
    ] {
        assert_eq!(passing(filter, &list, &version_target), expected, "{filter}");
    }
}

#[test]
fn artifacts_are_found_by_state_number_and_string() {
    let list = artifacts();
    for (filter, expected) in [
        ("state = 'LIVE'", &[1][..]),
        ("state = 'live'", &[1]),
        ("state != 'live'", &[2]),
        ("state IN ('Live', 'pending')", &[1, 2]),
        ("state NOT IN ('Live', 'pending')", &[]),
        ("state BETWEEN 'live' AND 'pending'", &[1, 2]),
        ("state NOT BETWEEN 'live' AND 'unknown'", &[]),
        ("state > 'live'", &[2]),
        ("state LIKE 'l%'", &[1]),
        ("state NOT LIKE 'l%'", &[2]),
        ("state ILIKE '%N%'", &[2]),
        ("state.int_value = 1", &[]),
        ("state.string_value = 'LIVE'", &[1]),
        ("state IN ('LIVE','PENDING')", &[1, 2]),
        ("uri LIKE \"s3://%\"", &[1]),
        ("modelFormatName = 'onnx'", &[1]),
        ("experimentId = \"3\"", &[3, 4]),
        ("experimentRunId IN (4,5)", &[3, 4, 5]),
        ("experimentRunId = \"4\" AND name LIKE \"%acc%\"", &[3]),
        ("value > 0.9 AND step >= 2", &[3]),
        ("value < 1", &[3, 4]),
        ("value = \"0.01\"", &[5]),
        ("value.string_value = \"0.01\"", &[5]),
        ("value.double_value = 0.2", &[4]),
        ("value IN (0.2, '0.01')", &[4, 5]),
        ("value NOT IN (0.2, 'x')", &[3, 5]),
        ("value NOT IN ()", &[3, 4, 5]),
        ("value IS NULL", &[1, 2]),
        ("value LIKE '0%'", &[5]),
        ("timestamp > 0", &[3, 4]),
        ("timestamp.string_value = \"1700000000002\"", &[3]),
        ("timestamp BETWEEN '1700000000003' AND 1.8e12", &[4]),
    ] {
        assert_eq!(passing(filter, &list, &artifact_target), expected, "{filter}");
    }
}

#[test]
fn times_of_runs_compare_as_numbers() {
    let list = runs();
    for (filter, expected) in [
        ("status = \"FINISHED\" AND endTimeSinceEpoch > \"1700000000000\"", &[1][..]),
        ("startTimeSinceEpoch >= 1700000000000", &[1]),
        ("startTimeSinceEpoch < '2'", &[]),
        ("gpu = 'a100' AND status = 'FINISHED'", &[1]),
        ("status = 'finished'", &[1]),
        ("NOT status = 'Finished'", &[2]),
        ("name IN ('r1','r2')", &[1, 2]),
    ] {
        assert_eq!(passing(filter, &list, &run_target), expected, "{filter}");
    }
}

#[test]
fn one_matching_element_of_a_list_satisfies_a_comparison() {
    let list = vec![entity(&[], &[("tasks", string("ner")), ("tasks", string("qa"))], &[]), Entity::default()];
    for (filter, expected) in [
        ("tasks = 'qa'", &[1][..]),
        ("tasks != 'qa'", &[1]),
        ("NOT tasks = 'qa'", &[2]),
        ("tasks IN ('x', 'ner')", &[1]),
        ("tasks BETWEEN 'o' AND 'p'", &[]),
    ] {
        assert_eq!(passing(filter, &list, &custom), expected, "{filter}");
    }
}

#[test]
fn nan_and_infinities_compare_as_ieee_754_defines() {
    let numbers = [Value::Double(f64::NAN), Value::Double(f64::INFINITY), Value::Double(f64::NEG_INFINITY)];
    let numbers =
        numbers.into_iter().chain([Value::Double(0.5), Value::Double(f64::MAX), Value::Int(2), string("NaN")]);
    let list: Vec<_> = numbers.map(|number| entity(&[], &[], &[("loss", number)])).collect();
    for (filter, expected) in [
        ("loss IS NAN", &[1][..]),
        ("loss IS NOT NAN", &[2, 3, 4, 5, 6]),
        ("NOT loss IS NAN", &[2, 3, 4, 5, 6, 7]),
        ("loss IS NOT NULL", &[1, 2, 3, 4, 5, 6, 7]),
        ("loss = 0.5", &[4]),
        ("loss != 0.5", &[1, 2, 3, 5, 6]),
        ("loss != 7", &[1, 2, 3, 4, 5, 6]),
        ("loss > 0", &[2, 4, 5, 6]),
        ("loss <= 2", &[3, 4, 6]),
        ("loss BETWEEN 0 AND 1", &[4]),
        ("loss NOT BETWEEN 0 AND 1", &[1, 2, 3, 5, 6]),
        ("loss NOT IN (0.5, 2)", &[1, 2, 3, 5]),
        ("loss IN (0.5, Infinity)", &[2, 4]),
        ("loss = infinity", &[2]),
        ("loss = -INFINITY", &[3]),
        ("loss > -Infinity AND loss < +Infinity", &[4, 5, 6]),
        ("loss >= 1.7976931348623157e308", &[2, 5]),
        ("loss > 1.7976931348623157e308", &[2]),
        ("loss = 'NaN'", &[7]),
        ("loss.double_value IS NOT NAN", &[2, 3, 4, 5]),
        ("loss.int_value IS NAN", &[]),
        ("loss.int_value IS NOT NAN", &[6]),
    ] {
        assert_eq!(passing(filter, &list, &custom), expected, "{filter}");
    }
}

#[test]
fn an_erased_property_is_absent() {
    let erased = Property { name: "stage".to_owned(), custom: true, value: None };
    let list = vec![Entity { properties: vec![erased], ..Entity::default() }];
    assert_eq!(passing("stage IS NULL AND NOT stage = 'a'", &list, &custom), [1]);
    assert_eq!(passing("stage IS NOT NULL OR stage NOT IN () OR stage != 'a'", &list, &custom), [0; 0]);
}

#[test]
fn a_substring_folds_like_the_whole_string() {
    assert_eq!(fold("ΟΔΟΣ Ä İ"), "οδοσ ä i\u{307}");
    assert_eq!(fold("οδος"), fold("ΟΔΟΣ"));
    assert_eq!(fold("ΟΔΟΣΑ"), fold("ΟΔΟΣ") + &fold("Α"));
}
