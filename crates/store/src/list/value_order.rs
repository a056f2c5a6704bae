//! What `orderBy=NAME` means in a list: for each listed kind, where the values are.
//!
//! Names and type suffixes are those of filters. A field takes precedence over a custom property; a name that is a field of some
//! of the listed kinds only is a custom property of the others. Without a declared type or a suffix, a custom property has
//! values of every type.

use model_registry_api::{Field, Kind, Shape};
use model_registry_filter::{Property, Target, ValueType, parse_property};

use crate::filter_names::resolve_filter_name;

/// The values that a list is ordered by.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ValueOrder {
    pub(super) kinds: Vec<KindValues>,
    /// Whether it is neither a field of a listed kind nor has a type suffix: a custom property, if there is one.
    pub(super) may_be_unknown: bool,
    /// The name without the suffix.
    pub(super) name: String,
    pub(super) has_suffix: bool,
}

/// Where the entities of a kind have their values.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct KindValues {
    pub(super) kind: Kind,
    /// At most one for each type.
    pub(super) sources: Vec<Source>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// A column of the entity's table.
    Column { name: &'static str, value: ValueType },
    /// Rows of `property`.
    Property {
        name: String,
        built_in_only: bool,
        /// Whether an entity may have several values of this type. The first in the order of the list counts.
        several: bool,
        value: ValueType,
    },
    /// The same string for all entities of the kind.
    Constant(&'static str),
}

/// Why a value of `orderBy` is refused; the end of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UnknownOrder(pub(super) String);

impl ValueOrder {
    pub(super) fn resolve(kinds: &[Kind], order_by: &str) -> Result<Self, UnknownOrder> {
        let property = parse_property(order_by).map_err(|error| {
            let hint = error.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
            UnknownOrder(format!("{}{hint}", error.message))
        })?;
        let values = |kind: &Kind| KindValues { kind: *kind, sources: sources(*kind, &property) };
        let kinds: Vec<_> = kinds.iter().map(values).collect();
        if kinds.iter().all(|kind| kind.sources.is_empty()) {
            let suffix = property.explicit.map_or("", ValueType::suffix);
            return Err(UnknownOrder(format!("`{}` has no values of the type `{suffix}`", property.name)));
        }
        let is_field = kinds.iter().any(|kind| kind.is_field(&property.name));
        let has_suffix = property.explicit.is_some();
        Ok(Self { kinds, may_be_unknown: !is_field && !has_suffix, name: property.name, has_suffix })
    }

    /// The column by which alone the list is ordered, if it is the same for all kinds.
    pub(super) fn column(&self) -> Option<&'static str> {
        let mut columns = self.kinds.iter().map(|kind| match kind.sources.as_slice() {
            [Source::Column { name, .. }] => Some(*name),
            _ => None,
        });
        let first = columns.next()??;
        columns.all(|column| column == Some(first)).then_some(first)
    }
}

impl KindValues {
    fn is_field(&self, name: &str) -> bool {
        match self.sources.as_slice() {
            [Source::Property { .. }, ..] => field(self.kind, name).is_some(),
            sources => !sources.is_empty(),
        }
    }
}

fn field(kind: Kind, name: &str) -> Option<&'static Field> {
    kind.spec().all_fields().find(|field| field.name == name || field.stored == name)
}

fn sources(kind: Kind, property: &Property) -> Vec<Source> {
    let name = property.name.as_str();
    if name == "artifactType"
        && let Some(artifact_type) = kind.spec().artifact_type
    {
        let is_string = property.explicit.is_none_or(|explicit| explicit == ValueType::String);
        return if is_string { vec![Source::Constant(artifact_type)] } else { Vec::new() };
    }
    let mut target = resolve_filter_name(&[kind], name);
    if let Target::Enumeration { target: inner, .. } = target {
        target = *inner;
    }
    match target {
        Target::Column { name, value, .. } => {
            of_declared(value, property.explicit).map(|value| Source::Column { name, value }).into_iter().collect()
        }
        Target::Property { name: stored, built_in_only, value } => {
            let field = field(kind, name);
            let declared = value.or_else(|| field.map(|field| value_type(field.shape)));
            let types = match (declared, property.explicit) {
                // A custom property of the same name may have another type, which only a suffix selects.
                (Some(_), Some(explicit)) if !built_in_only => vec![explicit],
                (Some(declared), explicit) => of_declared(declared, explicit).into_iter().collect(),
                (None, Some(explicit)) => vec![explicit],
                (None, None) => vec![ValueType::Int, ValueType::Double, ValueType::String, ValueType::Bool],
            };
            let is_list = field.is_some_and(|field| field.shape == Shape::StringList);
            let several = is_list || field.is_some() && !built_in_only;
            let source = |value| Source::Property { name: stored.clone(), built_in_only, several, value };
            types.into_iter().map(source).collect()
        }
        // Names of lists of other servers.
        Target::Enumeration { .. } | Target::ByLiteral { .. } | Target::List { .. } | Target::Related(_) => Vec::new(),
    }
}

