//! Type check: decides for each comparison which stored values it concerns and whether its literals fit them.
//!
//! The resulting [`Condition`] compares values of the same type only, so that no database converts anything.

use super::enumeration::{as_strings, rewritten};
use super::error::{FilterError, quoted};
use super::lexer::{TokenKind, number};
use super::pattern::Pattern;
use super::syntax::{Comparator, Comparison, Expression, Literal, Operation, Property, Value, ValueType};
use super::{Resolve, Target};

/// A filter whose names are resolved and whose literals fit the types of the values they are compared with.
pub enum Condition {
    Any(Vec<Condition>),
    All(Vec<Condition>),
    Not(Box<Condition>),
    Holds {
        subject: Subject,
        test: Test,
    },
    /// At least one related row satisfies this.
    Related(Box<Condition>),
}

/// The column or property whose values are tested.
pub enum Subject {
    Column { name: &'static str, folded: Option<&'static str> },
    Property { name: String, built_in_only: bool },
}

/// A test of one stored value. Every test is for values of one type; values of other types never pass.
pub enum Test {
    Never,
    /// A value exists, of this type if one is given.
    Present(Option<ValueType>),
    Compare(Comparator, Value),
    /// At least one value, all of one type.
    In {
        negated: bool,
        values: Vec<Value>,
    },
    Like {
        negated: bool,
        ignore_case: bool,
        pattern: Pattern,
    },
    /// A double that is NaN. No other test of doubles is true for it, but [`Test::Present`].
    Nan,
    Any(Vec<Test>),
    All(Vec<Test>),
}

impl Test {
    /// The string that the value must equal, if the test is nothing but that equality.
    pub fn equal_string(&self) -> Option<&str> {
        match self {
            Self::Compare(Comparator::Equal, Value::String(string)) => Some(string),
            _ => None,
        }
    }
}

/// Resolves the names of a filter and checks the types of its literals.
pub fn check(expression: &Expression, resolve: Resolve<'_>) -> Result<Condition, FilterError> {
    let all = |members: &[Expression]| members.iter().map(|member| check(member, resolve)).collect::<Result<_, _>>();
    Ok(match expression {
        Expression::Or(members) => Condition::Any(all(members)?),
        Expression::And(members) => conjunction(members, resolve)?,
        Expression::Not(inner) => Condition::Not(Box::new(check(inner, resolve)?)),
        Expression::Comparison(comparison) => condition(comparison, &resolve(&comparison.property.name))?,
    })
}

/// The members of one AND. Comparisons of related rows are combined, because one related row must satisfy them all.
fn conjunction(members: &[Expression], resolve: Resolve<'_>) -> Result<Condition, FilterError> {
    let (mut own, mut related) = (Vec::new(), Vec::new());
    for member in members {
        if let Expression::Comparison(comparison) = member
            && let Target::Related(target) = resolve(&comparison.property.name)
        {
            related.push(condition(comparison, &target)?);
        } else {
            own.push(check(member, resolve)?);
        }
    }
    if !related.is_empty() {
        own.push(Condition::Related(Box::new(Condition::All(related))));
    }
    Ok(Condition::All(own))
}

fn condition(comparison: &Comparison, target: &Target) -> Result<Condition, FilterError> {
    let (subject, declared) = match target {
        Target::ByLiteral { number, other } => return by_literal(comparison, number, other),
        Target::List { name } => return list(comparison, name),
        Target::Enumeration { members, target } => {
            return match comparison.property.explicit {
                None | Some(ValueType::String) => condition(&rewritten(comparison, members)?, target),
                Some(_) => condition(comparison, &as_strings(target)),
            };
        }
        Target::Related(target) => return Ok(Condition::Related(Box::new(condition(comparison, target)?))),
        Target::Column { name, value, folded } => (Subject::Column { name, folded: *folded }, Some(*value)),
        Target::Property { name, built_in_only, value } => {
            (Subject::Property { name: name.clone(), built_in_only: *built_in_only }, *value)
        }
    };
    let required = compared_type(comparison, declared);
    if let Some(declared) = declared
        && required.is_some_and(|required| required != declared)
    {
        return no_value(comparison, subject, required);
    }
    if let Operation::IsNull { negated } = comparison.operation {
        // A property without a declared type may have values of any type; only a suffix restricts them.
        let required = if declared.is_none() { comparison.property.explicit } else { None };
        let present = Condition::Holds { subject, test: Test::Present(required) };
        return Ok(if negated { present } else { Condition::Not(Box::new(present)) });
    }
    let test = test(comparison, required)?;
    Ok(Condition::Holds { subject, test })
}

