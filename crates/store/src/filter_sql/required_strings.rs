//! The strings that every match of a filter has: an index scan can follow one of them.

use model_registry_filter::{Comparator, Condition, Expression, FilterError, Resolve, Subject, Test, check};

/// A string property that every match has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequiredString {
    pub(crate) property: String,
    pub(crate) value: String,
}

/// Returns the strings that the filter requires of every match; none if an equality with a column of the outer table finds
/// the matches faster.
pub(crate) fn required_strings(
    expression: &Expression,
    resolve: Resolve<'_>,
) -> Result<Vec<RequiredString>, FilterError> {
    let condition = check(expression, resolve)?;
    let mut found = Vec::new();
    if collect(&condition, &mut found) { Ok(found) } else { Ok(Vec::new()) }
}

/// Collects from members joined by AND; false if a column must have one of some values.
fn collect(condition: &Condition, found: &mut Vec<RequiredString>) -> bool {
    match condition {
        Condition::All(members) => members.iter().all(|member| collect(member, found)),
        Condition::Holds {
            subject: Subject::Column { .. },
            test: Test::Compare(Comparator::Equal, _) | Test::In { negated: false, .. },
        } => false,
        Condition::Holds { subject: Subject::Property { name, .. }, test } => {
            let required =
                test.equal_string().map(|value| RequiredString { property: name.clone(), value: value.to_owned() });
            if let Some(required) = required
                && !found.contains(&required)
            {
                found.push(required);
            }
            true
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use model_registry_filter::evaluate::strategies::sample_target;
    use model_registry_filter::parse;

    use super::*;

    fn found(filter: &str) -> Vec<(String, String)> {
        let expression = parse(filter).unwrap().unwrap();
        let found = required_strings(&expression, &sample_target).unwrap();
        found.into_iter().map(|required| (required.property, required.value)).collect()
    }

    #[test]
    fn only_equalities_of_every_match_are_required() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(found("x = 'a'"), [pair("x", "a")]);
        assert_eq!(found("x = 'a' AND (y = 'b' AND z > 1) AND x = 'a'"), [pair("x", "a"), pair("y", "b")]);
        assert_eq!(found("x = 'a' OR y = 'b'"), []);
        assert_eq!(found("NOT x = 'a' AND y != 'b' AND z LIKE 'c' AND v IN ('d') AND w = 1"), []);
        assert_eq!(found("x = 'a' AND (y = 'b' OR z = 'c')"), [pair("x", "a")]);
    }

    #[test]
    fn an_equality_with_a_column_takes_precedence() {
        assert_eq!(found("x = 'a' AND name = 'n'"), []);
        assert_eq!(found("x = 'a' AND parent_id IN (1, 2)"), []);
        assert_eq!(found("x = 'a' AND name LIKE 'n%' AND parent_id > 3"), [("x".to_owned(), "a".to_owned())]);
    }
}
