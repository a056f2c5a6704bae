//! Comparisons of properties that have a fixed set of values.
//!
//! A comparison is rewritten to the values as they are stored, so that neither the database nor the evaluation in memory has to
//! know about case. A literal that is none of the values is an error: the comparison could only ever find nothing.

use super::error::{FilterError, quoted};
use super::pattern::Pattern;
use super::syntax::{Comparator, Comparison, Literal, Operation, Position, Value, ValueType};
use super::typing::{misfit, no_numbers};
use super::{Target, fold};

/// One of the values of an enumerated property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    pub name: &'static str,
    /// The number that is stored instead of the name.
    pub code: Option<i64>,
}

impl Member {
    /// Members that are stored under their names.
    pub fn named(names: &[&'static str]) -> Vec<Self> {
        names.iter().map(|name| Self { name, code: None }).collect()
    }

    fn stored(self) -> Value {
        self.code.map_or_else(|| Value::String(self.name.to_owned()), Value::Int)
    }
}

/// The member that a literal means: case does not matter.
pub(super) fn find(members: &[Member], name: &str) -> Option<Member> {
    members.iter().copied().find(|member| member.name.eq_ignore_ascii_case(name))
}

/// Rewrites a comparison with names of members to one with the stored values of members.
pub(super) fn rewritten(comparison: &Comparison, members: &[Member]) -> Result<Comparison, FilterError> {
    let member = |literal: &Literal| named_member(comparison, members, literal);
    let those = |holds: &dyn Fn(&Member) -> bool| members.iter().copied().filter(holds).collect::<Vec<_>>();
    let among = |negated, found: Vec<Member>| Operation::In {
        negated,
        list: found.into_iter().map(|member| literal(member, comparison.position)).collect(),
    };
    let operation = match &comparison.operation {
        Operation::Compare { comparator: comparator @ (Comparator::Equal | Comparator::NotEqual), literal: name } => {
            Operation::Compare { comparator: *comparator, literal: literal(member(name)?, name.position) }
        }
        Operation::Compare { comparator, literal } => {
            let bound = member(literal)?.name;
            among(false, those(&|member| comparator.allows(member.name.cmp(bound))))
        }
        Operation::Between { negated, low, high } => {
            let (low, high) = (member(low)?.name, member(high)?.name);
            among(*negated, those(&|member| (low..=high).contains(&member.name)))
        }
        Operation::In { negated, list } => {
            among(*negated, list.iter().map(member).collect::<Result<Vec<_>, FilterError>>()?)
        }
        Operation::Like { negated, pattern, position, .. } => {
            let compiled = Pattern::new(pattern, true, *position)?;
            let found = those(&|member| compiled.matches(&fold(member.name)));
            if found.is_empty() {
                return Err(unknown(comparison, members, *position, &format!("none matches {}", quoted(pattern))));
            }
            among(*negated, found)
        }
        Operation::IsNull { negated } => Operation::IsNull { negated: *negated },
        Operation::IsNan { .. } => return Err(no_numbers(comparison, ValueType::String)),
    };
    let mut property = comparison.property.clone();
    property.explicit = None;
    Ok(Comparison { property, operation, position: comparison.position })
}

/// The same target, declared to hold strings: what a suffix for another type than strings is checked against.
pub(super) fn as_strings(target: &Target) -> Target {
    let mut target = target.clone();
    match &mut target {
        Target::Column { value, .. } => *value = ValueType::String,
        Target::Property { value, .. } => *value = Some(ValueType::String),
        _ => {}
    }
    target
}

fn literal(member: Member, position: Position) -> Literal {
    Literal { value: member.stored(), position }
}

fn named_member(comparison: &Comparison, members: &[Member], literal: &Literal) -> Result<Member, FilterError> {
    let Value::String(name) = &literal.value else {
        return Err(misfit(&comparison.property, literal, ValueType::String));
    };
    find(members, name)
        .ok_or_else(|| unknown(comparison, members, literal.position, &format!("{} is not one of them", quoted(name))))
}

fn unknown(comparison: &Comparison, members: &[Member], position: Position, mistake: &str) -> FilterError {
    let names: Vec<&str> = members.iter().map(|member| member.name).collect();
    let message = format!("the values of {} are {}; {mistake}", quoted(&comparison.property.name), names.join(", "));
    FilterError::new(position, message)
}