/// A comparison whose suffix names a type that the property never has: it is false, but its literals must fit all the same.
fn no_value(comparison: &Comparison, subject: Subject, required: Option<ValueType>) -> Result<Condition, FilterError> {
    let none = Condition::Holds { subject, test: Test::Never };
    if let Operation::IsNull { negated } = comparison.operation {
        return Ok(if negated { none } else { Condition::Not(Box::new(none)) });
    }
    test(comparison, required)?;
    Ok(none)
}

/// The type of the values that the comparison concerns; `None` if the literal decides.
///
/// If it differs from the declared type, there are no such values.
fn compared_type(comparison: &Comparison, declared: Option<ValueType>) -> Option<ValueType> {
    let (declared, explicit) = match (declared, comparison.property.explicit) {
        (None, explicit) => return explicit,
        (Some(declared), None) => return Some(declared),
        (Some(declared), Some(explicit)) => (declared, explicit),
    };
    let is_number = matches!(declared, ValueType::Int | ValueType::Double);
    // parity: the reference stores some numbers as strings, and clients write `timestamp.string_value = "170"`.
    Some(if is_number && explicit != ValueType::Bool { declared } else { explicit })
}

fn list(comparison: &Comparison, name: &str) -> Result<Condition, FilterError> {
    let elements = Target::Property { name: name.to_owned(), built_in_only: false, value: Some(ValueType::String) };
    let mut positive = comparison.clone();
    let was_negated = match &mut positive.operation {
        Operation::Compare { comparator: comparator @ Comparator::NotEqual, .. } => {
            *comparator = Comparator::Equal;
            true
        }
        Operation::Like { negated, .. } | Operation::In { negated, .. } | Operation::Between { negated, .. } => {
            std::mem::replace(negated, false)
        }
        Operation::Compare { .. } | Operation::IsNull { .. } | Operation::IsNan { .. } => false,
    };
    let holds = condition(&positive, &elements)?;
    // The elements are strings: another type has no element, and so none that differs.
    if !was_negated || positive.property.explicit.is_some_and(|explicit| explicit != ValueType::String) {
        return Ok(holds);
    }
    positive.operation = Operation::IsNull { negated: true };
    Ok(Condition::All(vec![condition(&positive, &elements)?, Condition::Not(Box::new(holds))]))
}

fn by_literal(comparison: &Comparison, number: &Target, other: &Target) -> Result<Condition, FilterError> {
    match comparison.property.explicit {
        Some(ValueType::Int | ValueType::Double) => return condition(comparison, number),
        Some(ValueType::String | ValueType::Bool) => return condition(comparison, other),
        None => {}
    }
    let part = |operation| Comparison { operation, ..comparison.clone() };
    match &comparison.operation {
        Operation::Between { low, high, .. } if low.value.is_number() != high.value.is_number() => {
            Err(mixed_bounds(high))
        }
        Operation::Between { low: literal, .. } | Operation::Compare { literal, .. } if literal.value.is_number() => {
            condition(comparison, number)
        }
        Operation::IsNan { .. } => condition(comparison, number),
        Operation::Compare { .. } | Operation::Between { .. } | Operation::Like { .. } => condition(comparison, other),
        Operation::IsNull { negated } => {
            let present = part(Operation::IsNull { negated: true });
            let either = Condition::Any(vec![condition(&present, number)?, condition(&present, other)?]);
            Ok(if *negated { either } else { Condition::Not(Box::new(either)) })
        }
        Operation::In { negated, list } => {
            let (numbers, others): (Vec<_>, Vec<_>) = list.iter().cloned().partition(|one| one.value.is_number());
            let mut parts = Vec::new();
            for (target, elements) in [(number, numbers), (other, others)] {
                if !elements.is_empty() || list.is_empty() {
                    parts.push(condition(&part(Operation::In { negated: *negated, list: elements }), target)?);
                }
            }
            Ok(Condition::Any(parts))
        }
    }
}

fn test(comparison: &Comparison, required: Option<ValueType>) -> Result<Test, FilterError> {
    let property = &comparison.property;
    match &comparison.operation {
        Operation::Compare { comparator, literal } => compare(property, *comparator, literal, required),
        Operation::Between { negated, low, high } => between(property, *negated, [low, high], required),
        Operation::In { negated, list } => membership(property, *negated, list, required),
        Operation::Like { negated, ignore_case, pattern, position } => {
            if let Some(other @ (ValueType::Int | ValueType::Double | ValueType::Bool)) = required {
                let message = format!("LIKE compares strings, but {} holds {}", quoted(&property.name), plural(other));
                return Err(FilterError::new(comparison.position, message));
            }
            let pattern = Pattern::new(pattern, *ignore_case, *position)?;
            Ok(Test::Like { negated: *negated, ignore_case: *ignore_case, pattern })
        }
        Operation::IsNull { .. } => Ok(Test::Present(required)),
        Operation::IsNan { negated } => nan(comparison, *negated, required),
    }
}

