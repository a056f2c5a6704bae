//! SQL snapshots of list and index-scan statements in every dialect: `cargo insta review` accepts intended changes.

use sea_query::{MysqlQueryBuilder, PostgresQueryBuilder, SqliteQueryBuilder, Value};

use super::*;

pub(super) const MODELS: ListRequest<'static> = ListRequest {
    kinds: &[Kind::RegisteredModel],
    scope: ListScope::Everything,
    name: None,
    external_id: None,
    steps: None,
    filter: None,
    order_by: OrderBy::Id,
    value: None,
    is_strict: false,
    sort_order: SortOrder::Ascending,
    page_size: 100,
    page_token: None,
    prefix: "",
};

const VERSIONS: ListRequest<'static> = ListRequest { kinds: &[Kind::ModelVersion], ..MODELS };

/// The statements for each dialect, with their values written into them: of a filtered list those that may be run.
fn statements(request: &ListRequest<'_>, cursor: Option<Cursor>) -> String {
    let filter = request.filter.map(filter::parse).transpose().unwrap().flatten();
    let mut all = String::new();
    for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql] {
        let mut add = |what: &str, select: &SelectStatement| {
            let sql = match dialect {
                Dialect::Sqlite => select.to_string(SqliteQueryBuilder),
                Dialect::Postgres => select.to_string(PostgresQueryBuilder),
                Dialect::MySql => select.to_string(MysqlQueryBuilder),
            };
            all.extend(["-- ", dialect.name(), what, "\n", &broken_into_lines(&sql), "\n"]);
        };
        let select = |reading: &Reading<'_>| request.select(cursor, filter.as_ref(), reading, dialect).unwrap();
        let Some(filter) = &filter else {
            add("", &select(&Reading::Walk { until: None }));
            continue;
        };
        let required = request.required_strings(filter).unwrap();
        let scan = (!required.is_empty()).then(|| {
            let scan = request.index_scan(cursor, &required, ScanEnd::After(2_000), dialect);
            request.scanned(&scan, filter).unwrap()
        });
        let IndexRanges { superset, ranges, sifted } = request.index_ranges(filter, scan.is_some(), dialect).unwrap();
        if superset.is_narrow() {
            let boundary = request.boundary(cursor, 2_000, dialect);
            let boundary = Some(boundary).filter(|_| scan.is_none());
            add(": ranges", &probe::probe(ranges.iter().enumerate(), boundary, 4_000, dialect));
            for (_, sifted) in &sifted {
                add(": sifted range", sifted);
            }
            add(": candidates", &select(&Reading::Ids(&[7, 9, 12])));
        }
        match scan {
            Some(scan) => add(": index scan", &scan),
            None => add(": walk", &select(&Reading::Walk { until: Some(2_000) })),
        }
    }
    all
}

/// The statement with a line per clause, which makes differences readable.
fn broken_into_lines(sql: &str) -> String {
    let mut lines = sql.to_owned();
    for clause in
        [" FROM ", " WHERE ", " AND ", " OR ", " ORDER BY ", " LIMIT ", " UNION ALL ", " CROSS JOIN ", " INNER JOIN "]
    {
        lines = lines.replace(clause, &format!("\n {}", clause.trim_start()));
    }
    lines
}

macro_rules! assert_sql {
    ($name:expr, $request:expr, $cursor:expr) => {
        insta::assert_snapshot!($name, statements(&$request, $cursor));
    };
}

const CURSOR: Option<Cursor> = Some(Cursor { key: 1_700, id: 42 });

#[test]
fn the_first_and_the_next_page_by_id() {
    assert_sql!("first_page", MODELS, None);
    assert_sql!("next_page", MODELS, CURSOR);
    assert_sql!("next_page_descending", ListRequest { sort_order: SortOrder::Descending, ..MODELS }, CURSOR);
}

#[test]
fn the_next_page_by_time() {
    let by_time = ListRequest { order_by: OrderBy::LastUpdateTime, ..MODELS };
    assert_sql!("first_page_by_time", by_time, None);
    assert_sql!("next_page_by_time", by_time, CURSOR);
    let newest = ListRequest { order_by: OrderBy::CreateTime, sort_order: SortOrder::Descending, ..MODELS };
    assert_sql!("next_page_by_time_descending", newest, CURSOR);
}