/// The type of the values, as filters interpret a suffix: any suffix for numbers is right for a number.
fn of_declared(declared: ValueType, explicit: Option<ValueType>) -> Option<ValueType> {
    let is_number = |value| matches!(value, ValueType::Int | ValueType::Double);
    match explicit {
        None => Some(declared),
        Some(explicit) if explicit == declared => Some(declared),
        Some(explicit) => (is_number(declared) && explicit != ValueType::Bool).then_some(declared),
    }
}

fn value_type(shape: Shape) -> ValueType {
    match shape {
        Shape::String | Shape::Uri | Shape::StringList | Shape::Enumeration(_) => ValueType::String,
        Shape::Double => ValueType::Double,
        Shape::Integer | Shape::Id | Shape::EpochMillis => ValueType::Int,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources_of(kind: Kind, order_by: &str) -> Vec<Source> {
        ValueOrder::resolve(&[kind], order_by).unwrap().kinds.remove(0).sources
    }

    fn property(name: &str, built_in_only: bool, several: bool, value: ValueType) -> Source {
        Source::Property { name: name.to_owned(), built_in_only, several, value }
    }

    #[test]
    fn fields_take_precedence_and_have_their_declared_type() {
        let versions = Kind::ModelVersion;
        assert_eq!(sources_of(versions, "author"), [property("author", true, false, ValueType::String)]);
        let state = Source::Column { name: "state", value: ValueType::String };
        assert_eq!(sources_of(versions, "state"), [state]);
        let value = Source::Column { name: "value", value: ValueType::Double };
        for spelling in ["value", "value.double_value", "value.int_value", "`value`"] {
            assert_eq!(sources_of(Kind::Metric, spelling), std::slice::from_ref(&value), "{spelling}");
        }
        assert_eq!(sources_of(Kind::RegisteredModel, "license"), [property("license", false, true, ValueType::String)]);
        assert_eq!(sources_of(Kind::Metric, "artifactType"), [Source::Constant("metric")]);
    }

    #[test]
    fn every_field_of_every_kind_has_values_of_one_type() {
        for kind in Kind::ALL {
            for field in kind.spec().all_fields().filter(|field| field.name != "customProperties") {
                let order = ValueOrder::resolve(&[kind], field.name).unwrap();
                assert_eq!(order.kinds[0].sources.len(), 1, "{}.{}", kind.name(), field.name);
                assert!(!order.may_be_unknown, "{}.{}", kind.name(), field.name);
            }
        }
    }

    #[test]
    fn custom_properties_have_the_type_of_the_suffix_or_any() {
        let models = Kind::RegisteredModel;
        assert_eq!(
            sources_of(models, "accuracy.double_value"),
            [property("accuracy", false, false, ValueType::Double)]
        );
        assert_eq!(sources_of(models, "accuracy").len(), 4);
        let order = |order_by: &str| ValueOrder::resolve(&[models], order_by).unwrap();
        assert!(order("accuracy").may_be_unknown && !order("accuracy.double_value").may_be_unknown);
    }

    #[test]
    fn in_a_list_of_several_kinds_a_name_means_what_it_means_for_each() {
        let order = ValueOrder::resolve(&Kind::ARTIFACTS, "value").unwrap();
        let of = |kind: Kind| &order.kinds.iter().find(|values| values.kind == kind).unwrap().sources;
        assert_eq!(of(Kind::Metric), &[Source::Column { name: "value", value: ValueType::Double }]);
        assert_eq!(of(Kind::Parameter), &[property("value", true, false, ValueType::String)]);
        assert_eq!(of(Kind::DocArtifact).len(), 4);
        assert_eq!(
            ValueOrder::resolve(&Kind::ARTIFACTS, "createTimeSinceEpoch").unwrap().column(),
            Some("create_time")
        );
        assert_eq!(order.column(), None);
    }

    #[test]
    fn names_that_cannot_have_values_are_refused() {
        let refused = |order_by: &str| ValueOrder::resolve(&[Kind::RegisteredModel], order_by).unwrap_err().0;
        assert_eq!(refused("name.int_value"), "`name` has no values of the type `int_value`");
        assert!(refused("a-b").contains("back-quotes"), "{}", refused("a-b"));
        assert!(refused("name DESC").starts_with("unexpected `DESC`"), "{}", refused("name DESC"));
    }
}
