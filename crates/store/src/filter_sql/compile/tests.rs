use model_registry_filter::evaluate::strategies::sample_target;
use model_registry_filter::parse;
use sea_query::{Expr, MysqlQueryBuilder, PostgresQueryBuilder, Query, SqliteQueryBuilder, Values};

use crate::dialect::Dialect;
use crate::filter_sql::{Scope, compile};

fn built(text: &str, kinds: &[i16], dialect: Dialect) -> (String, Values) {
    let scope = Scope {
        table: "artifact",
        workspace_id: 7,
        kinds,
        properties: "property",
        text_key: None,
        walked: None,
        related: None,
        resolve: &sample_target,
    };
    let expression = parse(text).unwrap().unwrap();
    let condition = compile(&expression, &scope, dialect).unwrap();
    let statement = Query::select().expr(Expr::cust("1")).and_where(condition).to_owned();
    let (sql, values) = match dialect {
        Dialect::Sqlite => statement.build(SqliteQueryBuilder),
        Dialect::Postgres => statement.build(PostgresQueryBuilder),
        Dialect::MySql => statement.build(MysqlQueryBuilder),
    };
    (sql.strip_prefix("SELECT 1 WHERE ").unwrap().to_owned(), values)
}

fn sqlite(text: &str) -> String {
    built(text, &[3], Dialect::Sqlite).0
}

/// The condition on the rows of `property`, without what every such subquery begins with.
fn rows(text: &str, dialect: Dialect) -> String {
    let sql = built(text, &[3], dialect).0;
    let (head, tail) = match dialect {
        Dialect::Sqlite => (
            r#"EXISTS(SELECT 1 FROM "property" WHERE "property"."kind" = ? AND "property"."owner_id" = "artifact"."id" AND "property"."name" = ? AND "#,
            ")",
        ),
        Dialect::Postgres => (
            r#"EXISTS(SELECT 1 FROM "property" WHERE "property"."kind" = $1 AND "property"."owner_id" = "artifact"."id" AND "property"."name" = $2 AND "property"."workspace_id" = $3 AND "#,
            ")",
        ),
        Dialect::MySql => (
            "EXISTS(SELECT 1 FROM `property` WHERE `property`.`kind` = ? AND `property`.`owner_id` = `artifact`.`id` AND `property`.`name` = ? AND `property`.`workspace_id` = ? AND ",
            ")",
        ),
    };
    let rest = sql.strip_prefix(head).unwrap_or_else(|| panic!("{sql}"));
    rest.strip_suffix(tail).unwrap().to_owned()
}

