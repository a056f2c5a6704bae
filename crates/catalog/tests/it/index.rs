//! Lists read with the index in memory are the same, byte for byte, as lists read by the database alone.

use std::fmt::Write;

use model_registry_catalog_store::{CatalogKind, ListCounts, PropertyOptions};
use model_registry_testkit::{Backend, on_each_database, seed};

use crate::support::{Api, Files};

const LISTS: usize = 400;
const SOURCES: &str = "model_catalogs:\n\
    - {id: a, name: A, type: yaml, labels: [first], properties: {yamlCatalogPath: a.yaml}}\n\
    - {id: b, name: B, type: yaml, labels: [second], properties: {yamlCatalogPath: b.yaml}}\n";

/// Random numbers that depend on the seed alone.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Models with few values each, some absent, some of several types, so that conditions meet.
fn file(numbers: &mut Numbers, prefix: &str) -> String {
    let mut text = String::from("models:\n");
    for number in 0..60 {
        let name = if numbers.below(4) == 0 { format!("shared-{number}") } else { format!("{prefix}-Model-{number}") };
        let _ = write!(text, "- {{name: {name}");
        if numbers.below(3) > 0 {
            let _ = write!(text, ", provider: {}", numbers.one_of(&["Äpfel", "apple", "Apple", "a%b", "a_b", "a!b"]));
        }
        if numbers.below(3) > 0 {
            let _ = write!(text, ", tasks: [{}, {}]", numbers.one_of(&["x", "y"]), numbers.one_of(&["y", "z"]));
        } else if numbers.below(2) == 0 {
            text.push_str(", tasks: []");
        }
        if numbers.below(4) == 0 {
            // Some are longer than a page token may be, and than the index holds.
            let _ = write!(text, ", readme: {}", "long ".repeat(1 + numbers.below(1_200)));
        }
        text.push_str(", customProperties: {");
        for property in ["size", "stage"] {
            let _ = match numbers.below(5) {
                0 => {
                    write!(text, "{property}: {{metadataType: MetadataIntValue, int_value: '{}'}}, ", numbers.below(5))
                }
                1 => {
                    write!(
                        text,
                        "{property}: {{metadataType: MetadataDoubleValue, double_value: {}.5}}, ",
                        numbers.below(5)
                    )
                }
                2 => {
                    let value = numbers.one_of(&["1", "two", "Two", "[\"p\",\"q\"]", "[]"]);
                    write!(text, "{property}: {{metadataType: MetadataStringValue, string_value: '{value}'}}, ")
                }
                3 => write!(
                    text,
                    "{property}: {{metadataType: MetadataBoolValue, bool_value: {}}}, ",
                    numbers.below(2) == 0
                ),
                _ => Ok(()),
            };
        }
        text.push_str("}, artifacts: [");
        for artifact in 0..numbers.below(4) {
            let (hardware, count) = (numbers.one_of(&["L4", "H100", "h100"]), numbers.below(3));
            let _ = write!(
                text,
                "{{artifactType: metrics-artifact, metricsType: performance-metrics, name: m{artifact}, customProperties: {{\
                 hw: {{metadataType: MetadataStringValue, string_value: {hardware}}}, \
                 n: {{metadataType: MetadataIntValue, int_value: '{count}'}}, \
                 t: {{metadataType: MetadataDoubleValue, double_value: {}.25}}}}}}, ",
                numbers.below(4)
            );
        }
        text.push_str("]}\n");
    }
    text
}

const CONDITIONS: [&str; 46] = [
    "provider='apple'",
    "provider!='apple'",
    "provider LIKE 'a!%'",
    "provider LIKE 'a\\\\%%'",
    "provider LIKE '_pple'",
    "provider ILIKE 'ä%'",
    "provider NOT ILIKE 'APPLE'",
    "provider IN ('apple','a_b')",
    "provider NOT IN ('apple','a_b')",
    "provider IS NULL",
    "provider > 'a'",
    "name LIKE '%Model%'",
    "name ILIKE 'A-MODEL-1%'",
    "name='shared-3'",
    "source_id='a'",
    "id > 40",
    "createTimeSinceEpoch IS NOT NULL",
    "externalId IS NULL",
    "tasks='x'",
    "tasks!='x'",
    "tasks NOT LIKE 'y%'",
    "tasks NOT IN ('x','z')",
    "tasks IS NULL",
    "tasks.int_value!=1",
    "stage.array_value!='p'",
    "provider LIKE '\\\\apple'",
    "provider.double_value IS NULL",
    "readme IS NULL",
    "readme LIKE 'long%'",
    "size=2",
    "size!=2",
    "size>1",
    "size<=2.5",
    "size BETWEEN 1 AND 3",
    "size NOT BETWEEN 1 AND 3",
    "size='two'",
    "size=true",
    "size.int_value IN (1,2)",
    "size IN (1,'two',true)",
    "stage IS NOT NULL",
    "stage.string_value IS NOT NULL",
    "stage.array_value='p'",
    "artifacts.hw='H100'",
    "artifacts.hw ILIKE 'h100'",
    "artifacts.n>0",
    "artifacts.t<2",
];