fn compare(
    property: &Property,
    comparator: Comparator,
    literal: &Literal,
    required: Option<ValueType>,
) -> Result<Test, FilterError> {
    let is_order = !matches!(comparator, Comparator::Equal | Comparator::NotEqual);
    match fitted(property, literal, required)? {
        Value::Bool(_) if is_order => {
            let message = format!("a boolean cannot be compared with `{}`", comparator.symbol());
            Err(FilterError::new(literal.position, message).with_hint("compare booleans with = or !="))
        }
        Value::Int(value) if required.is_none() => Ok(Test::Any(vec![
            Test::Compare(comparator, Value::Int(value)),
            doubles_against(comparator, to_double(value)),
        ])),
        Value::Double(value) if required.is_none() => {
            Ok(either(integers_against(comparator, value), doubles_against(comparator, value)))
        }
        Value::Double(value) if required == Some(ValueType::Int) => Ok(integers_against(comparator, value)),
        Value::Double(value) => Ok(doubles_against(comparator, value)),
        value => Ok(Test::Compare(comparator, value)),
    }
}

/// NaN is unequal to every number.
fn doubles_against(comparator: Comparator, value: f64) -> Test {
    let compared = Test::Compare(comparator, Value::Double(value));
    if comparator == Comparator::NotEqual { Test::Any(vec![compared, Test::Nan]) } else { compared }
}

fn nan(comparison: &Comparison, negated: bool, required: Option<ValueType>) -> Result<Test, FilterError> {
    let number = Test::Compare(Comparator::LessOrEqual, Value::Double(f64::INFINITY));
    Ok(match (required, negated) {
        (Some(other @ (ValueType::String | ValueType::Bool)), _) => return Err(no_numbers(comparison, other)),
        (Some(ValueType::Int), false) => Test::Never,
        (Some(ValueType::Int), true) => Test::Present(Some(ValueType::Int)),
        (Some(ValueType::Double) | None, false) => Test::Nan,
        (Some(ValueType::Double), true) => number,
        (None, true) => Test::Any(vec![Test::Present(Some(ValueType::Int)), number]),
    })
}

/// IS NAN of a property that has no numbers.
pub(super) fn no_numbers(comparison: &Comparison, found: ValueType) -> FilterError {
    let name = quoted(&comparison.property.name);
    FilterError::new(comparison.position, format!("IS NAN tests numbers, but {name} holds {}", plural(found)))
}

fn between(
    property: &Property,
    negated: bool,
    [low, high]: [&Literal; 2],
    required: Option<ValueType>,
) -> Result<Test, FilterError> {
    if low.value.is_number() != high.value.is_number() && required.is_none() {
        return Err(mixed_bounds(high));
    }
    let (at_low, at_high) = if negated {
        (Comparator::Less, Comparator::Greater)
    } else {
        (Comparator::GreaterOrEqual, Comparator::LessOrEqual)
    };
    let both = |compared| {
        let mut tests = vec![compare(property, at_low, low, compared)?, compare(property, at_high, high, compared)?];
        if negated && compared == Some(ValueType::Double) {
            // It is in no range.
            tests.push(Test::Nan);
        }
        Ok(if negated { Test::Any(tests) } else { Test::All(tests) })
    };
    // Both bounds are compared with the same value, so both comparisons must be of one type.
    match (required, &low.value, &high.value) {
        (None, Value::Int(_) | Value::Double(_), _) => {
            Ok(Test::Any(vec![both(Some(ValueType::Int))?, both(Some(ValueType::Double))?]))
        }
        _ => both(required),
    }
}

fn membership(
    property: &Property,
    negated: bool,
    elements: &[Literal],
    required: Option<ValueType>,
) -> Result<Test, FilterError> {
    let (mut strings, mut integers, mut doubles, mut booleans) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut no_integer_equals = false;
    for literal in elements {
        match fitted(property, literal, required)? {
            Value::String(value) => strings.push(Value::String(value)),
            Value::Bool(value) => booleans.push(Value::Bool(value)),
            Value::Int(value) => {
                if required.is_none() {
                    doubles.push(Value::Double(to_double(value)));
                }
                integers.push(Value::Int(value));
            }
            Value::Double(value) => {
                if required != Some(ValueType::Double) {
                    match integers_against(Comparator::Equal, value) {
                        Test::Compare(_, value) => integers.push(value),
                        _ => no_integer_equals = true,
                    }
                }
                if required != Some(ValueType::Int) {
                    doubles.push(Value::Double(value));
                }
            }
        }
    }
    // NOT IN (0.5) is true for every integer, and there is none to exclude.
    let every_integer = negated && no_integer_equals && integers.is_empty() && required.is_none();
    let has_doubles = !doubles.is_empty();
    let mut by_type: Vec<Test> = [strings, integers, doubles, booleans]
        .into_iter()
        .filter(|values| !values.is_empty())
        .map(|values| Test::In { negated, values })
        .collect();
    if negated && has_doubles {
        by_type.push(Test::Nan);
    }
    if every_integer {
        by_type.push(Test::Present(Some(ValueType::Int)));
    }
    Ok(match by_type.len() {
        0 if negated => Test::Present(required),
        0 => Test::Never,
        1 => by_type.remove(0),
        _ => Test::Any(by_type),
    })
}

