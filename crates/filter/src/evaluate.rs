//! Reference evaluator for tests: decides without a database which entities pass a filter.
//!
//! It shares the parser and the type errors with the SQL compiler, but not the way comparisons are carried out. It is
//! written to be obviously right, not fast.

pub mod strategies;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::enumeration::{Member, find};
use super::error::FilterError;
use super::syntax::{Comparator, Comparison, Expression, Literal, Operation, Value, ValueType};
use super::typing::check;
use super::{Resolve, Target, fold, lexer};

/// An entity as a filter sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entity {
    /// The columns of the outer table that are not NULL.
    pub columns: BTreeMap<&'static str, Value>,
    pub properties: Vec<Property>,
}

/// One row of `property`.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    pub name: String,
    pub custom: bool,
    /// `None` for an erased one.
    pub value: Option<Value>,
}

/// Whether the entity passes the filter.
pub fn evaluate(expression: &Expression, entity: &Entity, resolve: Resolve<'_>) -> Result<bool, FilterError> {
    check(expression, resolve)?;
    Ok(holds(expression, entity, resolve))
}

fn holds(expression: &Expression, entity: &Entity, resolve: Resolve<'_>) -> bool {
    match expression {
        Expression::Or(members) => members.iter().any(|member| holds(member, entity, resolve)),
        Expression::And(members) => members.iter().all(|member| holds(member, entity, resolve)),
        Expression::Not(inner) => !holds(inner, entity, resolve),
        Expression::Comparison(comparison) => {
            let target = resolve(&comparison.property.name);
            let satisfied = candidates(comparison, entity, &target)
                .iter()
                .any(|candidate| satisfies(candidate, &comparison.operation));
            match comparison.operation {
                Operation::IsNull { negated: false } => !satisfied,
                _ => satisfied,
            }
        }
    }
}

/// A stored value that a comparison concerns.
struct Candidate<'a> {
    value: &'a Value,
    /// The type is declared or given by a suffix; otherwise the literal decides.
    is_typed: bool,
    /// The values that the property may have, if they are a fixed set.
    members: &'a [Member],
    /// The literals that are compared with this value.
    literals: Literals,
}

#[derive(Clone, Copy, PartialEq)]
enum Literals {
    All,
    Numbers,
    Others,
}

fn candidates<'a>(comparison: &Comparison, entity: &'a Entity, target: &'a Target) -> Vec<Candidate<'a>> {
    let explicit = comparison.property.explicit;
    let candidate = |value, is_typed| Candidate { value, is_typed, members: &[], literals: Literals::All };
    match target {
        Target::Column { value: declared, .. } | Target::Property { value: Some(declared), .. }
            if explicit.is_some_and(|suffix| !selects(*declared, suffix)) =>
        {
            Vec::new()
        }
        Target::Column { name, .. } => {
            entity.columns.get(name).map(|value| candidate(value, true)).into_iter().collect()
        }
        Target::Property { name, built_in_only, value: declared } => entity
            .properties
            .iter()
            .filter(|property| property.name == *name && !(property.custom && *built_in_only))
            .filter_map(|property| property.value.as_ref())
            .filter(|value| declared.is_some() || explicit.is_none_or(|suffix| value.value_type() == suffix))
            .map(|value| candidate(value, declared.is_some() || explicit.is_some()))
            .collect(),
        Target::ByLiteral { number, other } => match explicit {
            Some(ValueType::Int | ValueType::Double) => candidates(comparison, entity, number),
            Some(ValueType::String | ValueType::Bool) => candidates(comparison, entity, other),
            None => [(number, Literals::Numbers), (other, Literals::Others)]
                .into_iter()
                .flat_map(|(target, literals)| {
                    candidates(comparison, entity, target).into_iter().map(move |one| Candidate { literals, ..one })
                })
                .collect(),
        },
        Target::Enumeration { members, target } => candidates(comparison, entity, target)
            .into_iter()
            .map(|candidate| Candidate { members, ..candidate })
            .collect(),
        // Only the catalog declares these, and its tests cover them; random filters have neither.
        Target::List { .. } | Target::Related(_) => Vec::new(),
    }
}

/// Whether a suffix selects values of the declared type; numbers may be given as strings.
fn selects(declared: ValueType, suffix: ValueType) -> bool {
    let is_number = matches!(declared, ValueType::Int | ValueType::Double);
    declared == suffix || (is_number && suffix != ValueType::Bool)
}