#[test]
fn lists_within_a_parent() {
    assert_sql!("children", ListRequest { scope: ListScope::Parent(7), ..VERSIONS }, CURSOR);
    let artifacts = ListRequest { kinds: &Kind::ARTIFACTS, scope: ListScope::ArtifactsOf(7), ..MODELS };
    assert_sql!("artifacts_of_a_version", artifacts, CURSOR);
    let history = ListRequest {
        kinds: &[Kind::MetricPoint],
        scope: ListScope::HistoryOf(7),
        name: Some("loss"),
        steps: Some(&[1, 2]),
        ..MODELS
    };
    assert_sql!("metric_history", history, CURSOR);
}

#[test]
fn lists_by_name_and_external_id() {
    assert_sql!("by_name", ListRequest { name: Some("m"), ..MODELS }, None);
    assert_sql!("by_external_id", ListRequest { external_id: Some("x"), ..MODELS }, None);
    assert_sql!("artifacts_by_id", ListRequest { kinds: &Kind::ARTIFACTS, ..MODELS }, CURSOR);
}

#[test]
fn filtered_lists() {
    for (name, filter) in [
        ("filter_by_column", "name = 'm' AND NOT state = 'ARCHIVED'"),
        ("filter_by_range", "accuracy > 0.9"),
        ("filter_by_pattern", "description ILIKE '%fraud%'"),
        ("filter_by_absence", "owner IS NULL OR tag NOT IN ('a', 'b')"),
        ("filter_by_prefix", "commit LIKE 'abc%' AND NOT owner = 'ada'"),
        ("filter_by_alternatives", "(stage = 'a' OR stage = 'b') AND accuracy > 0.99"),
        ("filter_by_presence", "owner IS NOT NULL"),
        ("filter_by_substring", "commit LIKE '%abc%'"),
    ] {
        assert_sql!(name, ListRequest { filter: Some(filter), ..VERSIONS }, CURSOR);
    }
    let artifacts = ListRequest { kinds: &Kind::ARTIFACTS, filter: Some("value > 0.5 AND uri = 's3://a'"), ..MODELS };
    assert_sql!("filter_over_several_kinds", artifacts, CURSOR);
    let children = ListRequest { scope: ListScope::Parent(7), filter: Some("stage = 'production'"), ..VERSIONS };
    assert_sql!("filter_within_a_parent", children, CURSOR);
}

#[test]
fn index_scans() {
    let one = ListRequest { filter: Some("stage = 'production'"), ..VERSIONS };
    assert_sql!("scan_of_one_string", one, None);
    assert_sql!("scan_of_one_string_next_page", one, CURSOR);
    let several = ListRequest { filter: Some("stage = 'production' AND team = 'blue' AND accuracy > 0.9"), ..VERSIONS };
    assert_sql!("scan_of_several_strings", several, None);
    let descending = ListRequest { sort_order: SortOrder::Descending, ..several };
    assert_sql!("scan_of_several_strings_next_page_descending", descending, CURSOR);
    let long = format!("author = '{}'", "x".repeat(300));
    assert_sql!("scan_of_a_long_string", ListRequest { filter: Some(&long), ..VERSIONS }, None);
}

#[test]
fn only_the_cursor_is_bound_so_that_postgres_plans_a_list_once() {
    let bound = |cursor| {
        let reading = Reading::Walk { until: None };
        let select = VERSIONS.select(cursor, None, &reading, Dialect::Postgres).unwrap();
        let (_, values) = select.build(PostgresQueryBuilder);
        // The limit is written into the statement when it is sent.
        values.0.into_iter().filter(|value| !matches!(value, Value::BigUnsigned(_))).collect::<Vec<_>>()
    };
    assert_eq!(bound(None), []);
    assert_eq!(bound(Some(Cursor { key: 7, id: 7 })), [Value::from(7_i64)]);
}
