//! Files that expand without bound, and characters that databases reject.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use model_registry_catalog::{Settings, check};
use model_registry_testkit::{Backend, on_each_database};

use crate::support::{Api, Files};

on_each_database!(an_item_with_a_null_character_is_skipped_alone);

const SOURCES: &str = "\
model_catalogs:
- {id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}
mcp_catalogs:
- {id: t, type: yaml, properties: {yamlCatalogPath: t.yaml}}
";

/// Ten levels of lists of ten aliases, as items of a list or values of keys: a "billion laughs" attack.
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

/// A string of one megabyte with 1100 aliases.
fn repeated(item: &str) -> String {
    format!("{item}&long {}\n{}", "x".repeat(1 << 20), format!("{item}*long\n").repeat(1_100))
}

/// The result of `check` in a child process.
struct Checked {
    problems: Vec<String>,
    /// Status and number of items of each source.
    sources: Vec<String>,
    /// Peak memory of the child, in MiB.
    peak: u64,
}

/// The variable with the directory that the child checks.
const DIRECTORY: &str = "MR_TEST_CHECK_DIRECTORY";

/// Checks a directory in a child process, whose peak memory is not that of the tests that ran before.
fn check_in_child(files: &Files) -> Checked {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "limits::prints_the_result_of_a_check", "--ignored", "--nocapture"])
        .env(DIRECTORY, files.path(""))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).unwrap();
    let lines =
        |prefix: &str| printed.lines().filter_map(|line| line.strip_prefix(prefix)).map(str::to_owned).collect();
    let peaks: Vec<String> = lines("VmHWM: ");
    let peak = peaks[0].trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10;
    Checked { problems: lines("problem: "), sources: lines("source: "), peak }
}

#[test]
#[ignore = "runs in the child process of other tests"]
fn prints_the_result_of_a_check() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let sources = vec![Path::new(&directory).join("sources.yaml")];
    let report = check(&Settings { sources, ..Settings::default() });
    for problem in &report.problems {
        println!("problem: {problem}");
    }
    for source in &report.sources {
        println!("source: {} {}", source.status, source.items);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM:")).unwrap().replace('\t', " "));
}

#[test]
fn a_data_file_that_expands_without_bound_is_reported_and_the_others_are_loaded() {
    for (items, expected) in [
        (bomb("- "), "aliases expand to more than 1000000 values"),
        (format!("- {}\n", deep()), "lists and maps are nested more than 32 levels deep"),
        (repeated("- "), "more than 1024 MiB of text after expanding aliases"),
        (format!("- {{name: m, tasks: [{}]}}\n", "x, ".repeat(1_000_001)), "more than 1000000 values in one item"),
    ] {
        for (broken, list, other) in [("a.yaml", "models", "t.yaml"), ("t.yaml", "mcp_servers", "a.yaml")] {
            let other_list = if list == "models" { "mcp_servers" } else { "models" };
            let files = Files::new(&[("sources.yaml", SOURCES), (other, &format!("{other_list}: [{{name: good}}]\n"))]);
            files.write(broken, &format!("{list}:\n{items}"));
            let Checked { problems, mut sources, peak } = check_in_child(&files);
            assert_eq!(problems.len(), 1, "{expected}: {problems:?}");
            let problem = &problems[0];
            assert!(problem.contains(expected) && problem.contains(&format!("/{broken}:")), "{expected}: {problem}");
            sources.sort();
            assert_eq!(sources, ["available 1", "error 0"]);
            // Fully expanded, the smallest of them takes a gigabyte.
            assert!(peak < 512, "{expected}: {peak} MiB");
        }
    }
}

#[test]
fn a_sources_file_that_expands_without_bound_is_reported() {
    for (text, expected) in [
        (bomb("k#: "), "aliases expand to more than 1000000 values"),
        (format!("catalogs: {}\n", deep()), "lists and maps are nested more than 32 levels deep"),
        (format!("labels:\n{}", repeated("- ")), "more than 64 MiB of text after expanding aliases"),
        ("labels: [a]\nlabels: [b]\n".to_owned(), "`labels`: duplicate key, first in line 1"),
    ] {
        let files = Files::new(&[("sources.yaml", &text)]);
        let Checked { problems, sources, peak } = check_in_child(&files);
        assert_eq!((problems.len(), sources.len()), (1, 0), "{expected}");
        assert!(problems[0].contains(expected), "{expected}: {}", problems[0]);
        assert!(peak < 512, "{expected}: {peak} MiB");
    }
}

// PostgreSQL rejects strings with a null character: one of them would fail the whole load.
async fn an_item_with_a_null_character_is_skipped_alone(backend: Backend) {
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
    let settings = Settings { performance_metrics: vec![files.path("measured")], ..files.settings() };
    let api = Api::on(backend, settings).await;
    // The JSON text of a list contains an escape; only its elements would have a null character.
    assert_eq!(api.names("models").await, ["artifact", "good", "list"]);
    assert_eq!(api.get("sources/a/models/artifact/artifacts").await.json()["size"], 0);
    assert_eq!(api.names("/api/mcp_catalog/v1alpha1/mcp_servers").await, ["good", "tool"]);
    let artifacts = api.get("sources/a/models/good/artifacts").await.json();
    assert_eq!(artifacts["size"], 2, "{artifacts}");
    let sources = api.get("sources").await.json();
    let error = sources["items"][0]["error"].as_str().unwrap();
    for part in [
        "model \"text\" is left out: `description`: expected a string without null characters, found `a\\0b`",
        "model \"name\\0\" is left out",
        "model \"property\" is left out: `customProperties`: expected a string without null characters, found `k\\0`",
        "failed to read 1 performance metrics record(s)",
        "performance.ndjson:1:12: `gpu` contains a null character and is left out",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}
