//! Types: decides for each comparison which stored values it looks at and whether its literals fit them.
//!
//! What comes out asks only for comparisons between values of one type, so that no database has to convert anything.

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
    /// One related row satisfies this.
    Related(Box<Condition>),
}

/// Whose values are tested.
pub enum Subject {
    Column { name: &'static str, folded: Option<&'static str> },
    Property { name: String, built_in_only: bool },
}

/// A test of one stored value. Each names the type it looks at; a value of another type never passes.
pub enum Test {
    Never,
    /// There is a value, of this type when one is given.
    Present(Option<ValueType>),
    Compare(Comparator, Value),
    /// The values are of one type, at least one.
    In {
        negated: bool,
        values: Vec<Value>,
    },
    Like {
        negated: bool,
        ignore_case: bool,
        pattern: Pattern,
    },
    Any(Vec<Test>),
    All(Vec<Test>),
}

impl Test {
    /// The text that the value has to equal, if that is all the test asks.
    pub fn equal_string(&self) -> Option<&str> {
        match self {
            Self::Compare(Comparator::Equal, Value::String(text)) => Some(text),
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

/// The members of one AND; what they say about related rows, they say about one row.
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
        Target::ByLiteral { number, text } => return by_literal(comparison, number, text),
        Target::List { name } => return list(comparison, name),
        Target::Related(target) => return Ok(Condition::Related(Box::new(condition(comparison, target)?))),
        Target::Column { name, value, folded } => (Subject::Column { name, folded: *folded }, Some(*value)),
        Target::Property { name, built_in_only, value } => {
            (Subject::Property { name: name.clone(), built_in_only: *built_in_only }, *value)
        }
    };
    let wanted = looked_at(comparison, declared);
    if let Some(declared) = declared
        && wanted.is_some_and(|wanted| wanted != declared)
    {
        return no_value(comparison, subject, wanted);
    }
    if let Operation::IsNull { negated } = comparison.operation {
        // An undeclared property holds whatever it was given; only an ending narrows that.
        let narrowed = if declared.is_none() { comparison.property.explicit } else { None };
        let present = Condition::Holds { subject, test: Test::Present(narrowed) };
        return Ok(if negated { present } else { Condition::Not(Box::new(present)) });
    }
    let test = test(comparison, wanted)?;
    Ok(Condition::Holds { subject, test })
}

/// What a comparison says that asks for values of a type which the property never has: literals have to fit all the same.
fn no_value(comparison: &Comparison, subject: Subject, wanted: Option<ValueType>) -> Result<Condition, FilterError> {
    let none = Condition::Holds { subject, test: Test::Never };
    if let Operation::IsNull { negated } = comparison.operation {
        return Ok(if negated { none } else { Condition::Not(Box::new(none)) });
    }
    test(comparison, wanted)?;
    Ok(none)
}

/// The type of the values to look at; `None` where the literal decides. Where it is not the declared one, there are none.
fn looked_at(comparison: &Comparison, declared: Option<ValueType>) -> Option<ValueType> {
    let (declared, explicit) = match (declared, comparison.property.explicit) {
        (None, explicit) => return explicit,
        (Some(declared), None) => return Some(declared),
        (Some(declared), Some(explicit)) => (declared, explicit),
    };
    let is_number = matches!(declared, ValueType::Int | ValueType::Double);
    // parity: the reference stores some numbers as text, and clients write `timestamp.string_value = "170"`
    // (registry-server 3.4).
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
        Operation::Compare { .. } | Operation::IsNull { .. } => false,
    };
    let holds = condition(&positive, &elements)?;
    // What is no text is no element, so that there is nothing to be different either.
    if !was_negated || positive.property.explicit.is_some_and(|explicit| explicit != ValueType::String) {
        return Ok(holds);
    }
    positive.operation = Operation::IsNull { negated: true };
    Ok(Condition::All(vec![condition(&positive, &elements)?, Condition::Not(Box::new(holds))]))
}