fn filter(numbers: &mut Numbers, depth: usize) -> String {
    match numbers.below(if depth == 0 { 1 } else { 5 }) {
        1 => format!("({} AND {})", filter(numbers, depth - 1), filter(numbers, depth - 1)),
        2 => format!("({} OR {})", filter(numbers, depth - 1), filter(numbers, depth - 1)),
        3 => format!("NOT {}", filter(numbers, depth - 1)),
        // Without parentheses, conditions on artifacts have to hold for one and the same artifact.
        4 => format!("({} AND {} AND {})", filter(numbers, 0), filter(numbers, 0), filter(numbers, 0)),
        _ => numbers.one_of(&CONDITIONS).to_owned(),
    }
}

fn list(numbers: &mut Numbers) -> String {
    let mut list = format!("models?pageSize={}", 1 + numbers.below(30));
    if numbers.below(5) > 0 {
        let filter = filter(numbers, 3).replace('%', "%25").replace('\\', "%5C");
        let filter = filter.replace('<', "%3C").replace('>', "%3E").replace('ä', "%C3%A4");
        let _ = write!(list, "&filterQuery={filter}");
    }
    if numbers.below(4) == 0 {
        let _ = write!(list, "&q={}", numbers.one_of(&["model", "APP", "a%25b", "a_b", "x", "%C3%A4", "absent"]));
    }
    if numbers.below(4) == 0 {
        let _ = write!(list, "&sourceLabel={}", numbers.one_of(&["first", "second"]));
    }
    let orders = [
        "ID",
        "NAME",
        "CREATE_TIME",
        "LAST_UPDATE_TIME",
        "size.int_value",
        "size.double_value",
        "stage.string_value",
        "provider.string_value",
        "readme.string_value",
        "artifacts.n.int_value",
        "artifacts.t.double_value",
        "artifacts.hw.string_value",
    ];
    let _ = write!(list, "&orderBy={}&sortOrder={}", numbers.one_of(&orders), numbers.one_of(&["ASC", "DESC"]));
    list
}

on_each_database!(
    any_list_is_the_same_with_the_index_and_without,
    filter_options_are_the_same_with_the_index_and_without,
    a_list_never_mixes_two_loads,
    an_index_of_an_earlier_load_is_not_used,
);

async fn any_list_is_the_same_with_the_index_and_without(backend: Backend) {
    let mut numbers = Numbers(seed());
    let (a, b) = (file(&mut numbers, "a"), file(&mut numbers, "b"));
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &a), ("b.yaml", &b)]);
    let api = Api::on(backend, files.settings()).await;
    let lists: Vec<String> = (0..LISTS).map(|_| list(&mut numbers)).collect();
    let mut alone = Vec::new();
    for list in &lists {
        alone.push(pages(&api, list).await);
    }
    let counts = api.catalog.store().list_counts();
    assert_eq!(counts.with_index, 0, "the index is not built yet");
    api.catalog.index().await.unwrap();
    let (mut with_several_pages, mut with_index) = (0, 0);
    for (list, alone) in lists.iter().zip(&alone) {
        let before = api.catalog.store().list_counts();
        let indexed = pages(&api, list).await;
        assert!(indexed == *alone, "{list}:\n{}\nwith the index\n{}", alone.join("\n"), indexed.join("\n"));
        let after = api.catalog.store().list_counts();
        if needs_index(list) {
            assert_eq!(after.without_index, before.without_index, "read without the index: {list}");
            with_index += after.with_index - before.with_index;
        }
        with_several_pages += usize::from(alone.len() > 1);
    }
    assert!(with_several_pages > LISTS / 4, "too few lists have several pages: {with_several_pages}");
    assert!(with_index > LISTS as u64, "too few pages were read with the index: {with_index}");
}

/// Whether the list is read with the index: it compares something besides columns in the order of an index of the database,
/// and the index holds the values. Cards are too long for it.
fn needs_index(list: &str) -> bool {
    let compares = list.contains("filterQuery=") || list.contains("&q=") || list.contains("_value&sortOrder");
    compares && !list.contains("readme")
}

