//! What a name in a filter on a kind refers to.

use model_registry_api::catalog::{CatalogKind, CatalogTable, FilterShape};
use model_registry_filter::{Comparison, Expression, Member, Target, ValueType};

use crate::fields::LIST_ENDING;

/// The prefix under which a filter on items reaches the properties of their artifacts.
const ARTIFACTS: &str = "artifacts.";

/// A field and a custom property of the same name are both meant (parity: the Kubeflow Model Registry does not distinguish
/// them).
pub(crate) fn resolve(kind: CatalogKind, name: &str) -> Target {
    if let Some(artifact) = artifact_kind(kind)
        && let Some(name) = name.strip_prefix(ARTIFACTS)
    {
        let target = match name {
            // Performance metrics have a property `id`, a string, in addition to the id of their row.
            "id" => Target::ByLiteral {
                number: Box::new(resolve(artifact, name)),
                other: Box::new(Target::Property { name: name.to_owned(), built_in_only: false, value: None }),
            },
            name => resolve(artifact, name),
        };
        return Target::Related(Box::new(target));
    }
    if let Some(column) = column(kind, name) {
        return column;
    }
    let plain = name.strip_suffix(LIST_ENDING).unwrap_or(name);
    let property = |name: &str, value| Target::Property { name: name.to_owned(), built_in_only: false, value };
    let Some(field) = kind.spec().property_field(plain) else {
        return if name.ends_with(LIST_ENDING) { Target::List { name: name.to_owned() } } else { property(name, None) };
    };
    let stored = field.stored_name();
    let target = match field.filter_shape() {
        FilterShape::StringList => Target::List { name: stored.to_owned() },
        FilterShape::String | FilterShape::Json => property(stored, Some(ValueType::String)),
        FilterShape::Bool => property(stored, Some(ValueType::Bool)),
        FilterShape::Integer => property(stored, Some(ValueType::Int)),
    };
    match field.values() {
        Some(values) => Target::Enumeration { members: Member::named(values), target: Box::new(target) },
        None => target,
    }
}

/// The kind as which filters on items of `kind` see their artifacts.
pub(crate) fn artifact_kind(kind: CatalogKind) -> Option<CatalogKind> {
    kind.spec().children.first().copied().filter(|_| kind.spec().filters_children)
}

fn column(kind: CatalogKind, name: &str) -> Option<Target> {
    let spec = kind.spec();
    let (name, value, folded) = match name {
        "id" => ("id", ValueType::Int, None),
        "name" => ("name", ValueType::String, Some("name_folded")),
        "base_name" if spec.versioned => ("name", ValueType::String, Some("name_folded")),
        "externalId" => ("external_id", ValueType::String, None),
        "createTimeSinceEpoch" => ("create_time", ValueType::Int, None),
        "lastUpdateTimeSinceEpoch" => ("update_time", ValueType::Int, None),
        "source_id" | "sourceId" if spec.table == CatalogTable::Item => ("source_id", ValueType::String, None),
        _ => return None,
    };
    Some(Target::Column { name, value, folded })
}

/// The part of a filter on items that is about their artifacts, as a filter on artifacts. Conditions on the item itself
/// are dropped.
pub(crate) fn artifact_filter(expression: &Expression) -> Option<Expression> {
    match expression {
        Expression::And(members) => {
            let mut members: Vec<Expression> = members.iter().filter_map(artifact_filter).collect();
            if members.len() > 1 { Some(Expression::And(members)) } else { members.pop() }
        }
        // parity: an alternative about artifacts counts, whatever the other alternatives are about.
        Expression::Or(members) => {
            let mut members: Vec<Expression> = members.iter().filter_map(artifact_filter).collect();
            if members.len() > 1 { Some(Expression::Or(members)) } else { members.pop() }
        }
        Expression::Not(_) | Expression::Comparison(_) => only_about_artifacts(expression),
    }
}

