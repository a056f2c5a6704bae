use model_registry_filter::evaluate::strategies::sample_target;
use model_registry_filter::parse;
use sea_query::{Expr, MysqlQueryBuilder, PostgresQueryBuilder, Query, SqliteQueryBuilder, Values};

use crate::dialect::Dialect;
use crate::filter_sql::{Scope, compile};

fn built(filter: &str, kinds: &[i16], dialect: Dialect) -> (String, Values) {
    let scope = Scope {
        table: "artifact",
        workspace_id: 7,
        kinds,
        properties: "property",
        string_key: None,
        not_finite: None,
        scanned: None,
        one_by_one: false,
        related: None,
        resolve: &sample_target,
    };
    let expression = parse(filter).unwrap().unwrap();
    let condition = compile(&expression, &scope, dialect).unwrap();
    let statement = Query::select().expr(Expr::cust("1")).and_where(condition).to_owned();
    let (sql, values) = match dialect {
        Dialect::Sqlite => statement.build(SqliteQueryBuilder),
        Dialect::Postgres => statement.build(PostgresQueryBuilder),
        Dialect::MySql => statement.build(MysqlQueryBuilder),
    };
    (sql.strip_prefix("SELECT 1 WHERE ").unwrap().to_owned(), values)
}

fn sqlite(filter: &str) -> String {
    built(filter, &[3], Dialect::Sqlite).0
}

/// The condition on the rows of `property`, without the common beginning of these subqueries.
fn rows(filter: &str, dialect: Dialect) -> String {
    let sql = built(filter, &[3], dialect).0;
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
    for (filter, expected) in [
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
        assert_eq!(sqlite(filter), expected, "{filter}");
    }
}