fn satisfies(candidate: &Candidate<'_>, operation: &Operation) -> bool {
    let order = |literal| candidate.order(literal);
    let is_nan = matches!(candidate.value, Value::Double(value) if value.is_nan());
    match operation {
        Operation::IsNull { .. } => true,
        Operation::IsNan { negated } => {
            matches!(candidate.value, Value::Int(_) | Value::Double(_))
                && candidate.literals != Literals::Others
                && is_nan != *negated
        }
        Operation::Compare { comparator, literal } if is_nan => {
            *comparator == Comparator::NotEqual && candidate.is_compared_as_number(literal)
        }
        Operation::Between { negated, low, high } if is_nan => {
            *negated && [low, high].into_iter().all(|literal| candidate.is_compared_as_number(literal))
        }
        Operation::In { negated, list } if is_nan => {
            *negated && (list.is_empty() || list.iter().any(|literal| candidate.is_compared_as_number(literal)))
        }
        Operation::Compare { comparator, literal } => order(literal).is_some_and(|order| comparator.allows(order)),
        Operation::Between { negated, low, high } => match (order(low), order(high)) {
            (Some(low), Some(high)) => (low.is_ge() && high.is_le()) != *negated,
            _ => false,
        },
        Operation::In { negated, list } if list.is_empty() => *negated,
        Operation::In { negated, list } => {
            let orders: Vec<Ordering> = list.iter().filter_map(order).collect();
            !orders.is_empty() && orders.iter().any(|order| order.is_eq()) != *negated
        }
        Operation::Like { negated, ignore_case, pattern, .. } => match candidate.value {
            Value::String(_) if candidate.literals == Literals::Numbers => false,
            Value::String(string) if !candidate.members.is_empty() => like(&fold(string), &fold(pattern)) != *negated,
            Value::String(string) if *ignore_case => like(&fold(string), &fold(pattern)) != *negated,
            Value::String(string) => like(string, pattern) != *negated,
            _ => false,
        },
    }
}

impl Candidate<'_> {
    /// Whether NaN is compared with the literal at all: what any other double in its place would be.
    fn is_compared_as_number(&self, literal: &Literal) -> bool {
        let zero = Value::Double(0.0);
        Candidate { value: &zero, ..*self }.order(literal).is_some()
    }

    /// The order of the value relative to the literal; `None` if the two are not compared.
    fn order(&self, literal: &Literal) -> Option<Ordering> {
        let is_compared = match self.literals {
            Literals::All => true,
            Literals::Numbers => literal.value.is_number(),
            Literals::Others => !literal.value.is_number(),
        };
        if !is_compared {
            return None;
        }
        match (self.value, &literal.value) {
            (Value::String(value), Value::String(literal)) => {
                let literal = find(self.members, literal).map_or(literal.as_str(), |member| member.name);
                Some(value.as_str().cmp(literal))
            }
            (Value::Bool(value), Value::Bool(literal)) => Some(value.cmp(literal)),
            (Value::Int(_) | Value::Double(_), Value::String(literal)) if self.is_typed => {
                let literal = match lexer::number(literal)? {
                    lexer::TokenKind::Int(number) => Value::Int(number),
                    lexer::TokenKind::Double(number) => Value::Double(number),
                    _ => return None,
                };
                number_order(self.value, &literal)
            }
            (value, literal) => number_order(value, literal),
        }
    }
}

fn number_order(value: &Value, literal: &Value) -> Option<Ordering> {
    #[expect(clippy::cast_precision_loss, reason = "the language defines that the literal is rounded")]
    match (value, literal) {
        (Value::Int(value), Value::Int(literal)) => Some(value.cmp(literal)),
        (Value::Double(value), Value::Double(literal)) => value.partial_cmp(literal),
        (Value::Double(value), Value::Int(literal)) => value.partial_cmp(&(*literal as f64)),
        (Value::Int(value), Value::Double(literal)) => Some(exact_order(*value, *literal)),
        _ => None,
    }
}

fn exact_order(value: i64, literal: f64) -> Ordering {
    if literal.is_infinite() {
        return 0.0_f64.total_cmp(&literal);
    }
    // Beyond the range of i128 the conversion saturates, which is still outside the range of i64.
    #[expect(clippy::cast_possible_truncation, reason = "saturation is intended")]
    let whole = literal.trunc() as i128;
    i128::from(value).cmp(&whole).then_with(|| 0.0.partial_cmp(&literal.fract()).unwrap_or(Ordering::Equal))
}

/// Matches by dynamic programming: `matched[n]` tells whether the pattern so far matches the first `n` characters.
fn like(string: &str, pattern: &str) -> bool {
    let string: Vec<char> = string.chars().collect();
    let mut matched: Vec<bool> = std::iter::once(true).chain(string.iter().map(|_| false)).collect();
    let mut pattern = pattern.chars().peekable();
    while let Some(character) = pattern.next() {
        if character == '%' {
            let first = matched.iter().position(|&is_match| is_match).unwrap_or(matched.len());
            matched = (0..matched.len()).map(|index| index >= first).collect();
            continue;
        }
        let literal = match character {
            '_' => None,
            '\\' => pattern.next(),
            other => Some(other),
        };
        let fits = |index: usize| matched[index] && literal.is_none_or(|literal| string[index] == literal);
        matched = std::iter::once(false).chain((0..string.len()).map(fits)).collect();
    }
    matched.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::tests::LIKES;

    #[test]
    fn like_handles_wildcards_and_escapes() {
        for (string, pattern, expected) in LIKES {
            assert_eq!(like(string, pattern), expected, "{string} LIKE {pattern}");
        }
    }

    #[test]
    fn integers_beyond_the_precision_of_doubles_compare_exactly() {
        assert_eq!(exact_order(9_007_199_254_740_993, 9_007_199_254_740_992.0), Ordering::Greater);
        assert_eq!(exact_order(i64::MAX, 9_223_372_036_854_775_808.0), Ordering::Less);
        assert_eq!(exact_order(-5, -5.5), Ordering::Greater);
        assert_eq!(exact_order(-6, -5.5), Ordering::Less);
        assert_eq!(exact_order(5, 1e300), Ordering::Less);
    }
}
