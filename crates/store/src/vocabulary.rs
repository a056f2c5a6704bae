//! What the names in a filter mean for a list of registry entities.

use model_registry_api::{Field, Kind, Shape, Storage};
use model_registry_filter::{Target, ValueType};

/// Resolves a name for a list of one kind, or of all artifact kinds together.
///
/// A built-in field comes before a custom property of the same name. The stored (snake case) name of a field reaches
/// the field and a custom property of that name alike (parity, registry-server 3.4).
pub fn resolve_filter_name(kinds: &[Kind], name: &str) -> Target {
    if let Some(target) = common(name).or_else(|| parent_in_url(kinds, name)) {
        return target;
    }
    let mut targets: Vec<Target> = Vec::new();
    let mut kinds_with_it = 0;
    for kind in kinds {
        let Some(field) = kind.spec().all_fields().find(|field| field.name == name || field.stored == name) else {
            continue;
        };
        kinds_with_it += 1;
        let target = target(field, name);
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    let any_property = Target::Property { name: name.to_owned(), built_in_only: false, value: None };
    let column = targets.iter().position(|target| matches!(target, Target::Column { .. }));
    match (targets.len(), column) {
        (1, Some(_)) => targets.remove(0),
        (1, None) if kinds_with_it == kinds.len() => targets.remove(0),
        // A field of some of the listed kinds: what the others have under that name is a custom property.
        (1, None) => match targets.remove(0) {
            Target::Property { name, .. } => Target::Property { name, built_in_only: false, value: None },
            other => other,
        },
        // Metrics keep `value` as a number in a column, parameters as a text in a property.
        (_, Some(column)) => {
            Target::ByLiteral { number: Box::new(targets.remove(column)), text: Box::new(any_property) }
        }
        (_, None) => any_property,
    }
}

/// Names that every list knows, whatever the kind.
fn common(name: &str) -> Option<Target> {
    let (column, value, folded) = match name {
        "id" => ("id", ValueType::Int, None),
        "name" => ("name", ValueType::String, Some("name_folded")),
        "createTimeSinceEpoch" | "create_time_since_epoch" => ("create_time", ValueType::Int, None),
        "lastUpdateTimeSinceEpoch" | "last_update_time_since_epoch" => ("update_time", ValueType::Int, None),
        _ => return None,
    };
    Some(Target::Column { name: column, value, folded })
}

/// The parent of serve models is no field of theirs, but has a name in filters (registry-server 3.4).
fn parent_in_url(kinds: &[Kind], name: &str) -> Option<Target> {
    let is_parent = kinds == [Kind::ServeModel] && matches!(name, "inferenceServiceId" | "inference_service_id");
    is_parent.then_some(Target::Column { name: "parent_id", value: ValueType::Int, folded: None })
}

fn target(field: &Field, name: &str) -> Target {
    let value = match field.shape {
        Shape::String | Shape::Uri | Shape::StringList | Shape::Enumeration(_) => ValueType::String,
        Shape::Double => ValueType::Double,
        Shape::Integer | Shape::Id | Shape::EpochMillis => ValueType::Int,
    };
    match field.storage {
        Storage::Column(name) => Target::Column { name, value, folded: None },
        Storage::Property => {
            let field_alone = field.name == name && !field.also_custom;
            Target::Property {
                name: field.stored.to_owned(),
                built_in_only: field_alone,
                value: field_alone.then_some(value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(name: &str, built_in_only: bool, value: Option<ValueType>) -> Target {
        Target::Property { name: name.to_owned(), built_in_only, value }
    }

    fn column(name: &'static str, value: ValueType) -> Target {
        Target::Column { name, value, folded: None }
    }

    #[test]
    fn fields_come_before_custom_properties() {
        let models = [Kind::RegisteredModel];
        assert_eq!(resolve_filter_name(&models, "owner"), property("owner", true, Some(ValueType::String)));
        assert_eq!(resolve_filter_name(&models, "state"), column("state", ValueType::String));
        assert_eq!(resolve_filter_name(&models, "accuracy"), property("accuracy", false, None));
        assert_eq!(
            resolve_filter_name(&[Kind::ModelVersion], "registeredModelId"),
            column("parent_id", ValueType::Int)
        );
    }

    #[test]
    fn descriptive_fields_and_stored_names_also_reach_custom_properties() {
        let models = [Kind::RegisteredModel];
        assert_eq!(resolve_filter_name(&models, "license"), property("license", false, None));
        assert_eq!(resolve_filter_name(&models, "library_name"), property("library_name", false, None));
        assert_eq!(resolve_filter_name(&models, "libraryName"), property("library_name", false, None));
    }

    #[test]
    fn a_list_of_all_artifacts_takes_the_column_for_numbers_and_the_property_for_texts() {
        let Target::ByLiteral { number, text } = resolve_filter_name(&Kind::ARTIFACTS, "value") else {
            panic!("by literal")
        };
        assert_eq!(*number, column("value", ValueType::Double));
        assert_eq!(*text, property("value", false, None));
        assert_eq!(resolve_filter_name(&Kind::ARTIFACTS, "digest"), property("digest", false, None));
        assert_eq!(resolve_filter_name(&Kind::ARTIFACTS, "uri"), property("uri", false, None));
        assert_eq!(resolve_filter_name(&Kind::ARTIFACTS, "experimentId"), column("experiment_id", ValueType::Int));
        assert_eq!(resolve_filter_name(&[Kind::Parameter], "value"), property("value", true, Some(ValueType::String)));
    }
}