#[test]
fn the_literal_decides_which_column_of_a_custom_property_is_compared() {
    for (filter, expected) in [
        ("x != 'a'", r#""property"."string_value" <> ?"#),
        ("x != 32.5", r#"("property"."int_value" IS NOT NULL OR "property"."double_value" <> ?)"#),
        ("x = 32", r#"("property"."int_value" = ? OR "property"."double_value" = ?)"#),
        ("x > 31.5", r#"("property"."int_value" > ? OR "property"."double_value" > ?)"#),
        ("x = 31.5", r#""property"."double_value" = ?"#),
        ("x IS NAN", "(1 = 0)"),
        ("x = true", r#""property"."bool_value" = ?"#),
        ("x.int_value IN (32, 64)", r#""property"."int_value" IN (?, ?)"#),
        (
            "x NOT IN ('a', 5)",
            r#"("property"."string_value" NOT IN (?) OR "property"."int_value" NOT IN (?) OR "property"."double_value" NOT IN (?))"#,
        ),
        (
            "x BETWEEN 1 AND 2.5",
            r#"(("property"."int_value" >= ? AND "property"."int_value" <= ?) OR ("property"."double_value" >= ? AND "property"."double_value" <= ?))"#,
        ),
        (
            "x IS NOT NULL",
            r#"("property"."string_value" IS NOT NULL OR "property"."int_value" IS NOT NULL OR "property"."double_value" IS NOT NULL OR "property"."bool_value" IS NOT NULL)"#,
        ),
        ("x.bool_value IS NOT NULL", r#""property"."bool_value" IS NOT NULL"#),
        ("owner = 'ada'", r#""property"."custom" = ? AND "property"."string_value" = ?"#),
    ] {
        assert_eq!(rows(filter, Dialect::Sqlite), expected, "{filter}");
    }
}

#[test]
fn postgres_compares_the_indexed_prefix_of_strings() {
    for (filter, expected) in [
        ("x = 'a'", r#"left("property"."string_value", 255) = $4"#),
        ("x IN ('a', 'b')", r#"left("property"."string_value", 255) IN ($4, $5)"#),
        ("x != 'a'", r#""property"."string_value" <> $4"#),
        ("x ILIKE 'a'", r#"COALESCE("property"."string_folded", "property"."string_value") LIKE $4 ESCAPE '!'"#),
    ] {
        assert_eq!(rows(filter, Dialect::Postgres), expected, "{filter}");
    }
    let (_, values) = built(&format!("x = '{}'", "ä".repeat(300)), &[3], Dialect::Postgres);
    assert_eq!(values.0[3], "ä".repeat(255).into());
    assert_eq!(values.0[4], "ä".repeat(300).into());
}

#[test]
fn an_index_scan_evaluates_comparisons_for_one_owner_at_a_time() {
    let scope = Scope {
        table: "artifact",
        workspace_id: 7,
        kinds: &[3],
        properties: "property",
        string_key: Some("string_key"),
        not_finite: None,
        scanned: Some("scanned"),
        one_by_one: false,
        related: None,
        resolve: &sample_target,
    };
    for (filter, expected) in [
        (
            "x.double_value > 0.5",
            r#"EXISTS(SELECT 1 FROM "property" WHERE "property"."kind" = 3 AND "property"."owner_id" = "scanned"."owner_id" AND "property"."name" = 'x' AND "property"."double_value" > 0.5 LIMIT 1 OFFSET 0)"#,
        ),
        (
            "owner = 'a'",
            r#"("scanned"."name" = 'owner' AND "scanned"."string_key" = 'a' AND "scanned"."custom" = FALSE) OR EXISTS(SELECT 1 FROM "property" WHERE "property"."kind" = 3 AND "property"."owner_id" = "scanned"."owner_id" AND "property"."name" = 'owner' AND "property"."custom" = FALSE AND "property"."string_key" = 'a' LIMIT 1 OFFSET 0)"#,
        ),
    ] {
        let condition = compile(&parse(filter).unwrap().unwrap(), &scope, Dialect::Postgres).unwrap();
        let sql = Query::select().expr(Expr::cust("1")).and_where(condition).to_string(PostgresQueryBuilder);
        assert_eq!(sql, format!("SELECT 1 WHERE {expected}"));
    }
    let condition = compile(&parse("x.double_value > 0.5").unwrap().unwrap(), &scope, Dialect::MySql).unwrap();
    let sql = Query::select().expr(Expr::cust("1")).and_where(condition).to_string(MysqlQueryBuilder);
    assert!(sql.starts_with("SELECT 1 WHERE EXISTS(SELECT /*+ NO_SEMIJOIN() */ 1 FROM `property` "), "{sql}");
    // The indexed prefix of a long string does not prove equality.
    let long = format!("x = '{}'", "a".repeat(255));
    let condition = compile(&parse(&long).unwrap().unwrap(), &scope, Dialect::Postgres).unwrap();
    let sql = Query::select().expr(Expr::cust("1")).and_where(condition).to_string(PostgresQueryBuilder);
    assert!(sql.starts_with("SELECT 1 WHERE EXISTS("), "{sql}");
}

#[test]
fn mysql_gets_the_same_conditions_as_sqlite() {
    assert_eq!(rows("x = 'a'", Dialect::MySql), "`property`.`string_value` = ?");
    assert_eq!(rows("x LIKE 'a'", Dialect::MySql), "`property`.`string_value` LIKE ? ESCAPE '!'");
}

#[test]
fn several_kinds_are_compared_with_the_outer_row() {
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
fn the_escapes_of_a_pattern_are_translated_for_the_database() {
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
fn numbers_are_bound_in_the_type_of_the_column() {
    for (filter, expected) in [
        ("parent_id = '5'", 5_i64.into()),
        ("parent_id = 5.0", 5_i64.into()),
        ("parent_id >= 5.5", 5_i64.into()),
        ("parent_id.string_value > \"5.5\"", 5_i64.into()),
        ("score = 5", 5.0_f64.into()),
        ("score = '.5'", 0.5_f64.into()),
        ("score.int_value = 5", 5.0_f64.into()),
    ] {
        let (_, values) = built(filter, &[3], Dialect::Postgres);
        assert_eq!(values.0, [expected], "{filter}");
    }
}
