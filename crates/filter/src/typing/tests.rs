use super::*;
use crate::evaluate::strategies::sample_target;
use crate::parse;

#[test]
fn a_literal_of_the_wrong_type_is_rejected_with_its_position() {
    for (filter, expected) in [
        (
            "name = 5",
            "1, column 8: `name` holds strings and cannot be compared with the number `5`. Hint: quote strings, e.g. \"5\"",
        ),
        (
            "x = 1 AND\n  owner IN ('a', true)",
            "2, column 18: `owner` holds strings and cannot be compared with the boolean `true`. Hint: quote strings, \
             e.g. \"true\"",
        ),
        ("parent_id = 'abc'", "1, column 13: `parent_id` holds integers and cannot be compared with the string `abc`"),
        ("parent_id = ' 5'", "1, column 13: `parent_id` holds integers and cannot be compared with the string ` 5`"),
        ("score > ''", "1, column 9: `score` holds numbers and cannot be compared with the string ``"),
        ("score = true", "1, column 9: `score` holds numbers and cannot be compared with the boolean `true`"),
        (
            "active = 'true'",
            "1, column 10: `active` holds booleans and cannot be compared with the string `true`. Hint: write true or \
             false without quotes",
        ),
        ("active > true", "1, column 10: a boolean cannot be compared with `>`. Hint: compare booleans with = or !="),
        ("x >= true", "1, column 6: a boolean cannot be compared with `>=`. Hint: compare booleans with = or !="),
        (
            "x BETWEEN false AND true",
            "1, column 11: a boolean cannot be compared with `>=`. Hint: compare booleans with = or !=",
        ),
        (
            "x BETWEEN 1 AND 'b'",
            "1, column 17: the bounds of BETWEEN have different types. Hint: write two numbers or two strings",
        ),
        (
            "value BETWEEN 1 AND '5'",
            "1, column 21: the bounds of BETWEEN have different types. Hint: write two numbers or two strings",
        ),
        ("parent_id LIKE '5%'", "1, column 1: LIKE compares strings, but `parent_id` holds integers"),
        ("x.double_value LIKE '5%'", "1, column 1: LIKE compares strings, but `x` holds numbers"),
        ("name.int_value = 'x'", "1, column 18: `name` holds integers and cannot be compared with the string `x`"),
        ("name.int_value LIKE '5'", "1, column 1: LIKE compares strings, but `name` holds integers"),
        (
            "x.string_value = 5",
            "1, column 18: `x` holds strings and cannot be compared with the number `5`. Hint: quote \
             strings, e.g. \"5\"",
        ),
        (
            "value = true",
            "1, column 9: `value` holds strings and cannot be compared with the boolean `true`. Hint: quote \
             strings, e.g. \"true\"",
        ),
        (
            r"name LIKE 'a\\'",
            r"1, column 11: the pattern `a\` ends in a backslash that escapes nothing. Hint: write four backslashes at the end of a pattern for one, e.g. '%\\\\'",
        ),
        ("name IS NAN", "1, column 1: IS NAN tests numbers, but `name` holds strings"),
        ("status IS NOT NAN", "1, column 1: IS NAN tests numbers, but `status` holds strings"),
        ("status = 'c'", "1, column 10: the values of `status` are ab, A, b; `c` is not one of them"),
        ("status IN ('AB', 'c')", "1, column 18: the values of `status` are ab, A, b; `c` is not one of them"),
        ("status NOT BETWEEN 'a' AND ''", "1, column 28: the values of `status` are ab, A, b; `` is not one of them"),
        ("status.string_value >= 'c'", "1, column 24: the values of `status` are ab, A, b; `c` is not one of them"),
        ("status LIKE '%c%'", "1, column 13: the values of `status` are ab, A, b; none matches `%c%`"),
        (
            "status = 5",
            "1, column 10: `status` holds strings and cannot be compared with the number `5`. Hint: quote strings, e.g. \"5\"",
        ),
    ] {
        let expression = parse(filter).unwrap().unwrap();
        let error = check(&expression, &sample_target).err().unwrap_or_else(|| panic!("accepted: {filter}"));
        assert_eq!(error.to_string(), format!("invalid filter query at line {expected}"), "{filter}");
    }
    // A suffix for a type that the property never has is valid and finds nothing (parity).
    for filter in ["name.int_value = 5", "step.bool_value IS NULL", "owner.int_value NOT IN (5)"] {
        let expression = parse(filter).unwrap().unwrap();
        assert!(check(&expression, &sample_target).is_ok(), "{filter}");
    }
    let expression = parse(&format!("name LIKE '{}'", "a".repeat(1001))).unwrap().unwrap();
    assert_eq!(
        check(&expression, &sample_target).err().unwrap().message,
        "the pattern has 1001 characters, more than the 1000 allowed"
    );
}