/// Converts the literal to the required type. A double stays a double where integers are required, so that it compares exactly.
fn fitted(property: &Property, literal: &Literal, required: Option<ValueType>) -> Result<Value, FilterError> {
    let Some(required) = required else {
        return Ok(literal.value.clone());
    };
    match (required, &literal.value) {
        (ValueType::String, Value::String(_)) | (ValueType::Bool, Value::Bool(_)) => Ok(literal.value.clone()),
        (ValueType::Int, Value::Int(_) | Value::Double(_)) | (ValueType::Double, Value::Double(_)) => {
            Ok(literal.value.clone())
        }
        (ValueType::Double, Value::Int(value)) => Ok(Value::Double(to_double(*value))),
        (ValueType::Int | ValueType::Double, Value::String(string)) => match (number(string), required) {
            (Some(TokenKind::Int(value)), ValueType::Int) => Ok(Value::Int(value)),
            (Some(TokenKind::Int(value)), _) => Ok(Value::Double(to_double(value))),
            (Some(TokenKind::Double(value)), _) => Ok(Value::Double(value)),
            _ => Err(misfit(property, literal, required)),
        },
        _ => Err(misfit(property, literal, required)),
    }
}

fn mixed_bounds(high: &Literal) -> FilterError {
    FilterError::new(high.position, "the bounds of BETWEEN have different types")
        .with_hint("write two numbers or two strings")
}

pub(super) fn misfit(property: &Property, literal: &Literal, required: ValueType) -> FilterError {
    let found = match &literal.value {
        Value::String(string) => format!("the string {}", quoted(string)),
        Value::Int(value) => format!("the number `{value}`"),
        Value::Double(value) => format!("the number `{value:?}`"),
        Value::Bool(value) => format!("the boolean `{value}`"),
    };
    let message = format!("{} holds {} and cannot be compared with {found}", quoted(&property.name), plural(required));
    let error = FilterError::new(literal.position, message);
    match required {
        ValueType::String => error.with_hint(format!("quote strings, e.g. \"{}\"", literal.value)),
        ValueType::Bool => error.with_hint("write true or false without quotes"),
        ValueType::Int | ValueType::Double => error,
    }
}

fn plural(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "strings",
        ValueType::Int => "integers",
        ValueType::Double => "numbers",
        ValueType::Bool => "booleans",
    }
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the nearest double is intended")]
fn to_double(value: i64) -> f64 {
    value as f64
}

fn either(one: Test, other: Test) -> Test {
    if matches!(one, Test::Never) { other } else { Test::Any(vec![one, other]) }
}

/// Expresses the comparison of integers with a double by integers only, because databases disagree about integers that a
/// double cannot represent.
fn integers_against(comparator: Comparator, value: f64) -> Test {
    /// 2^63, the first double above every integer; its negative is the least integer.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let every = Test::Present(Some(ValueType::Int));
    if !(-LIMIT..LIMIT).contains(&value) {
        let is_above = value > 0.0;
        return match comparator {
            Comparator::NotEqual => every,
            Comparator::Less | Comparator::LessOrEqual if is_above => every,
            Comparator::Greater | Comparator::GreaterOrEqual if !is_above => every,
            _ => Test::Never,
        };
    }
    #[expect(clippy::cast_possible_truncation, reason = "within the limits, and whole")]
    let floor = value.floor() as i64;
    let is_whole = value.fract() == 0.0;
    match comparator {
        Comparator::Equal if !is_whole => Test::Never,
        Comparator::NotEqual if !is_whole => every,
        Comparator::Less if !is_whole => Test::Compare(Comparator::LessOrEqual, Value::Int(floor)),
        Comparator::GreaterOrEqual if !is_whole => Test::Compare(Comparator::Greater, Value::Int(floor)),
        _ => Test::Compare(comparator, Value::Int(floor)),
    }
}

#[cfg(test)]
mod tests;
