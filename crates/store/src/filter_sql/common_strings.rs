//! Finds what every match of a filter has in common: texts that a list can be walked along.

use model_registry_filter::{Comparator, Condition, Expression, FilterError, Resolve, Subject, Test, check};

/// A text that a property of every match has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Equality {
    pub(crate) property: String,
    pub(crate) text: String,
}

/// The texts that the filter asks of every match; none where a column of the outer table leads to the matches sooner.
pub(crate) fn walkable(expression: &Expression, resolve: Resolve<'_>) -> Result<Vec<Equality>, FilterError> {
    let condition = check(expression, resolve)?;
    let mut found = Vec::new();
    if required(&condition, &mut found) { Ok(found) } else { Ok(Vec::new()) }
}

/// Collects from what is joined by AND; false when a column is compared with one value.
fn required(condition: &Condition, found: &mut Vec<Equality>) -> bool {
    match condition {
        Condition::All(members) => members.iter().all(|member| required(member, found)),
        Condition::Holds {
            subject: Subject::Column { .. },
            test: Test::Compare(Comparator::Equal, _) | Test::In { negated: false, .. },
        } => false,
        Condition::Holds { subject: Subject::Property { name, .. }, test } => {
            let equality = test.equal_string().map(|text| Equality { property: name.clone(), text: text.to_owned() });
            if let Some(equality) = equality
                && !found.contains(&equality)
            {
                found.push(equality);
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

    fn found(text: &str) -> Vec<(String, String)> {
        let expression = parse(text).unwrap().unwrap();
        let found = walkable(&expression, &sample_target).unwrap();
        found.into_iter().map(|equality| (equality.property, equality.text)).collect()
    }

    #[test]
    fn only_what_every_match_has_is_walked() {
        let pair = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        assert_eq!(found("x = 'a'"), [pair("x", "a")]);
        assert_eq!(found("x = 'a' AND (y = 'b' AND z > 1) AND x = 'a'"), [pair("x", "a"), pair("y", "b")]);
        assert_eq!(found("x = 'a' OR y = 'b'"), []);
        assert_eq!(found("NOT x = 'a' AND y != 'b' AND z LIKE 'c' AND v IN ('d') AND w = 1"), []);
        assert_eq!(found("x = 'a' AND (y = 'b' OR z = 'c')"), [pair("x", "a")]);
    }

    #[test]
    fn a_column_of_one_value_leads_sooner() {
        assert_eq!(found("x = 'a' AND name = 'n'"), []);
        assert_eq!(found("x = 'a' AND parent_id IN (1, 2)"), []);
        assert_eq!(found("x = 'a' AND name LIKE 'n%' AND parent_id > 3"), [("x".to_owned(), "a".to_owned())]);
    }
}
