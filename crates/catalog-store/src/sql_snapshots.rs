//! Snapshots of the statements of every list, for each dialect. Values are written out, which no statement does that runs.

use model_registry_api::SortOrder;
use model_registry_filter::{Expression, ValueType, parse};
use model_registry_store::dialect::Dialect;
use sea_query::{MysqlQueryBuilder, PostgresQueryBuilder, QueryStatementWriter, SqliteQueryBuilder};

use crate::page_token::Key;
use crate::read::{count_artifacts, select_by_id, select_children, select_generation};
use crate::{CatalogKind, CatalogList, CatalogOrder, CatalogSet, filter_options, index, prefilter};

const MODELS: &[CatalogKind] = &[CatalogKind::Model];

fn sql(statement: &impl QueryStatementWriter, dialect: Dialect) -> String {
    let sql = match dialect {
        Dialect::Sqlite => statement.to_string(SqliteQueryBuilder),
        Dialect::Postgres => statement.to_string(PostgresQueryBuilder),
        Dialect::MySql => statement.to_string(MysqlQueryBuilder),
    };
    // One clause per line, so that a difference is easy to find.
    let clauses = [" FROM ", " CROSS JOIN ", " WHERE ", " AND ", " OR ", " ORDER BY ", " LIMIT ", " UNION ALL "];
    clauses.iter().fold(sql, |sql, clause| sql.replace(clause, &format!("\n {clause}")))
}

/// Statements with their names.
struct Statements {
    dialect: Dialect,
    text: String,
}

impl Statements {
    fn add(&mut self, name: &str, statement: &impl QueryStatementWriter) {
        let sql = sql(statement, self.dialect);
        self.text.extend(["-- ", name, "\n", &sql, "\n\n"]);
    }

    fn add_list(&mut self, name: &str, list: &CatalogList<'_>, cursor: Option<&(Key, i64)>) {
        self.add(name, &list.select(cursor, None, self.dialect).unwrap());
    }
}

fn filter(text: &str) -> Expression {
    parse(text).unwrap().unwrap()
}

fn set(filters: &[Expression]) -> CatalogSet<'_> {
    CatalogSet { kinds: MODELS, parent_id: None, sources: None, search: None, filters }
}

