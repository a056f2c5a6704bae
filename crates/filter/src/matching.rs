//! Tests single values in memory.
//!
//! The result must be that of the SQL which the store compiles for the same test; tests of the catalog compare both.

use std::cmp::Ordering;

use super::fold;
use super::syntax::{Value, ValueType};
use super::typing::Test;

/// A stored value.
#[derive(Clone, Copy, Debug)]
pub enum StoredValue<'a> {
    String(&'a str),
    Int(i64),
    Double(f64),
    Bool(bool),
}

impl StoredValue<'_> {
    fn value_type(self) -> ValueType {
        match self {
            Self::String(_) => ValueType::String,
            Self::Int(_) => ValueType::Int,
            Self::Double(_) => ValueType::Double,
            Self::Bool(_) => ValueType::Bool,
        }
    }

    /// `None` for values of different types.
    fn compare(self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Self::String(stored), Value::String(other)) => Some(stored.cmp(other)),
            (Self::Int(stored), Value::Int(other)) => Some(stored.cmp(other)),
            (Self::Double(stored), Value::Double(other)) => stored.partial_cmp(other),
            (Self::Bool(stored), Value::Bool(other)) => Some(stored.cmp(other)),
            _ => None,
        }
    }
}

impl Test {
    /// Whether the value passes the test.
    pub fn passes(&self, stored: StoredValue<'_>) -> bool {
        match self {
            Self::Never => false,
            Self::Nan => matches!(stored, StoredValue::Double(value) if value.is_nan()),
            Self::Present(required) => required.is_none_or(|required| required == stored.value_type()),
            Self::Compare(comparator, value) => stored.compare(value).is_some_and(|order| comparator.allows(order)),
            Self::In { negated, values } => {
                !matches!(stored, StoredValue::Double(value) if value.is_nan())
                    && values.first().is_some_and(|first| first.value_type() == stored.value_type())
                    && values.iter().any(|value| stored.compare(value) == Some(Ordering::Equal)) != *negated
            }
            Self::Like { negated, ignore_case, pattern } => match stored {
                StoredValue::String(string) if *ignore_case => pattern.matches(&fold(string)) != *negated,
                StoredValue::String(string) => pattern.matches(string) != *negated,
                _ => false,
            },
            Self::Any(tests) => tests.iter().any(|test| test.passes(stored)),
            Self::All(tests) => tests.iter().all(|test| test.passes(stored)),
        }
    }
}
