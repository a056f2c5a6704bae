//! Filter options of a small kind, which are exact, and of one that is larger than the sample, on every database.

use model_registry_api::Kind;
use model_registry_testkit::{Backend, on_each_database};
use serde_json::{Map, Value, json};

use super::*;
use crate::test_support::{TestStore, author_at, document};
use crate::write::PendingRows;

on_each_database!(a_kind_larger_than_the_sample_is_estimated_with_all_its_names_and_ranges);

fn string(value: &str) -> Value {
    json!({"metadataType": "MetadataStringValue", "string_value": value})
}

fn int(value: usize) -> Value {
    json!({"metadataType": "MetadataIntValue", "int_value": value.to_string()})
}

fn double(value: &Value) -> Value {
    json!({"metadataType": "MetadataDoubleValue", "double_value": value})
}

const ENTITIES: usize = 3_000;

async fn a_kind_larger_than_the_sample_is_estimated_with_all_its_names_and_ranges(backend: Backend) {
    let store = TestStore::new(backend).await;
    let mut tx = store.database().unwrap().begin().await.unwrap();
    let mut rows = PendingRows::default();
    for number in 0..ENTITIES {
        let mut custom = Map::new();
        custom.insert("stage".to_owned(), string(if number % 4 == 0 { "production" } else { "research" }));
        custom.insert("commit".to_owned(), string(&format!("commit-{number}")));
        custom.insert("size".to_owned(), int(number));
        custom.insert("loss".to_owned(), double(&if number == 5 { json!("Infinity") } else { json!(0.5) }));
        if number == 1_777 {
            custom.insert("rare name".to_owned(), int(42));
        }
        let model = json!({"name": format!("m{number}"), "state": "LIVE", "owner": "ada", "customProperties": custom});
        tx.begin_create(Kind::RegisteredModel, None, document(model), &author_at(1), &mut rows).await.unwrap();
    }
    tx.finish_create(rows, &author_at(1)).await.unwrap();
    tx.commit().await.unwrap();

    let before = store.database().unwrap().statements();
    let options = store.filter_options(Kind::RegisteredModel).await.unwrap();
    let statements = store.database().unwrap().statements() - before;
    assert!(statements <= 16, "{statements} statements on {backend}");

    let is_near = |estimate: u64, number: usize| {
        let number = u64::try_from(number).unwrap();
        assert!(estimate.abs_diff(number) <= number / 10, "{estimate} is not near {number} on {backend}");
    };
    assert!(!options.is_exact);
    is_near(options.entities, ENTITIES);
    let field = |name: &str| options.fields.get(name).unwrap_or_else(|| panic!("no {name}: {options:?}"));
    let stage = field("stage.string_value");
    assert_eq!(stage.value_type, OptionType::String);
    let values: Vec<&Value> = stage.values.iter().map(|(value, _)| value).collect();
    assert_eq!(values, ["research", "production"]);
    is_near(stage.count.unwrap(), ENTITIES);
    is_near(stage.values[0].1, ENTITIES * 3 / 4);
    assert!(field("commit.string_value").values.is_empty(), "every entity has another value");
    assert_eq!(field("size.int_value").range, Some((0.into(), (ENTITIES - 1).into())));
    assert_eq!(field("loss.double_value").range, Some((0.5.into(), 0.5.into())));
    // One entity of three thousand, which the sample may lack.
    let rare = field("`rare name.int_value`");
    assert_eq!((rare.value_type, rare.range.clone()), (OptionType::Number, Some((42.into(), 42.into()))));
    assert_eq!(field("owner").values.len(), 1);
    let states: Vec<&Value> = field("state").values.iter().map(|(value, _)| value).collect();
    assert_eq!(states, ["LIVE", "ARCHIVED"]);
}
