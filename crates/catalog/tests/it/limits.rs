//! Files that would grow without bound, and texts that no database takes.

use std::fmt::Write;

use model_registry_catalog::check;
use model_registry_testkit::backends;

use crate::support::{Api, Files};

const SOURCES: &str = "\
model_catalogs:
- {id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}
mcp_catalogs:
- {id: t, type: yaml, properties: {yamlCatalogPath: t.yaml}}
";

/// Ten levels of lists of ten aliases, as items of a list or values of keys.
fn bomb(item: &str) -> String {
    let mut text = format!("{}&a0 [x, x, x, x, x, x, x, x, x, x]\n", item.replace('#', "0"));
    for level in 1..10 {
        let aliases = [format!("*a{}", level - 1).as_str(); 10].join(", ");
        writeln!(text, "{}&a{level} [{aliases}]", item.replace('#', &level.to_string())).unwrap();
    }
    text
}

fn deep() -> String {
    format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))
}

/// A megabyte, a thousand and one times.
fn repeated(item: &str) -> String {
    format!("{item}&long {}\n{}", "x".repeat(1 << 20), format!("{item}*long\n").repeat(1_100))
}

/// How much memory this process has had at most, in MiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

#[test]
fn a_data_file_that_grows_without_bound_is_told_and_the_others_are_read() {
    let before = peak();
    for (what, told) in [
        (bomb("- "), "aliases stand for more than 1000000 values"),
        (format!("- {}\n", deep()), "more than 32 lists and maps within each other"),
        (repeated("- "), "the texts come to more than 1024 MiB with what aliases stand for"),
        (format!("- {{name: m, tasks: [{}]}}\n", "x, ".repeat(1_000_001)), "more than 1000000 values in one item"),
    ] {
        for (broken, list, other) in [("a.yaml", "models", "t.yaml"), ("t.yaml", "mcp_servers", "a.yaml")] {
            let other_list = if list == "models" { "mcp_servers" } else { "models" };
            let files = Files::new(&[("sources.yaml", SOURCES), (other, &format!("{other_list}: [{{name: good}}]\n"))]);
            files.write(broken, &format!("{list}:\n{what}"));
            let report = check(&files.settings());
            assert_eq!(report.problems.len(), 1, "{told}: {:?}", report.problems.first());
            let problem = report.problems[0].to_string();
            assert!(problem.contains(told) && problem.contains(&format!("/{broken}:")), "{told}: {problem}");
            let statuses: Vec<_> = report.sources.iter().map(|source| (source.status, source.items)).collect();
            assert!(statuses.contains(&("error", 0)) && statuses.contains(&("available", 1)), "{statuses:?}");
        }
    }
    // Written out, the least of them is a gigabyte.
    assert!(peak() < before + 512, "{before} MiB and then {} MiB", peak());
}

#[test]
fn a_sources_file_that_grows_without_bound_is_told() {
    for (text, told) in [
        (bomb("k#: "), "aliases stand for more than 1000000 values"),
        (format!("catalogs: {}\n", deep()), "more than 32 lists and maps within each other"),
        (format!("labels:\n{}", repeated("- ")), "the texts come to more than 64 MiB with what aliases stand for"),
        ("labels: [a]\nlabels: [b]\n".to_owned(), "`labels`: the key is there already, in line 1"),
    ] {
        let files = Files::new(&[("sources.yaml", &text)]);
        let report = check(&files.settings());
        assert_eq!((report.problems.len(), report.sources.len()), (1, 0), "{told}");
        assert!(report.problems[0].to_string().contains(told), "{told}: {}", report.problems[0]);
    }
}

// PostgreSQL takes no text with a null character: one of them would keep the whole catalog from being loaded.
#[tokio::test]
async fn an_item_with_a_null_character_harms_no_other() {
    for backend in backends() {
        let files = Files::new(&[
            ("sources.yaml", SOURCES),
            (
                "a.yaml",
                "models:\n- name: good\n- name: \"name\\0\"\n- {name: text, description: \"a\\0b\"}\n\
                 - {name: property, customProperties: {\"k\\0\": {metadataType: MetadataStringValue, string_value: x}}}\n\
                 - {name: artifact, artifacts: [{uri: \"oci://x\\0\"}]}\n\
                 - {name: list, customProperties: {l: {metadataType: MetadataStringValue, string_value: '[\"\\u0000\"]'}}}\n",
            ),
            (
                "t.yaml",
                "mcp_servers:\n- name: good\n- {name: text, tags: [\"a\\0b\"]}\n\
                 - {name: tool, tools: [{name: one, description: \"a\\0b\"}]}\n\
                 - {name: runtime, runtimeMetadata: {mcpPath: \"/\\0\"}}\n",
            ),
        ]);
        std::fs::create_dir(files.path("measured")).unwrap();
        files.write("measured/metadata.json", r#"{"id": "good", "size": "7\u0000B"}"#);
        files.write("measured/performance.ndjson", "{\"rps\": 1, \"gpu\": \"a\\u0000b\"}\n{\"rps\": 2}\n");
        let settings =
            model_registry_catalog::Settings { measurements: vec![files.path("measured")], ..files.settings() };
        let api = Api::on(backend, settings).await;
        // A list is kept as a text that spells it; only its elements are no texts for a database.
        assert_eq!(api.names("models").await, ["good", "list"], "{backend}");
        assert_eq!(api.names("/api/mcp_catalog/v1alpha1/mcp_servers").await, ["good"], "{backend}");
        let artifacts = api.get("sources/a/models/good/artifacts").await.json();
        assert_eq!(artifacts["size"], 2, "{backend}: {artifacts}");
        let sources = api.get("sources").await.json();
        let error = sources["items"][0]["error"].as_str().unwrap();
        for part in [
            "model \"text\" is left out: `description`: expected a text without null characters, found `a\\0b`",
            "model \"name\\0\" is left out",
            "model \"property\" is left out: `customProperties`: expected a text without null characters, found `k\\0`",
            "failed to read 1 measurement(s)",
            "performance.ndjson:1:12: `gpu` contains a null character: it is left out",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}