/// The same for an expression without conditions on the item; `None` where it has one.
fn only_about_artifacts(expression: &Expression) -> Option<Expression> {
    let all = |members: &[Expression]| members.iter().map(only_about_artifacts).collect::<Option<Vec<_>>>();
    Some(match expression {
        Expression::And(members) => Expression::And(all(members)?),
        Expression::Or(members) => Expression::Or(all(members)?),
        Expression::Not(inner) => Expression::Not(Box::new(only_about_artifacts(inner)?)),
        Expression::Comparison(comparison) => {
            let mut comparison: Comparison = comparison.clone();
            comparison.property.name = comparison.property.name.strip_prefix(ARTIFACTS)?.to_owned();
            Expression::Comparison(comparison)
        }
    })
}

#[cfg(test)]
mod tests {
    use model_registry_filter::parse;

    use super::*;

    #[test]
    fn names_are_columns_fields_by_path_or_stored_name_or_custom_properties() {
        let property = |name: &str, value| Target::Property { name: name.to_owned(), built_in_only: false, value };
        let model = |name| resolve(CatalogKind::Model, name);
        let server = |name| resolve(CatalogKind::McpServer, name);
        assert!(matches!(model("source_id"), Target::Column { name: "source_id", .. }));
        assert_eq!(model("sourceId"), model("source_id"), "the name in v1");
        assert_eq!(server("licenseLink"), property("license_link", Some(ValueType::String)), "the name in v1");
        assert_eq!(resolve(CatalogKind::ModelArtifact, "source_id"), property("source_id", None));
        assert_eq!(model("libraryName"), property("library_name", Some(ValueType::String)));
        assert_eq!(model("library_name"), model("libraryName"));
        assert_eq!(model("tasks"), Target::List { name: "tasks".to_owned() });
        assert_eq!(model("validatedTasks"), Target::List { name: "validated_tasks".to_owned() });
        assert_eq!(model("validated_tasks"), model("validatedTasks"));
        assert_eq!(model("serving_config"), model("servingConfig"));
        assert_eq!(model("sourceId"), model("source_id"));
        assert_eq!(model("tasks.array_value"), model("tasks"));
        assert_eq!(model("stage"), property("stage", None));
        assert_eq!(model("stage.array_value"), Target::List { name: "stage.array_value".to_owned() });
        assert_eq!(model("base_name"), property("base_name", None));
        assert!(matches!(server("base_name"), Target::Column { name: "name", .. }));
        assert_eq!(server("licenseLink"), property("license_link", Some(ValueType::String)));
        assert_eq!(server("license_Link"), property("license_Link", None));
        assert_eq!(server("securityIndicators.sast"), property("sast", Some(ValueType::Bool)));
        assert_eq!(server("artifacts.uri"), property("artifacts.uri", None), "only models have filterable artifacts");
        let enumerated = |target| matches!(target, Target::Enumeration { .. });
        for name in ["transports", "deploymentMode"] {
            assert!(enumerated(server(name)), "{name}");
        }
        assert!(enumerated(resolve(CatalogKind::McpTool, "accessType")));
        for name in ["artifactType", "metricsType"] {
            assert!(enumerated(resolve(CatalogKind::AccuracyMetrics, name)), "{name}");
            let Target::Related(of_artifact) = resolve(CatalogKind::Model, &format!("artifacts.{name}")) else {
                panic!("{name}")
            };
            assert!(enumerated(*of_artifact), "{name}");
        }
        let Target::Related(hardware) = model("artifacts.hardware") else { panic!("a related property") };
        assert_eq!(*hardware, property("hardware", None));
    }

    #[test]
    fn conditions_on_items_are_dropped_from_the_filter_on_artifacts() {
        for (filter, expected) in [
            ("provider='p' AND artifacts.hw='L4'", Some("hw='L4'")),
            ("artifacts.hw='L4' AND artifacts.n>1", Some("hw='L4' AND n>1")),
            ("provider='p' OR artifacts.hw='L4'", Some("hw='L4'")),
            ("NOT (provider='p' OR artifacts.hw='L4')", None),
            ("NOT artifacts.hw='L4'", Some("NOT hw='L4'")),
            ("provider='p'", None),
        ] {
            let filter = artifact_filter(&parse(filter).unwrap().unwrap());
            let expected = expected.map(|expected| parse(expected).unwrap().unwrap().to_string());
            assert_eq!(filter.map(|filter| filter.to_string()), expected);
        }
    }
}
