//! The meaning of names in filters over lists of registry entities.

use model_registry_api::{Field, Kind, Shape, Storage};
use model_registry_filter::{Member, Target, ValueType};

/// Resolves a name for a list of one kind, or of all artifact kinds together.
///
/// A built-in field takes precedence over a custom property of the same name. The stored (snake case) name of a field finds
/// both the field and custom properties of that name (parity).
pub fn resolve_filter_name(kinds: &[Kind], name: &str) -> Target {
    if let Some(target) = common(name).or_else(|| artifact_type(kinds, name)).or_else(|| parent_in_url(kinds, name)) {
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
    let column = targets.iter().position(is_column);
    match (targets.len(), column) {
        (1, Some(_)) => targets.remove(0),
        (1, None) if kinds_with_it == kinds.len() => targets.remove(0),
        // A field of some of the listed kinds only: for the others, the name is a custom property. With a fixed set of values it
        // is the field alone, so that a mistyped value is an error here as well.
        (1, None) => match targets.remove(0) {
            Target::Property { name, .. } => Target::Property { name, built_in_only: false, value: None },
            other => other,
        },
        // `value` is a number in a column for metrics, and a string in a property for parameters.
        (_, Some(column)) => {
            Target::ByLiteral { number: Box::new(targets.remove(column)), other: Box::new(any_property) }
        }
        (_, None) => any_property,
    }
}

/// Names that are valid in every list, whatever its kinds.
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

/// The type of an artifact is a field on the wire, and a code in the database.
fn artifact_type(kinds: &[Kind], name: &str) -> Option<Target> {
    let is_artifacts = kinds.iter().all(|kind| Kind::ARTIFACTS.contains(kind));
    if name != "artifactType" || !is_artifacts {
        return None;
    }
    let types = Kind::ARTIFACTS.iter().filter_map(|kind| Some((kind.spec().artifact_type?, kind.spec().code)));
    Some(Target::Enumeration {
        members: types.map(|(name, code)| Member { name, code: Some(code.into()) }).collect(),
        target: Box::new(Target::Column { name: "kind", value: ValueType::Int, folded: None }),
    })
}

fn is_column(target: &Target) -> bool {
    match target {
        Target::Column { .. } => true,
        Target::Enumeration { target, .. } => is_column(target),
        _ => false,
    }
}

/// The parent of a kind that has no field for it has declared names in filters (parity: serve models).
fn parent_in_url(kinds: &[Kind], name: &str) -> Option<Target> {
    let &[kind] = kinds else { return None };
    let is_parent = kind.spec().parent.is_some_and(|parent| parent.filter_names.contains(&name));
    is_parent.then_some(Target::Column { name: "parent_id", value: ValueType::Int, folded: None })
}

fn target(field: &Field, name: &str) -> Target {
    let value = match field.shape {
        Shape::String | Shape::Uri | Shape::StringList | Shape::Enumeration(_) => ValueType::String,
        Shape::Double => ValueType::Double,
        Shape::Integer | Shape::Id | Shape::EpochMillis => ValueType::Int,
    };
    let field_alone = field.name == name && !field.also_custom;
    let is_column = matches!(field.storage, Storage::Column(_));
    let target = match field.storage {
        Storage::Column(name) => Target::Column { name, value, folded: None },
        Storage::Property => Target::Property {
            name: field.stored.to_owned(),
            built_in_only: field_alone,
            value: field_alone.then_some(value),
        },
    };
    match field.shape {
        Shape::Enumeration(enumeration) if is_column || field_alone => {
            Target::Enumeration { members: Member::named(enumeration.members), target: Box::new(target) }
        }
        _ => target,
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

    fn enumeration(members: &[&'static str], target: Target) -> Target {
        Target::Enumeration { members: Member::named(members), target: Box::new(target) }
    }

    #[test]
    fn every_field_with_a_fixed_set_of_values_is_enumerated_in_every_list_that_has_it() {
        for kind in Kind::ALL {
            let lists: &[&[Kind]] =
                if Kind::ARTIFACTS.contains(&kind) { &[&[kind], &Kind::ARTIFACTS] } else { &[&[kind]] };
            for field in kind.spec().all_fields() {
                let Shape::Enumeration(declared) = field.shape else { continue };
                for kinds in lists {
                    let Target::Enumeration { members, .. } = resolve_filter_name(kinds, field.name) else {
                        panic!("{} of {kinds:?}", field.name)
                    };
                    assert_eq!(members, Member::named(declared.members), "{} of {kinds:?}", field.name);
                }
            }
        }
        for kinds in [&[Kind::Metric][..], &Kind::ARTIFACTS] {
            let Target::Enumeration { members, .. } = resolve_filter_name(kinds, "artifactType") else {
                panic!("{kinds:?}")
            };
            assert_eq!(members.len(), Kind::ARTIFACTS.len());
        }
        assert_eq!(
            resolve_filter_name(&[Kind::RegisteredModel], "artifactType"),
            property("artifactType", false, None)
        );
    }

    #[test]
    fn fields_take_precedence_over_custom_properties() {
        let models = [Kind::RegisteredModel];
        assert_eq!(resolve_filter_name(&models, "owner"), property("owner", true, Some(ValueType::String)));
        assert_eq!(
            resolve_filter_name(&models, "state"),
            enumeration(&["LIVE", "ARCHIVED"], column("state", ValueType::String))
        );
        assert_eq!(resolve_filter_name(&models, "accuracy"), property("accuracy", false, None));
        assert_eq!(
            resolve_filter_name(&[Kind::ModelVersion], "registeredModelId"),
            column("parent_id", ValueType::Int)
        );
    }

    #[test]
    fn descriptive_fields_and_stored_names_also_find_custom_properties() {
        let models = [Kind::RegisteredModel];
        assert_eq!(resolve_filter_name(&models, "license"), property("license", false, None));
        assert_eq!(resolve_filter_name(&models, "library_name"), property("library_name", false, None));
        assert_eq!(resolve_filter_name(&models, "libraryName"), property("library_name", false, None));
    }

    #[test]
    fn in_a_list_of_all_artifacts_numbers_compare_with_the_column_and_strings_with_the_property() {
        let Target::ByLiteral { number, other } = resolve_filter_name(&Kind::ARTIFACTS, "value") else {
            panic!("by literal")
        };
        assert_eq!(*number, column("value", ValueType::Double));
        assert_eq!(*other, property("value", false, None));
        assert_eq!(resolve_filter_name(&Kind::ARTIFACTS, "digest"), property("digest", false, None));
        assert_eq!(resolve_filter_name(&Kind::ARTIFACTS, "uri"), property("uri", false, None));
        assert_eq!(resolve_filter_name(&Kind::ARTIFACTS, "experimentId"), column("experiment_id", ValueType::Int));
        assert_eq!(resolve_filter_name(&[Kind::Parameter], "value"), property("value", true, Some(ValueType::String)));
    }
}