#[test]
fn columns_compare_in_place_and_never_yield_null() {
    for (text, expected) in [
        ("name = 'a'", r#""artifact"."name" IS NOT NULL AND "artifact"."name" = ?"#),
        ("NOT name = 'a'", r#"NOT ("artifact"."name" IS NOT NULL AND "artifact"."name" = ?)"#),
        ("name IS NULL", r#"NOT "artifact"."name" IS NOT NULL"#),
        ("name IS NOT NULL", r#""artifact"."name" IS NOT NULL"#),
        ("name LIKE 'v1.%'", r#""artifact"."name" IS NOT NULL AND "artifact"."name" LIKE ? ESCAPE '!'"#),
        (
            "name NOT ILIKE 'V%'",
            r#""artifact"."name" IS NOT NULL AND COALESCE("artifact"."name_folded", "artifact"."name") NOT LIKE ? ESCAPE '!'"#,
        ),
        ("state ILIKE 'l%'", r#""artifact"."state" IS NOT NULL AND LOWER("artifact"."state") LIKE ? ESCAPE '!'"#),
        ("parent_id IN (1, '2')", r#""artifact"."parent_id" IS NOT NULL AND "artifact"."parent_id" IN (?, ?)"#),
        ("parent_id IN ()", "1 = 0"),
        ("parent_id NOT IN ()", r#""artifact"."parent_id" IS NOT NULL"#),
        ("parent_id < 5.5", r#""artifact"."parent_id" IS NOT NULL AND "artifact"."parent_id" <= ?"#),
        ("parent_id < 1e300", r#""artifact"."parent_id" IS NOT NULL"#),
        (
            "score BETWEEN 0 AND 1",
            r#""artifact"."score" IS NOT NULL AND ("artifact"."score" >= ? AND "artifact"."score" <= ?)"#,
        ),
    ] {
        assert_eq!(sqlite(text), expected, "{text}");
    }
}

#[test]
fn the_literal_decides_where_a_custom_property_is_looked_up() {
    for (text, expected) in [
        ("x != 'a'", r#""property"."string_value" <> ?"#),
        ("x = 32", r#"("property"."int_value" = ? OR "property"."double_value" = ?)"#),
        ("x > 31.5", r#""property"."double_value" > ?"#),
        ("x = true", r#""property"."bool_value" = ?"#),
        ("x.int_value IN (32, 64)", r#""property"."int_value" IN (?, ?)"#),
        (
            "x NOT IN ('a', 5)",
            r#"("property"."string_value" NOT IN (?) OR "property"."int_value" NOT IN (?) OR "property"."double_value" NOT IN (?))"#,
        ),
        ("x BETWEEN 1 AND 2.5", r#"("property"."double_value" >= ? AND "property"."double_value" <= ?)"#),
        (
            "x IS NOT NULL",
            r#"("property"."string_value" IS NOT NULL OR "property"."int_value" IS NOT NULL OR "property"."double_value" IS NOT NULL OR "property"."bool_value" IS NOT NULL)"#,
        ),
        ("x.bool_value IS NOT NULL", r#""property"."bool_value" IS NOT NULL"#),
        ("owner = 'ada'", r#""property"."custom" = ? AND "property"."string_value" = ?"#),
    ] {
        assert_eq!(rows(text, Dialect::Sqlite), expected, "{text}");
    }
}

#[test]
fn postgres_is_given_the_expression_its_text_index_holds() {
    for (text, expected) in [
        ("x = 'a'", r#"left("property"."string_value", 255) = $4"#),
        ("x IN ('a', 'b')", r#"left("property"."string_value", 255) IN ($4, $5)"#),
        ("x != 'a'", r#""property"."string_value" <> $4"#),
        ("x ILIKE 'a'", r#"COALESCE("property"."string_folded", "property"."string_value") LIKE $4 ESCAPE '!'"#),
    ] {
        assert_eq!(rows(text, Dialect::Postgres), expected, "{text}");
    }
    let (_, values) = built(&format!("x = '{}'", "ä".repeat(300)), &[3], Dialect::Postgres);
    assert_eq!(values.0[3], "ä".repeat(255).into());
    assert_eq!(values.0[4], "ä".repeat(300).into());
}

#[test]
fn a_walk_asks_one_owner_at_a_time() {
    let scope = Scope {
        table: "artifact",
        workspace_id: 7,
        kinds: &[3],
        properties: "property",
        text_key: Some("string_key"),
        walked: Some("walked"),
        related: None,
        resolve: &sample_target,
    };
    for (text, expected) in [
        (
            "x > 0.5",
            r#"EXISTS(SELECT 1 FROM "property" WHERE "property"."kind" = 3 AND "property"."owner_id" = "walked"."owner_id" AND "property"."name" = 'x' AND "property"."double_value" > 0.5 LIMIT 1 OFFSET 0)"#,
        ),
        (
            "owner = 'a'",
            r#"("walked"."name" = 'owner' AND "walked"."string_key" = 'a' AND "walked"."custom" = FALSE) OR EXISTS(SELECT 1 FROM "property" WHERE "property"."kind" = 3 AND "property"."owner_id" = "walked"."owner_id" AND "property"."name" = 'owner' AND "property"."custom" = FALSE AND "property"."string_key" = 'a' LIMIT 1 OFFSET 0)"#,
        ),
    ] {
        let condition = compile(&parse(text).unwrap().unwrap(), &scope, Dialect::Postgres).unwrap();
        let sql = Query::select().expr(Expr::cust("1")).and_where(condition).to_string(PostgresQueryBuilder);
        assert_eq!(sql, format!("SELECT 1 WHERE {expected}"));
    }
    let condition = compile(&parse("x > 0.5").unwrap().unwrap(), &scope, Dialect::MySql).unwrap();
    let sql = Query::select().expr(Expr::cust("1")).and_where(condition).to_string(MysqlQueryBuilder);
    assert!(sql.starts_with("SELECT 1 WHERE EXISTS(SELECT /*+ NO_SEMIJOIN() */ 1 FROM `property` "), "{sql}");
    // Its beginning says only that a long text may be it.
    let long = format!("x = '{}'", "a".repeat(255));
    let condition = compile(&parse(&long).unwrap().unwrap(), &scope, Dialect::Postgres).unwrap();
    let sql = Query::select().expr(Expr::cust("1")).and_where(condition).to_string(PostgresQueryBuilder);
    assert!(sql.starts_with("SELECT 1 WHERE EXISTS("), "{sql}");
}

#[test]
fn mysql_is_asked_like_sqlite() {
    assert_eq!(rows("x = 'a'", Dialect::MySql), "`property`.`string_value` = ?");
    assert_eq!(rows("x LIKE 'a'", Dialect::MySql), "`property`.`string_value` LIKE ? ESCAPE '!'");
}

#[test]
fn several_kinds_are_told_apart_by_the_outer_row() {
    let (sql, values) = built("x = 'a'", &[3, 4], Dialect::Sqlite);
    assert_eq!(
        sql,
        r#"EXISTS(SELECT 1 FROM "property" WHERE "property"."kind" = "artifact"."kind" AND "property"."owner_id" = "artifact"."id" AND "property"."name" = ? AND "property"."string_value" = ?)"#
    );
    assert_eq!(values.0, ["x".into(), "a".into()]);
    assert_eq!(built("x = 'a'", &[3], Dialect::Sqlite).1.0, [3_i16.into(), "x".into(), "a".into()]);
}

#[test]
fn connectives_keep_their_grouping() {
    let column = |name: &str| format!(r#""artifact"."{name}" IS NOT NULL"#);
    assert_eq!(
        sqlite("(name IS NOT NULL OR state IS NOT NULL) AND NOT (score IS NOT NULL AND active IS NOT NULL)"),
        format!("({} OR {}) AND (NOT ({} AND {}))", column("name"), column("state"), column("score"), column("active"))
    );
}

#[test]
fn a_pattern_reaches_the_database_with_its_escapes_translated() {
    for (pattern, expected) in [
        ("v1.%", "v1.%"),
        (r"50\%", "50!%"),
        (r"a\_b", "a!_b"),
        ("wow!", "wow!!"),
        (r"C:\\\\%", r"C:\%"),
        (r"C:\\\\\%", r"C:\!%"),
        (r"a\b\!", "ab!!"),
        (r"a\\b", "ab"),
        (r"a\\\\b", r"a\b"),
    ] {
        let (_, values) = built(&format!("name LIKE '{pattern}'"), &[3], Dialect::MySql);
        assert_eq!(values.0, [expected.into()], "{pattern}");
    }
    let (_, values) = built("name ILIKE '%ΟΔΟΣ\\_Ä'", &[3], Dialect::Sqlite);
    assert_eq!(values.0, ["%οδοσ!_ä".into()]);
}

#[test]
fn numbers_reach_the_database_in_the_type_of_the_column() {
    for (text, expected) in [
        ("parent_id = '5'", 5_i64.into()),
        ("parent_id = 5.0", 5_i64.into()),
        ("parent_id >= 5.5", 5_i64.into()),
        ("parent_id.string_value > \"5.5\"", 5_i64.into()),
        ("score = 5", 5.0_f64.into()),
        ("score = '.5'", 0.5_f64.into()),
        ("score.int_value = 5", 5.0_f64.into()),
    ] {
        let (_, values) = built(text, &[3], Dialect::Postgres);
        assert_eq!(values.0, [expected], "{text}");
    }
}

#[test]
fn a_literal_that_does_not_fit_is_refused_with_its_place() {
    let scope = Scope {
        table: "artifact",
        workspace_id: 7,
        kinds: &[3],
        properties: "property",
        text_key: None,
        walked: None,
        related: None,
        resolve: &sample_target,
    };
    for (text, expected) in [
        (
            "name = 5",
            "1, column 8: `name` holds texts and cannot be compared with the number `5`. Hint: texts are quoted, e.g. \"5\"",
        ),
        (
            "x = 1 AND\n  owner IN ('a', true)",
            "2, column 18: `owner` holds texts and cannot be compared with the boolean `true`. Hint: texts are quoted, \
             e.g. \"true\"",
        ),
        ("parent_id = 'abc'", "1, column 13: `parent_id` holds integers and cannot be compared with the text `abc`"),
        ("parent_id = ' 5'", "1, column 13: `parent_id` holds integers and cannot be compared with the text ` 5`"),
        ("score > ''", "1, column 9: `score` holds numbers and cannot be compared with the text ``"),
        ("score = true", "1, column 9: `score` holds numbers and cannot be compared with the boolean `true`"),
        (
            "active = 'true'",
            "1, column 10: `active` holds booleans and cannot be compared with the text `true`. Hint: booleans are true \
             and false, without quotes",
        ),
        ("active > true", "1, column 10: a boolean cannot be compared with `>`. Hint: use = or !="),
        ("x >= true", "1, column 6: a boolean cannot be compared with `>=`. Hint: use = or !="),
        ("x BETWEEN false AND true", "1, column 11: a boolean cannot be compared with `>=`. Hint: use = or !="),
        (
            "x BETWEEN 1 AND 'b'",
            "1, column 17: the bounds of BETWEEN are not of one type. Hint: write two numbers or two texts",
        ),
        (
            "value BETWEEN 1 AND '5'",
            "1, column 21: the bounds of BETWEEN are not of one type. Hint: write two numbers or two texts",
        ),
        ("parent_id LIKE '5%'", "1, column 1: LIKE compares texts, but `parent_id` holds integers"),
        ("x.double_value LIKE '5%'", "1, column 1: LIKE compares texts, but `x` holds numbers"),
        ("name.int_value = 'x'", "1, column 18: `name` holds integers and cannot be compared with the text `x`"),
        ("name.int_value LIKE '5'", "1, column 1: LIKE compares texts, but `name` holds integers"),
        (
            "x.string_value = 5",
            "1, column 18: `x` holds texts and cannot be compared with the number `5`. Hint: texts are \
             quoted, e.g. \"5\"",
        ),
        (
            "value = true",
            "1, column 9: `value` holds texts and cannot be compared with the boolean `true`. Hint: texts are \
             quoted, e.g. \"true\"",
        ),
        (
            r"name LIKE 'a\\'",
            r"1, column 11: the pattern `a\` ends in a backslash that escapes nothing. Hint: four backslashes at the end of a pattern stand for one, e.g. '%\\\\'",
        ),
    ] {
        let expression = parse(text).unwrap().unwrap();
        let error = compile(&expression, &scope, Dialect::Sqlite).unwrap_err();
        assert_eq!(error.to_string(), format!("invalid filter query at line {expected}"), "{text}");
    }
    // A type that the property never has is no mistake (parity, registry-server 3.4): there are no such values.
    for text in ["name.int_value = 5", "step.bool_value IS NULL", "owner.int_value NOT IN (5)"] {
        let expression = parse(text).unwrap().unwrap();
        assert!(compile(&expression, &scope, Dialect::Sqlite).is_ok(), "{text}");
    }
    let expression = parse(&format!("name LIKE '{}'", "a".repeat(1001))).unwrap().unwrap();
    assert_eq!(
        compile(&expression, &scope, Dialect::Sqlite).unwrap_err().message,
        "the pattern has 1001 characters, more than the 1000 allowed"
    );
}
