use proptest::prelude::*;

use crate::evaluate::strategies::any_expression;
use crate::test_seed::seeded;
use crate::{Operation, Value, ValueType, parse, parse_property};

/// The tree in its canonical printed form.
fn canonical(filter: &str) -> String {
    match parse(filter) {
        Ok(Some(expression)) => expression.to_string(),
        Ok(None) => String::new(),
        Err(error) => format!("invalid: {error}"),
    }
}

fn error(filter: &str) -> String {
    parse(filter).expect_err(filter).to_string()
}

#[test]
fn filters_are_parsed_according_to_the_grammar() {
    for (filter, expected) in [
        ("", ""),
        ("  \n\t ", ""),
        ("-- nothing but a comment", ""),
        ("name = \"m1\"", "name = 'm1'"),
        ("name='m1'", "name = 'm1'"),
        ("name = \"x\" -- note", "name = 'x'"),
        ("a = 1 -- first\n AND b = 2", "a = 1 AND b = 2"),
        ("a = 1 and b = 2 Or not c = 3", "a = 1 AND b = 2 OR NOT c = 3"),
        ("a = 1 OR b = 2 AND c = 3", "a = 1 OR b = 2 AND c = 3"),
        ("(a = 1 OR b = 2) AND c = 3", "(a = 1 OR b = 2) AND c = 3"),
        ("((a = 1))", "a = 1"),
        ("NOT (a = 1 AND b = 2)", "NOT (a = 1 AND b = 2)"),
        ("NOT NOT a = 1", "NOT NOT a = 1"),
        ("NOT(a=1)", "NOT a = 1"),
        ("stage <> 'development'", "stage != 'development'"),
        ("a>1 AND b>=2 AND c<3 AND d<=4", "a > 1 AND b >= 2 AND c < 3 AND d <= 4"),
        ("name like 'v%'", "name LIKE 'v%'"),
        ("name Not ILike '%BETA%'", "name NOT ILIKE '%BETA%'"),
        ("name in ('a', \"b\",3 , 0.5, TRUE)", "name IN ('a', 'b', 3, 0.5, true)"),
        ("id IN ()", "id IN ()"),
        ("id NOT IN ( )", "id NOT IN ()"),
        ("name IN 'a'", "name = 'a'"),
        ("name NOT IN 'a'", "name != 'a'"),
        ("a between 1 and 2 and b = 3", "a BETWEEN 1 AND 2 AND b = 3"),
        ("a NOT BETWEEN 'x' AND 'y'", "a NOT BETWEEN 'x' AND 'y'"),
        ("description IS NULL", "description IS NULL"),
        ("description is not null", "description IS NOT NULL"),
        ("experimental = True", "experimental = true"),
        ("x = 010", "x = 10"),
        ("x = 08", "x = 8"),
        ("x = -5 AND y = +5", "x = -5 AND y = 5"),
        ("x=-9223372036854775808", "x = -9223372036854775808"),
        ("x = .5", "x = 0.5"),
        ("x = 1e-5", "x = 1e-5"),
        ("x = -1.50E+3", "x = -1500.0"),
        ("mlflow.source.type = 'n'", "mlflow.source.type = 'n'"),
        ("`mlflow.source.type` = 'n'", "mlflow.source.type = 'n'"),
        ("mlflow . source = 'n'", "mlflow.source = 'n'"),
        ("`a-b.int_value` = 1", "`a-b.int_value` = 1"),
        ("a.array_value = 1", "a.array_value = 1"),
        ("int_value = 1", "int_value = 1"),
        ("`a\\.int_value` = 1", "`a\\.int_value` = 1"),
        ("`a\\.b` = 1", "a.b = 1"),
        ("`a``b\\`c\\\\d` = 1", "`a\\`b\\`c\\\\d` = 1"),
        ("AND = 1", "`AND` = 1"),
        ("not = 1 and NOT not = 2", "`not` = 1 AND NOT `not` = 2"),
        ("or.x = 1", "`or.x` = 1"),
        ("like LIKE 'x'", "`like` LIKE 'x'"),
        ("name = 'it''s'", "name = 'it''s'"),
        ("name = 'it\\'s'", "name = 'it''s'"),
        ("name = \"say \"\"hi\"\"\"", "name = 'say \"hi\"'"),
        ("name = 'a\nb'", "name = 'a\nb'"),
        ("name = 'größe ✓'", "name = 'größe ✓'"),
    ] {
        assert_eq!(canonical(filter), expected, "{filter}");
    }
}