fn list(set: CatalogSet<'_>, order: CatalogOrder, sort_order: SortOrder) -> CatalogList<'_> {
    CatalogList { set, order, sort_order, page_size: Some(10), page_token: None }
}

fn property(name: &str, value: ValueType) -> CatalogOrder {
    CatalogOrder::Property { name: name.to_owned(), value }
}

/// Every order, and the page after each kind of cursor.
fn orders(statements: &mut Statements) {
    use SortOrder::{Ascending, Descending};
    let set = set(&[]);
    statements.add_list("first page", &list(set, CatalogOrder::Id, Ascending), None);
    statements.add_list("page after an id", &list(set, CatalogOrder::Id, Descending), Some(&(Key::Int(7), 7)));
    let name = Key::String("b\u{1}B".to_owned());
    statements.add_list("page after a name", &list(set, CatalogOrder::Name, Descending), Some(&(name, 7)));
    let time = (Key::Int(1_000), 7);
    statements.add_list("page after a creation time", &list(set, CatalogOrder::CreateTime, Ascending), Some(&time));
    let by_update = list(set, CatalogOrder::LastUpdateTime, Descending);
    statements.add_list("page after an update time", &by_update, Some(&time));
    let by_size = list(set, property("size", ValueType::Int), Ascending);
    statements.add_list("page after an integer property", &by_size, Some(&(Key::Int(3), 7)));
    statements.add_list("page after a row without the property", &by_size, Some(&(Key::Absent, 7)));
    let by_accuracy = list(set, property("accuracy", ValueType::Double), Descending);
    statements.add_list("page after a double property", &by_accuracy, Some(&(Key::Double(0.5), 7)));
    let by_readme = list(set, property("readme", ValueType::String), Ascending);
    let prefix = Key::String("# A".to_owned());
    statements.add_list("page after a string property", &by_readme, Some(&(prefix, 7)));
    let filters = [filter("provider = 'p' AND artifacts.hardware = 'L4'")];
    let order = CatalogOrder::ArtifactProperty { name: "ttft_p90".to_owned(), value: ValueType::Double };
    let by_latency = list(self::set(&filters), order, Ascending);
    statements.add_list("first page by a property of the artifacts that match", &by_latency, None);
    let all = CatalogList { page_size: None, ..list(set, CatalogOrder::Name, Ascending) };
    statements.add_list("all rows", &all, None);
}

fn by_id(set: CatalogSet<'_>) -> CatalogList<'_> {
    list(set, CatalogOrder::Id, SortOrder::Ascending)
}

/// Every condition of a set.
fn conditions(statements: &mut Statements) {
    let sources = ["a".to_owned(), "b".to_owned()];
    statements.add_list("of sources", &by_id(CatalogSet { sources: Some(&sources), ..set(&[]) }), None);
    statements.add_list("search", &by_id(CatalogSet { search: Some("50%_A!"), ..set(&[]) }), None);
    let tools = CatalogSet { kinds: &[CatalogKind::McpTool], parent_id: Some(7), ..set(&[]) };
    statements.add_list("tools of a server", &by_id(tools), None);
    let artifacts = CatalogSet { kinds: &CatalogKind::ARTIFACTS, parent_id: Some(7), ..set(&[]) };
    statements.add_list("artifacts of a model", &by_id(artifacts), None);
    for (name, text) in [
        ("filter by three properties", "provider = 'p' AND size > 3 AND accuracy > 0.5"),
        ("filter by the elements of a list", "tasks IN ('chat', 'rag') OR NOT tasks = 'chat'"),
        ("filter by columns", "name ILIKE 'a%' AND source_id = 'a' AND createTimeSinceEpoch > 1000"),
        ("filter by one artifact", "artifacts.hardware = 'L4' AND artifacts.rps > 1"),
    ] {
        let filters = [filter(text)];
        statements.add_list(name, &by_id(set(&filters)), None);
    }
    let servers = [filter("base_name = 's' AND sast = true AND toolCount > 3")];
    let servers = CatalogSet { kinds: &[CatalogKind::McpServer], ..set(&servers) };
    statements.add_list("filter on servers", &by_id(servers), None);
    let filters = [filter("provider = 'p' AND artifacts.hardware = 'L4'")];
    let filtered = set(&filters);
    statements.add("ids by name", &filtered.select_ids_by_name(statements.dialect).unwrap());
    let artifacts = filtered.select_artifacts(CatalogKind::PerformanceMetrics, statements.dialect).unwrap();
    statements.add("artifacts of a filtered set", &artifacts);
    let size = filtered.select_size_of_artifacts(CatalogKind::PerformanceMetrics, statements.dialect).unwrap();
    statements.add("the size of these", &size);
}

/// The reads that belong to lists.
fn reads(statements: &mut Statements) {
    statements.add("generation", &select_generation());
    statements.add("item by id", &select_by_id(CatalogKind::Model, 7, 65_536, statements.dialect));
    statements.add("counts of artifacts", &count_artifacts(7));
    statements.add("children", &select_children(CatalogKind::McpTool, &[7, 8], statements.dialect));
    statements.add(
        "rows that the index selected",
        &index::select_rows(CatalogKind::Model, vec![7, 8, 9], 65_536, statements.dialect),
    );
    for (name, select) in filter_options::sample_statements() {
        statements.add(name, &select);
    }
}

fn statements(dialect: Dialect) -> String {
    let mut statements = Statements { dialect, text: String::new() };
    orders(&mut statements);
    conditions(&mut statements);
    reads(&mut statements);
    statements.text
}

#[test]
fn statements_of_sqlite() {
    insta::assert_snapshot!(statements(Dialect::Sqlite));
}

#[test]
fn statements_of_postgresql() {
    insta::assert_snapshot!(statements(Dialect::Postgres));
}

#[test]
fn statements_of_mysql() {
    insta::assert_snapshot!(statements(Dialect::MySql));
}

#[test]
fn prefilters_of_sqlite() {
    let mut statements = Statements { dialect: Dialect::Sqlite, text: String::new() };
    let filters = [filter("provider = 'p' AND size > 3 AND artifacts.hardware = 'L4'")];
    let set = CatalogSet { search: Some("llama \"8b\""), ..set(&filters) };
    let list = list(set, CatalogOrder::Id, SortOrder::Ascending);
    let selections = prefilter::selections(&list).unwrap();
    statements.add("count the matches of each condition", &prefilter::count_matches(&selections));
    let candidates = prefilter::candidates(prefilter::selections(&list).unwrap(), 0);
    let select = list.select(None, Some(candidates), Dialect::Sqlite).unwrap();
    statements.add("page among the matches of the first condition", &select);
    let last = selections.len() - 1;
    let candidates = prefilter::candidates(selections, last);
    let select = list.select(None, Some(candidates), Dialect::Sqlite).unwrap();
    statements.add("page among the matches of the search", &select);
    insta::assert_snapshot!(statements.text);
}