async fn filter_options_are_the_same_with_the_index_and_without(backend: Backend) {
    let mut numbers = Numbers(seed());
    let (a, mut b) = (file(&mut numbers, "a"), file(&mut numbers, "b"));
    // More values than are offered as a choice, and values too long for that.
    for number in 0..60 {
        let value = format!("code: {{metadataType: MetadataStringValue, string_value: c{number}}}");
        let long = format!("text: {{metadataType: MetadataStringValue, string_value: {}}}", "x".repeat(number * 20));
        let _ = writeln!(b, "- {{name: n{number}, customProperties: {{{value}, {long}}}}}");
    }
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &a), ("b.yaml", &b)]);
    let api = Api::on(backend, files.settings()).await;
    let database = api.store.database().unwrap();
    let options = async || {
        let mut all = Vec::new();
        for kinds in [&[CatalogKind::Model][..], &CatalogKind::ARTIFACTS, &[CatalogKind::McpServer]] {
            let mut options = api.catalog.store().options(kinds).await.unwrap();
            options.retain(|_, options| *options != PropertyOptions::default());
            all.push(options);
        }
        all
    };
    let alone = options().await;
    assert!(alone[0].len() > 5 && alone[1].len() > 2, "{alone:?}");
    api.catalog.index().await.unwrap();
    let (statements, indexed) = (database.statements(), options().await);
    assert_eq!(indexed, alone);
    assert_eq!(database.statements() - statements, 3, "one each, which compares the generation");
}

// The rows of a page are read after the index selected them: a load in between must not be mixed with the one before.
async fn a_list_never_mixes_two_loads(backend: Backend) {
    let model = |round: usize, number: usize| {
        let round = format!("round: {{metadataType: MetadataIntValue, int_value: '{round}'}}");
        format!("- {{name: m{number}, provider: p, customProperties: {{{round}}}}}\n")
    };
    let file = |round| format!("models:\n{}", (0..20).map(|number| model(round, number)).collect::<String>());
    let files = Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &file(0)), ("b.yaml", "models: []\n")]);
    let api = Api::on(backend, files.settings()).await;
    let loads = async {
        for round in 1..12 {
            files.write("a.yaml", &file(round));
            api.catalog.load().await.unwrap();
            if round % 2 == 0 {
                api.catalog.index().await.unwrap();
            }
        }
    };
    let mut is_done = false;
    let mut loads = std::pin::pin!(loads);
    let mut seen = 0;
    while !is_done {
        let response = tokio::select! {
            biased;
            () = &mut loads, if !is_done => { is_done = true; continue }
            response = api.get("models?pageSize=100&filterQuery=provider='p' AND round%3E=0") => response,
        };
        let items = response.json()["items"].as_array().unwrap().clone();
        let round = |item: &serde_json::Value| item["customProperties"]["round"]["int_value"].clone();
        assert_eq!(items.len(), 20);
        assert!(items.iter().all(|item| round(item) == round(&items[0])), "{items:?}");
        seen += 1;
    }
    assert!(seen > 0);
}

async fn an_index_of_an_earlier_load_is_not_used(backend: Backend) {
    let files = Files::new(&[
        ("sources.yaml", SOURCES),
        ("a.yaml", "models: [{name: m, provider: p}]"),
        ("b.yaml", "models: []"),
    ]);
    let api = Api::on(backend, files.settings()).await;
    let store = api.catalog.store();
    api.catalog.index().await.unwrap();
    for (list, expected) in [("models?filterQuery=provider='p'", &["m"][..]), ("models?filterQuery=provider='q'", &[])]
    {
        assert_eq!(api.names(list).await, expected);
    }
    assert_eq!(store.list_counts(), ListCounts { with_index: 2, without_index: 0 });
    files.write("a.yaml", "models: [{name: m, provider: q}, {name: n, provider: q}]");
    api.catalog.load().await.unwrap();
    // Each is read with the index, found to be of an earlier load, and read again: one that found nothing as well.
    for (list, expected) in
        [("models?filterQuery=provider='p'", &[][..]), ("models?filterQuery=provider='q'", &["m", "n"])]
    {
        assert_eq!(api.names(list).await, expected);
    }
    assert_eq!(store.list_counts(), ListCounts { with_index: 2, without_index: 2 });
    api.catalog.index().await.unwrap();
    assert_eq!(api.names("models?filterQuery=provider='q'").await, ["m", "n"]);
    assert_eq!(store.list_counts(), ListCounts { with_index: 3, without_index: 2 });
}

/// The bodies of all pages.
async fn pages(api: &Api, list: &str) -> Vec<String> {
    let (mut pages, mut token) = (Vec::new(), String::new());
    loop {
        let response = api.get(&format!("{list}&nextPageToken={token}")).await;
        assert_eq!(response.status, 200, "{list}: {}", response.message());
        response.json()["nextPageToken"].as_str().unwrap().clone_into(&mut token);
        pages.push(String::from_utf8(response.bytes).unwrap());
        if token.is_empty() {
            return pages;
        }
    }
}