#[test]
fn strings_keep_backslashes_that_do_not_escape_a_quote() {
    for (filter, expected) in [
        (r"'\\'", r"\"),
        (r"'\%\_\n'", r"\%\_\n"),
        (r"'abc\''", "abc'"),
        (r"'\\\''", r"\'"),
        (r#"'\"'"#, "\""),
        ("''", ""),
        ("''''", "'"),
        (r#"'"x"'"#, r#""x""#),
    ] {
        let Ok(Some(crate::Expression::Comparison(comparison))) = parse(&format!("a = {filter}")) else {
            panic!("{filter} is invalid");
        };
        let Operation::Compare { literal, .. } = comparison.operation else { panic!("{filter}") };
        assert_eq!(literal.value, Value::String(expected.to_owned()), "{filter}");
    }
}

#[test]
fn a_type_suffix_is_not_part_of_the_name() {
    for (filter, name, explicit) in [
        ("a.b.double_value = 1", "a.b", Some(ValueType::Double)),
        ("`a b.bool_value` = true", "a b", Some(ValueType::Bool)),
        ("`a\\.int_value.string_value` = 'x'", "a.int_value", Some(ValueType::String)),
        ("`.int_value` = 1", ".int_value", None),
        ("a.INT_VALUE = 1", "a.INT_VALUE", None),
    ] {
        let Ok(Some(crate::Expression::Comparison(comparison))) = parse(filter) else {
            panic!("{filter} is invalid");
        };
        assert_eq!((comparison.property.name.as_str(), comparison.property.explicit), (name, explicit), "{filter}");
    }
}

#[test]
fn a_mistake_is_reported_with_its_position_and_a_hint() {
    for (filter, expected) in [
        ("invalid <<< syntax", "at line 1, column 10: unexpected `<`, expected a value"),
        (
            "name =",
            "at line 1, column 7: unexpected end of the filter, expected a value. Hint: quote strings, but not numbers \
             and booleans, e.g. name = \"m1\", id > 5, active = true",
        ),
        (
            "name \"x\"",
            "at line 1, column 6: unexpected `\"x\"`, expected an operator (=, !=, <>, >, >=, <, <=, LIKE, ILIKE, IN, \
             BETWEEN or IS)",
        ),
        ("(name = \"x\"", "at line 1, column 12: unexpected end of the filter, expected `)`, AND or OR"),
        ("name === \"x\"", "at line 1, column 7: unexpected `=`, expected a value. Hint: write equality with one `=`"),
        (
            "name = foo",
            "at line 1, column 8: unexpected `foo`, expected a value. Hint: quote strings, e.g. name = \"foo\"",
        ),
        ("name = 'x' AND", "at line 1, column 15: unexpected end of the filter, expected a property name, NOT or `(`"),
        ("AND name = 'x'", "at line 1, column 1: unexpected `AND`, expected a property name, NOT or `(`"),
        ("name = 'x' OR\nOR name = 'y'", "at line 2, column 1: unexpected `OR`, expected a property name, NOT or `(`"),
        (
            "name LIKE 5",
            "at line 1, column 11: unexpected `5`, expected a pattern. Hint: quote patterns, e.g. name LIKE 'v1.%'",
        ),
        (
            "name = 'unfinished",
            "at line 1, column 8: this string has no closing quote. Hint: close it with '; write a ' within the string \
             twice",
        ),
        (
            "name IN",
            "at line 1, column 8: unexpected end of the filter, expected a value. Hint: quote strings, but not numbers \
             and booleans, e.g. name = \"m1\", id > 5, active = true",
        ),
        ("name IN ('a',)", "at line 1, column 14: unexpected `)`, expected a value"),
        ("name IN ('a' 'b')", "at line 1, column 14: unexpected `'b'`, expected `,` or `)`"),
        ("= 'x'", "at line 1, column 1: unexpected `=`, expected a property name, NOT or `(`"),
        ("name = 'x')", "at line 1, column 11: unexpected `)`, expected AND, OR or the end of the filter"),
        ("((", "at line 1, column 3: unexpected end of the filter, expected a property name, NOT or `(`"),
        ("()", "at line 1, column 2: unexpected `)`, expected a property name, NOT or `(`"),
        ("NOT", "at line 1, column 4: unexpected end of the filter, expected a property name, NOT or `(`"),
        (
            "name = ('a','b')",
            "at line 1, column 8: `=` compares with one value, not with a list. Hint: use IN to compare with several \
             values, e.g. name IN ('a', 'b')",
        ),
        (
            "name = NULL",
            "at line 1, column 8: unexpected `NULL`, expected a value. Hint: write IS NULL to find entities without a value",
        ),
        ("name IS 'x'", "at line 1, column 9: unexpected `'x'`, expected NULL, NOT NULL, NAN or NOT NAN"),
        ("name NOT = 'x'", "at line 1, column 10: unexpected `=`, expected LIKE, ILIKE, IN or BETWEEN"),
        ("a BETWEEN 1, 2", "at line 1, column 12: unexpected `,`, expected AND and the upper bound of BETWEEN"),
        (
            "'name' = 'x'",
            "at line 1, column 1: unexpected `'name'`, expected a property name. Hint: write names without quotes \
             or in back-quotes, e.g. name = \"m1\"",
        ),
        (
            "`a-b`.int_value = 1",
            "at line 1, column 6: unexpected `.`, expected an operator (=, !=, <>, >, >=, <, <=, LIKE, ILIKE, IN, \
             BETWEEN or IS). Hint: write the type suffix inside the back-quotes, e.g. `f1-score.double_value`",
        ),
        ("x = 1.", "at line 1, column 6: unexpected `.`, expected AND, OR or the end of the filter"),
        (
            "x = 9223372036854775808",
            "at line 1, column 5: the number `9223372036854775808` is outside the range of 64-bit integers",
        ),
        ("x = 1e999", "at line 1, column 5: the number `1e999` is too large for a double"),
        (
            "größe = 1",
            "at line 1, column 3: unexpected character `ö`. Hint: write names that contain other characters than \
             letters, digits, _ and dots in back-quotes, e.g. `f1-score` > 0.9",
        ),
        ("`` = 1", "at line 1, column 1: a property name cannot be empty"),
        ("`a = 1", "at line 1, column 1: this name has no closing back-quote"),
        ("a = 'x\0'", "at line 1, column 5: a string or name cannot contain the NUL character"),
        (
            "ä = 'ü' AND",
            "at line 1, column 1: unexpected character `ä`. Hint: write names that contain other characters than \
             letters, digits, _ and dots in back-quotes, e.g. `f1-score` > 0.9",
        ),
        ("name = 'ü' x", "at line 1, column 12: unexpected `x`, expected AND, OR or the end of the filter"),
        (
            "a. = 1",
            "at line 1, column 4: unexpected `=`, expected the next part of the property name. Hint: write names that \
             contain other characters in back-quotes, e.g. `a.1-b` = 5",
        ),
    ] {
        assert_eq!(error(filter), format!("invalid filter query {expected}"), "{filter}");
    }
}

#[test]
fn a_message_quotes_only_the_beginning_of_a_long_token() {
    assert_eq!(
        error(&format!("a 'x\n{}'", "y".repeat(5000))),
        format!(
            "invalid filter query at line 1, column 3: unexpected `'x\\n{}…`, expected an operator (=, !=, <>, >, >=, \
             <, <=, LIKE, ILIKE, IN, BETWEEN or IS)",
            "y".repeat(37)
        )
    );
}

#[test]
fn filters_beyond_the_limits_are_rejected() {
    let comparisons = |count: usize| vec!["a = 1"; count].join(" OR ");
    let elements = |count: usize| format!("a IN ({})", vec!["1"; count].join(","));
    let nested = |depth: usize| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
    let padded = |length: usize| format!("a = 1{}", " ".repeat(length - 5));
    for accepted in [
        comparisons(100),
        elements(1000),
        nested(64),
        "not ".repeat(64) + "a = 1",
        padded(10_000),
        nested(1) + &" OR (a = 1)".repeat(99),
    ] {
        assert!(parse(&accepted).is_ok(), "{accepted}");
    }
    for (filter, expected) in [
        (comparisons(101), "at line 1, column 901: the filter has more than the 100 comparisons allowed"),
        (elements(1001), "at line 1, column 2007: the lists of the filter have more than the 1000 elements allowed"),
        (nested(65), "at line 1, column 65: parentheses and NOTs nest deeper than the 64 levels allowed"),
        ("(".repeat(9999), "at line 1, column 65: parentheses and NOTs nest deeper than the 64 levels allowed"),
        ("NOT ".repeat(2000), "at line 1, column 257: parentheses and NOTs nest deeper than the 64 levels allowed"),
        (padded(10_001), "at line 1, column 1: the filter has 10001 characters, more than the 10000 allowed"),
    ] {
        assert_eq!(error(&filter), format!("invalid filter query {expected}"));
    }
}

proptest! {
    #![proptest_config(seeded())]

    #[test]
    fn a_printed_tree_is_parsed_back_to_an_equal_tree(expression in any_expression()) {
        let printed = expression.to_string();
        prop_assert_eq!(parse(&printed), Ok(Some(expression)), "{}", printed);
    }

    #[test]
    fn parsing_any_string_does_not_panic(filter in "\\PC{0,60}|[\\x00-\\x7f]{0,60}") {
        let _ = parse(&filter);
    }

    #[test]
    fn any_sequence_of_tokens_is_parsed_or_rejected(
        pieces in proptest::collection::vec(
            proptest::sample::select(
                ["a", "and", "OR", "NOT", "LIKE", "in", "BETWEEN", "is", "null", "true", "(", ")", ",", ".", "=", "<>",
                 "!", "-", "--", "\n", "'x'", "'", "\"", "`", "`a.int_value`", "1", ".5", "1e", "\\", "ß"].as_slice()
            ),
            0..20,
        )
    ) {
        for separator in ["", " "] {
            if let Ok(Some(expression)) = parse(&pieces.join(separator)) {
                prop_assert_eq!(parse(&expression.to_string()), Ok(Some(expression)));
            }
        }
    }
}

#[test]
fn a_property_alone_is_parsed_as_in_a_filter() {
    let parsed = |name: &str| parse_property(name).map(|property| (property.name, property.explicit));
    for (name, expected, explicit) in [
        ("accuracy", "accuracy", None),
        ("accuracy.double_value", "accuracy", Some(ValueType::Double)),
        ("mlflow.source.type", "mlflow.source.type", None),
        ("`any name`", "any name", None),
        ("`a-b.int_value`", "a-b", Some(ValueType::Int)),
        (r"`a\.int_value`", "a.int_value", None),
        ("order", "order", None),
        ("LIKE", "LIKE", None),
    ] {
        assert_eq!(parsed(name).unwrap(), (expected.to_owned(), explicit), "{name}");
    }
    for wrong in ["", " ", "a b", "a-b", "a.", "'a'", "5", "a IS NULL", "a DESC", "a, b", "`a`.int_value", "(a)"] {
        assert!(parsed(wrong).is_err(), "{wrong}");
    }
}
