//! Random filters and entities, drawn from few names and values so that filters match some entities.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::{Entity, Property as Row};
use crate::syntax::{Comparator, Comparison, Expression, Literal, Operation, Position, Property, Value, ValueType};
use crate::{Member, Resolve, Target};

/// Columns of the sample table.
pub const COLUMNS: [(&str, ValueType); 5] = [
    ("name", ValueType::String),
    ("state", ValueType::String),
    ("parent_id", ValueType::Int),
    ("score", ValueType::Double),
    ("active", ValueType::Bool),
];

/// The values of the enumerated property of the sample list.
pub const MEMBERS: [&str; 3] = ["ab", "A", "b"];

/// The meaning of names in the sample list: columns, declared properties, `value` by its literal, else custom properties.
pub fn sample_target(name: &str) -> Target {
    let property = |value| Target::Property { name: name.to_owned(), built_in_only: true, value: Some(value) };
    if let Some(&(name, value)) = COLUMNS.iter().find(|(column, _)| *column == name) {
        let folded = if name == "name" { Some("name_folded") } else { None };
        return Target::Column { name, value, folded };
    }
    match name {
        "owner" => property(ValueType::String),
        "status" => {
            Target::Enumeration { members: Member::named(&MEMBERS), target: Box::new(property(ValueType::String)) }
        }
        "step" => property(ValueType::Int),
        "ratio" => property(ValueType::Double),
        "value" => Target::ByLiteral {
            number: Box::new(Target::Column { name: "score", value: ValueType::Double, folded: None }),
            other: Box::new(Target::Property {
                name: "value".to_owned(),
                built_in_only: true,
                value: Some(ValueType::String),
            }),
        },
        _ => Target::Property { name: name.to_owned(), built_in_only: false, value: None },
    }
}

/// The declared names of the sample list and a few names of custom properties.
pub const NAMES: [&str; 12] =
    ["name", "state", "parent_id", "score", "active", "owner", "status", "step", "ratio", "value", "custom", "a-b.c"];

/// Any tree that the parser can return, over any names and values.
pub fn any_expression() -> impl Strategy<Value = Expression> {
    let name = prop_oneof![
        "[a-z_][a-z0-9_]{0,3}(\\.[a-z]{1,3}){0,2}",
        "(and|OR|not|x)(\\.(x|int_value|bool_value)){0,2}",
        "[^\0]{1,6}",
    ];
    let property = (name, proptest::option::of(value_type())).prop_map(|(name, explicit)| Property { name, explicit });
    let string = prop_oneof!["[a-c%_'\"\\\\]{0,5}", "[^\0]{0,5}"].boxed();
    let double = any::<f64>().prop_filter("a literal", |value| !value.is_nan()).prop_map(Value::Double);
    let value = prop_oneof![
        string.clone().prop_map(Value::String),
        any::<i64>().prop_map(Value::Int),
        double,
        any::<bool>().prop_map(Value::Bool),
    ];
    tree(comparison(property, operation(value, string)))
}

/// Filters over the sample list; a good part of them has type errors.
pub fn sample_expression() -> impl Strategy<Value = Expression> {
    let explicit = prop_oneof![6 => Just(None), 1 => value_type().prop_map(Some)];
    let property = (proptest::sample::select(NAMES.as_slice()), explicit)
        .prop_map(|(name, explicit)| Property { name: name.to_owned(), explicit });
    tree(comparison(property, operation(sample_value(), sample_pattern())))
}

/// [`sample_expression`] without type errors.
pub fn accepted_expression() -> impl Strategy<Value = Expression> {
    let resolve: Resolve<'static> = &sample_target;
    sample_expression().prop_map(move |expression| accepted_part(expression, resolve))
}

/// Replaces each comparison with a type error by one that is true for some entities.
fn accepted_part(expression: Expression, resolve: Resolve<'_>) -> Expression {
    let all = |members: Vec<Expression>| members.into_iter().map(|member| accepted_part(member, resolve)).collect();
    match expression {
        Expression::Or(members) => Expression::Or(all(members)),
        Expression::And(members) => Expression::And(all(members)),
        Expression::Not(inner) => Expression::Not(Box::new(accepted_part(*inner, resolve))),
        Expression::Comparison(mut comparison) => {
            let alone = Expression::Comparison(comparison.clone());
            if super::check(&alone, resolve).is_ok() {
                return alone;
            }
            comparison.property = Property { name: "custom".to_owned(), explicit: None };
            let alone = Expression::Comparison(comparison.clone());
            if super::check(&alone, resolve).is_ok() {
                return alone;
            }
            comparison.operation = Operation::IsNull { negated: false };
            Expression::Comparison(comparison)
        }
    }
}

/// An entity of the sample list.
pub fn sample_entity() -> impl Strategy<Value = Entity> {
    let columns = COLUMNS
        .into_iter()
        .map(|(name, value_type)| {
            let value = match name {
                // Its column is not folded, and databases agree on LOWER for ASCII only.
                "state" => value_of(value_type).prop_filter("ASCII", is_ascii).boxed(),
                "score" => stored_double(),
                _ => value_of(value_type),
            };
            proptest::option::of(value).prop_map(move |value| value.map(|value| (name, value)))
        })
        .collect::<Vec<_>>();
    let rows = btree_map((proptest::sample::select(NAMES.as_slice()), any::<bool>()), any::<u8>(), 0..8)
        .prop_flat_map(|keys| keys.into_keys().map(|(name, custom)| row(name, custom)).collect::<Vec<_>>());
    (columns, rows).prop_map(|(columns, rows)| Entity {
        columns: columns.into_iter().flatten().collect::<BTreeMap<_, _>>(),
        properties: rows.into_iter().flatten().collect(),
    })
}