fn by_literal(comparison: &Comparison, number: &Target, text: &Target) -> Result<Condition, FilterError> {
    match comparison.property.explicit {
        Some(ValueType::Int | ValueType::Double) => return condition(comparison, number),
        Some(ValueType::String | ValueType::Bool) => return condition(comparison, text),
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
        Operation::Compare { .. } | Operation::Between { .. } | Operation::Like { .. } => condition(comparison, text),
        Operation::IsNull { negated } => {
            let present = part(Operation::IsNull { negated: true });
            let either = Condition::Any(vec![condition(&present, number)?, condition(&present, text)?]);
            Ok(if *negated { either } else { Condition::Not(Box::new(either)) })
        }
        Operation::In { negated, list } => {
            let (numbers, texts): (Vec<_>, Vec<_>) = list.iter().cloned().partition(|one| one.value.is_number());
            let mut parts = Vec::new();
            for (target, elements) in [(number, numbers), (text, texts)] {
                if !elements.is_empty() || list.is_empty() {
                    parts.push(condition(&part(Operation::In { negated: *negated, list: elements }), target)?);
                }
            }
            Ok(Condition::Any(parts))
        }
    }
}

fn test(comparison: &Comparison, wanted: Option<ValueType>) -> Result<Test, FilterError> {
    let property = &comparison.property;
    match &comparison.operation {
        Operation::Compare { comparator, literal } => compare(property, *comparator, literal, wanted),
        Operation::Between { negated, low, high } => between(property, *negated, [low, high], wanted),
        Operation::In { negated, list } => membership(property, *negated, list, wanted),
        Operation::Like { negated, ignore_case, pattern, position } => {
            if let Some(other @ (ValueType::Int | ValueType::Double | ValueType::Bool)) = wanted {
                let message = format!("LIKE compares texts, but {} holds {}", quoted(&property.name), plural(other));
                return Err(FilterError::new(comparison.position, message));
            }
            let pattern = Pattern::new(pattern, *ignore_case, *position)?;
            Ok(Test::Like { negated: *negated, ignore_case: *ignore_case, pattern })
        }
        Operation::IsNull { .. } => Ok(Test::Present(wanted)),
    }
}

fn compare(
    property: &Property,
    comparator: Comparator,
    literal: &Literal,
    wanted: Option<ValueType>,
) -> Result<Test, FilterError> {
    let is_order = !matches!(comparator, Comparator::Equal | Comparator::NotEqual);
    match fitted(property, literal, wanted)? {
        Value::Bool(_) if is_order => {
            let message = format!("a boolean cannot be compared with `{}`", comparator.symbol());
            Err(FilterError::new(literal.position, message).with_hint("use = or !="))
        }
        Value::Int(value) if wanted.is_none() => Ok(Test::Any(vec![
            Test::Compare(comparator, Value::Int(value)),
            Test::Compare(comparator, Value::Double(to_double(value))),
        ])),
        Value::Double(value) if wanted == Some(ValueType::Int) => Ok(integers_against(comparator, value)),
        value => Ok(Test::Compare(comparator, value)),
    }
}

fn between(
    property: &Property,
    negated: bool,
    [low, high]: [&Literal; 2],
    wanted: Option<ValueType>,
) -> Result<Test, FilterError> {
    if low.value.is_number() != high.value.is_number() && wanted.is_none() {
        return Err(mixed_bounds(high));
    }
    let (at_low, at_high) = if negated {
        (Comparator::Less, Comparator::Greater)
    } else {
        (Comparator::GreaterOrEqual, Comparator::LessOrEqual)
    };
    let both = |looked_at| {
        let tests = vec![compare(property, at_low, low, looked_at)?, compare(property, at_high, high, looked_at)?];
        Ok(if negated { Test::Any(tests) } else { Test::All(tests) })
    };
    // Both bounds ask one and the same value, so its type has to be settled before they are compared.
    match (wanted, &low.value, &high.value) {
        (None, Value::Int(_), Value::Int(_)) => {
            Ok(Test::Any(vec![both(Some(ValueType::Int))?, both(Some(ValueType::Double))?]))
        }
        (None, Value::Int(_) | Value::Double(_), _) => both(Some(ValueType::Double)),
        _ => both(wanted),
    }
}

