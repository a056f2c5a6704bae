//! The syntax tree and its canonical printed form.

use std::cmp::Ordering;
use std::fmt;

use super::lexer;
use super::parser::Keyword;

/// A parsed filter. `And` and `Or` have at least two members.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    Comparison(Comparison),
}

/// A comparison of one property.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub property: Property,
    pub operation: Operation,
    pub position: Position,
}

/// A property as written in the filter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Without the type suffix.
    pub name: String,
    /// The type suffix.
    pub explicit: Option<ValueType>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    Compare { comparator: Comparator, literal: Literal },
    Like { negated: bool, ignore_case: bool, pattern: String, position: Position },
    In { negated: bool, list: Vec<Literal> },
    Between { negated: bool, low: Literal, high: Literal },
    IsNull { negated: bool },
    IsNan { negated: bool },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    pub value: Value,
    pub position: Position,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    String(String),
    Int(i64),
    Double(f64),
    Bool(bool),
}

/// The type of a stored value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    String,
    Int,
    Double,
    Bool,
}

/// A place in the filter: line and column from 1, columns in characters.
///
/// All positions compare equal, so that equal filters are equal however they are laid out.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

impl Default for Position {
    fn default() -> Self {
        Self { line: 1, column: 1 }
    }
}

impl PartialEq for Position {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Position {}

impl Expression {
    /// The comparisons from left to right.
    pub fn comparisons(&self) -> Vec<&Comparison> {
        match self {
            Self::Or(members) | Self::And(members) => members.iter().flat_map(Self::comparisons).collect(),
            Self::Not(inner) => inner.comparisons(),
            Self::Comparison(comparison) => vec![comparison],
        }
    }
}

impl Comparator {
    /// Whether the comparison is true for a stored value that has this order relative to the literal.
    pub(super) fn allows(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
        }
    }

    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

impl Value {
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::String(_) => ValueType::String,
            Self::Int(_) => ValueType::Int,
            Self::Double(_) => ValueType::Double,
            Self::Bool(_) => ValueType::Bool,
        }
    }

    pub(super) fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::Double(_))
    }
}

impl ValueType {
    const ALL: [Self; 4] = [Self::String, Self::Int, Self::Double, Self::Bool];

    /// The suffix of a property name that selects values of this type, as in `accuracy.double_value`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::String => "string_value",
            Self::Int => "int_value",
            Self::Double => "double_value",
            Self::Bool => "bool_value",
        }
    }

    pub(super) fn from_suffix(suffix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|value_type| value_type.suffix() == suffix)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(members) => joined(formatter, members, " OR ", |member| matches!(member, Self::Or(_))),
            Self::And(members) => {
                joined(formatter, members, " AND ", |member| matches!(member, Self::Or(_) | Self::And(_)))
            }
            Self::Not(inner) if matches!(**inner, Self::Or(_) | Self::And(_)) => write!(formatter, "NOT ({inner})"),
            Self::Not(inner) => write!(formatter, "NOT {inner}"),
            Self::Comparison(comparison) => write!(formatter, "{comparison}"),
        }
    }
}

fn joined(
    formatter: &mut fmt::Formatter<'_>,
    members: &[Expression],
    connector: &str,
    needs_parentheses: impl Fn(&Expression) -> bool,
) -> fmt::Result {
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            formatter.write_str(connector)?;
        }
        if needs_parentheses(member) {
            write!(formatter, "({member})")?;
        } else {
            write!(formatter, "{member}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ", self.property)?;
        let not = |negated: bool| if negated { "NOT " } else { "" };
        match &self.operation {
            Operation::Compare { comparator, literal } => {
                write!(formatter, "{} {}", comparator.symbol(), literal.value)
            }
            Operation::Like { negated, ignore_case, pattern, .. } => {
                let like = if *ignore_case { "ILIKE" } else { "LIKE" };
                write!(formatter, "{}{like} {}", not(*negated), Value::String(pattern.clone()))
            }
            Operation::In { negated, list } => {
                write!(formatter, "{}IN (", not(*negated))?;
                for (index, literal) in list.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(formatter, "{separator}{}", literal.value)?;
                }
                formatter.write_str(")")
            }
            Operation::Between { negated, low, high } => {
                write!(formatter, "{}BETWEEN {} AND {}", not(*negated), low.value, high.value)
            }
            Operation::IsNull { negated } => write!(formatter, "IS {}NULL", not(*negated)),
            Operation::IsNan { negated } => write!(formatter, "IS {}NAN", not(*negated)),
        }
    }
}

impl fmt::Display for Property {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let suffix = |formatter: &mut fmt::Formatter<'_>| match self.explicit {
            Some(value_type) => write!(formatter, ".{}", value_type.suffix()),
            None => Ok(()),
        };
        let own_suffix = match self.name.rsplit_once('.') {
            Some((head, last)) if self.explicit.is_none() && ValueType::from_suffix(last).is_some() => Some(head.len()),
            _ => None,
        };
        let plain = self.name.split('.').all(|part| lexer::is_word(part) && Keyword::from_word(part).is_none());
        if plain && own_suffix.is_none() {
            formatter.write_str(&self.name)?;
            return suffix(formatter);
        }
        formatter.write_str("`")?;
        for (index, character) in self.name.char_indices() {
            match character {
                '`' | '\\' => write!(formatter, "\\{character}")?,
                '.' if own_suffix == Some(index) => formatter.write_str("\\.")?,
                _ => write!(formatter, "{character}")?,
            }
        }
        suffix(formatter)?;
        formatter.write_str("`")
    }
}

impl fmt::Display for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::String(string) => write!(formatter, "'{}'", string.replace('\\', "\\\\").replace('\'', "''")),
            Self::Int(value) => write!(formatter, "{value}"),
            Self::Double(value) if value.is_infinite() => {
                write!(formatter, "{}{}", if *value < 0.0 { "-" } else { "" }, lexer::INFINITY)
            }
            // Debug prints the point or exponent that makes it a FLOAT.
            Self::Double(value) => write!(formatter, "{value:?}"),
            Self::Bool(value) => write!(formatter, "{value}"),
        }
    }
}