fn is_ascii(value: &Value) -> bool {
    !matches!(value, Value::String(string) if !string.is_ascii())
}

/// The rows of one property. Built-in ones have the declared type; some values are erased, some properties are lists.
fn row(name: &'static str, custom: bool) -> impl Strategy<Value = Vec<Row>> {
    let value = match name {
        _ if custom => stored_value(),
        "step" => value_of(ValueType::Int),
        "ratio" => stored_double(),
        "status" => {
            proptest::sample::select(MEMBERS.as_slice()).prop_map(|name| Value::String(name.to_owned())).boxed()
        }
        "owner" | "value" => value_of(ValueType::String),
        _ => stored_value(),
    };
    vec(proptest::option::weighted(0.8, value), 1..3)
        .prop_map(move |values| values.into_iter().map(|value| Row { name: name.to_owned(), custom, value }).collect())
}

/// Stored doubles may be NaN, which no literal is.
fn stored_double() -> BoxedStrategy<Value> {
    prop_oneof![5 => value_of(ValueType::Double), 1 => Just(Value::Double(f64::NAN))].boxed()
}

fn stored_value() -> BoxedStrategy<Value> {
    prop_oneof![8 => sample_value(), 1 => Just(Value::Double(f64::NAN))].boxed()
}

fn sample_value() -> impl Strategy<Value = Value> + Clone {
    let types = [ValueType::String, ValueType::Int, ValueType::Double, ValueType::Bool];
    proptest::strategy::Union::new(types.map(value_of))
}

fn value_of(value_type: ValueType) -> BoxedStrategy<Value> {
    match value_type {
        ValueType::String => prop_oneof![
            proptest::sample::select(
                ["", "a", "A", "ab", "aB", "b", "a%", "a_", r"a\", "a!b", "ä", "Ä", "ΟΔΟΣ", "οδος", "a ", "5", "5.5"]
                    .as_slice()
            )
            .prop_map(str::to_owned),
            (0..3_usize, "[ab]").prop_map(|(extra, end)| "x".repeat(254 + extra) + &end),
        ]
        .prop_map(Value::String)
        .boxed(),
        ValueType::Int => proptest::sample::select(
            [0, 1, 2, 5, -5, 6, i64::MIN, i64::MAX, 9_007_199_254_740_992, 9_007_199_254_740_993].as_slice(),
        )
        .prop_map(Value::Int)
        .boxed(),
        ValueType::Double => proptest::sample::select(
            [
                0.0,
                -0.0,
                1.0,
                1.5,
                5.0,
                5.5,
                -5.5,
                -5.0,
                1e300,
                -1e300,
                9_007_199_254_740_992.0,
                9_223_372_036_854_775_808.0,
                -9_223_372_036_854_775_808.0,
                f64::MAX,
                f64::MIN,
                f64::INFINITY,
                f64::NEG_INFINITY,
            ]
            .as_slice(),
        )
        .prop_map(Value::Double)
        .boxed(),
        ValueType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
    }
}

fn sample_pattern() -> BoxedStrategy<String> {
    proptest::sample::select(
        ["", "%", "_", "a%", "%b", "A_", r"a\%", r"a\_", r"a\\", r"\a", "%!%", "Ä", "%Σ", "ΟΔΟ%", "%x_", "__%", "5%"]
            .as_slice(),
    )
    .prop_map(str::to_owned)
    .boxed()
}

fn value_type() -> impl Strategy<Value = ValueType> {
    proptest::sample::select([ValueType::String, ValueType::Int, ValueType::Double, ValueType::Bool].as_slice())
}

fn comparison(
    property: impl Strategy<Value = Property> + 'static,
    operation: impl Strategy<Value = Operation> + 'static,
) -> BoxedStrategy<Comparison> {
    (property, operation)
        .prop_map(|(property, operation)| Comparison { property, operation, position: Position::default() })
        .boxed()
}

fn operation(
    value: impl Strategy<Value = Value> + Clone + 'static,
    pattern: BoxedStrategy<String>,
) -> impl Strategy<Value = Operation> {
    let literal = value.prop_map(|value| Literal { value, position: Position::default() }).boxed();
    let comparator = proptest::sample::select(
        [
            Comparator::Equal,
            Comparator::NotEqual,
            Comparator::Greater,
            Comparator::GreaterOrEqual,
            Comparator::Less,
            Comparator::LessOrEqual,
        ]
        .as_slice(),
    );
    prop_oneof![
        4 => (comparator, literal.clone())
            .prop_map(|(comparator, literal)| Operation::Compare { comparator, literal }),
        2 => (any::<bool>(), any::<bool>(), pattern).prop_map(|(negated, ignore_case, pattern)| Operation::Like {
            negated,
            ignore_case,
            pattern,
            position: Position::default(),
        }),
        2 => (any::<bool>(), vec(literal.clone(), 0..4)).prop_map(|(negated, list)| Operation::In { negated, list }),
        2 => (any::<bool>(), literal.clone(), literal)
            .prop_map(|(negated, low, high)| Operation::Between { negated, low, high }),
        1 => any::<bool>().prop_map(|negated| Operation::IsNull { negated }),
        1 => any::<bool>().prop_map(|negated| Operation::IsNan { negated }),
    ]
}

fn tree(comparison: BoxedStrategy<Comparison>) -> impl Strategy<Value = Expression> {
    comparison.prop_map(Expression::Comparison).prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(Expression::Or),
            vec(inner.clone(), 2..4).prop_map(Expression::And),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}