fn membership(
    property: &Property,
    negated: bool,
    elements: &[Literal],
    wanted: Option<ValueType>,
) -> Result<Test, FilterError> {
    let (mut texts, mut integers, mut doubles, mut booleans) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for literal in elements {
        match fitted(property, literal, wanted)? {
            Value::String(value) => texts.push(Value::String(value)),
            Value::Bool(value) => booleans.push(Value::Bool(value)),
            Value::Int(value) => {
                if wanted.is_none() {
                    doubles.push(Value::Double(to_double(value)));
                }
                integers.push(Value::Int(value));
            }
            Value::Double(value) if wanted == Some(ValueType::Int) => {
                if let Test::Compare(_, value) = integers_against(Comparator::Equal, value) {
                    integers.push(value);
                }
            }
            Value::Double(value) => doubles.push(Value::Double(value)),
        }
    }
    let mut by_type: Vec<Test> = [texts, integers, doubles, booleans]
        .into_iter()
        .filter(|values| !values.is_empty())
        .map(|values| Test::In { negated, values })
        .collect();
    Ok(match by_type.len() {
        0 if negated => Test::Present(wanted),
        0 => Test::Never,
        1 => by_type.remove(0),
        _ => Test::Any(by_type),
    })
}

/// The literal as a value of the wanted type; a number for integers may stay a double, so that it compares exactly.
fn fitted(property: &Property, literal: &Literal, wanted: Option<ValueType>) -> Result<Value, FilterError> {
    let Some(wanted) = wanted else {
        return Ok(literal.value.clone());
    };
    match (wanted, &literal.value) {
        (ValueType::String, Value::String(_)) | (ValueType::Bool, Value::Bool(_)) => Ok(literal.value.clone()),
        (ValueType::Int, Value::Int(_) | Value::Double(_)) | (ValueType::Double, Value::Double(_)) => {
            Ok(literal.value.clone())
        }
        (ValueType::Double, Value::Int(value)) => Ok(Value::Double(to_double(*value))),
        (ValueType::Int | ValueType::Double, Value::String(text)) => match (number(text), wanted) {
            (Some(TokenKind::Int(value)), ValueType::Int) => Ok(Value::Int(value)),
            (Some(TokenKind::Int(value)), _) => Ok(Value::Double(to_double(value))),
            (Some(TokenKind::Double(value)), _) => Ok(Value::Double(value)),
            _ => Err(misfit(property, literal, wanted)),
        },
        _ => Err(misfit(property, literal, wanted)),
    }
}

fn mixed_bounds(high: &Literal) -> FilterError {
    FilterError::new(high.position, "the bounds of BETWEEN are not of one type")
        .with_hint("write two numbers or two texts")
}

fn misfit(property: &Property, literal: &Literal, wanted: ValueType) -> FilterError {
    let found = match &literal.value {
        Value::String(text) => format!("the text {}", quoted(text)),
        Value::Int(value) => format!("the number `{value}`"),
        Value::Double(value) => format!("the number `{value:?}`"),
        Value::Bool(value) => format!("the boolean `{value}`"),
    };
    let message = format!("{} holds {} and cannot be compared with {found}", quoted(&property.name), plural(wanted));
    let error = FilterError::new(literal.position, message);
    match wanted {
        ValueType::String => error.with_hint(format!("texts are quoted, e.g. \"{}\"", literal.value)),
        ValueType::Bool => error.with_hint("booleans are true and false, without quotes"),
        ValueType::Int | ValueType::Double => error,
    }
}

fn plural(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::String => "texts",
        ValueType::Int => "integers",
        ValueType::Double => "numbers",
        ValueType::Bool => "booleans",
    }
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 the nearest double is meant")]
fn to_double(value: i64) -> f64 {
    value as f64
}

/// Integers compared with a double, said with integers: databases disagree on integers a double cannot hold.
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
