use std::fmt::Write;
use std::path::PathBuf;

use super::*;

fn load(files: &[&str]) -> (Configuration, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..files.len()).map(|index| directory.path().join(format!("{index}.yaml"))).collect();
    for (path, text) in paths.iter().zip(files) {
        std::fs::write(path, text).unwrap();
    }
    let (configuration, problems) = SourcesFiles::default().load(&paths);
    let prefix = format!("{}/", directory.path().display());
    (configuration, problems.iter().map(|problem| problem.to_string().replace(&prefix, "")).collect())
}

#[test]
fn a_later_file_wins_field_by_field() {
    let first = "model_catalogs:\n- {id: a, name: A, type: yaml, enabled: false, labels: [x], properties: {yamlCatalogPath: a.yaml}}\n";
    let second = "catalogs:\n- {id: a, enabled: true, includedModels: ['m*']}\n";
    let (configuration, problems) = load(&[first, second]);
    assert_eq!(problems, [""; 0]);
    let source = &configuration.sources["a"];
    assert!(source.enabled && source.name == "A" && source.labels == ["x"]);
    assert_eq!(source.included.as_deref(), Some(["m*".to_owned()].as_slice()));
    assert!(source.origin.ends_with("0.yaml"));
}

#[test]
fn a_mistake_in_a_source_makes_only_that_source_unusable() {
    let text = "\
model_catalogs:
- id: typo
  nmae: A
- id: wrong
  enabled: maybe
- {id: good, type: yaml, properties: {yamlCatalogPath: a.yaml}}
- id: list
  labels: {a: b}
- id: twice
  type: yaml
  type: hf
- id: asset
  assetType: models_
- id: pattern
  includedModels: ['']
- id: good
mcp_catalogs:
- {id: good, type: yaml}
- {id: servers, includedModels: []}
- {id: moved, assetType: agents}
agent_catalogs:
- {id: agents, assetType: agents, includedAgents: []}
";
    let (configuration, problems) = load(&[text]);
    let problem = |id: &str| {
        let problem = configuration.sources[id].problem.as_ref().map(ToString::to_string).unwrap_or_default();
        problem.split_once("0.yaml:").map(|(_, problem)| problem.to_owned()).unwrap_or_default()
    };
    assert_eq!(problem("typo"), "");
    assert_eq!(problem("wrong"), "5:12: source `wrong`: `enabled`: expected true or false, found `maybe`");
    assert_eq!(problem("list"), "8:11: source `list`: `labels`: expected a list, found a map");
    assert_eq!(problem("twice"), "11:3: source `twice`: `type`: duplicate key, first in line 10");
    assert_eq!(
        problem("asset"),
        "13:14: source `asset`: invalid assetType 'models_': sources of the section `model_catalogs` have `models`"
    );
    assert_eq!(problem("pattern"), "15:20: source `pattern`: includedModels[0]: pattern cannot be empty");
    assert_eq!(
        problem("servers"),
        "19:17: source `servers`: unknown key `includedModels`, which seems to limit what is published: the source is not read, \
         did you mean `includedServers`?"
    );
    assert_eq!(
        problem("moved"),
        "20:26: source `moved`: invalid assetType 'agents': sources of the section `mcp_catalogs` have `mcp_servers`"
    );
    assert_eq!(
        problem("agents"),
        "22:35: source `agents`: unknown key `includedAgents`, which seems to limit what is published: the source is not read"
    );
    assert_eq!(problem("good"), "");
    assert_eq!(configuration.sources["good"].source_type, "yaml");
    assert_eq!(
        problems,
        [
            "0.yaml:3:3: source `typo`: unknown key `nmae`, which is ignored, did you mean `name`?",
            "0.yaml:16:3: duplicate model catalog id: good: this one is left out",
            "0.yaml:18:3: id \"good\" used in both model_catalogs and mcp_catalogs: this one is left out",
        ]
    );
}

#[test]
fn an_unusable_source_keeps_its_last_valid_content() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("sources.yaml");
    let mut files = SourcesFiles::default();
    std::fs::write(&path, "catalogs: [{id: a, type: hf, includedModels: ['x/*']}]").unwrap();
    let (before, _) = files.load(std::slice::from_ref(&path));
    for _ in 0..2 {
        std::fs::write(&path, "catalogs: [{id: a, type: hf, includedModels: {}}]").unwrap();
        let (configuration, _) = files.load(std::slice::from_ref(&path));
        let source = &configuration.sources["a"];
        assert!(source.problem.is_some());
        assert_eq!(Source { problem: None, ..source.clone() }, before.sources["a"]);
    }
}

#[test]
fn a_file_or_section_that_is_unclear_has_no_entries() {
    let sections: Vec<&str> = AssetType::ALL.iter().flat_map(|known| known.spec().sources.keys).copied().collect();
    let none_of = format!(
        "0.yaml:1:1: has none of the sections {}, labels, namedQueries (unknown key `model_catalog`, did you mean \
         `model_catalogs`?): nothing is changed; write `model_catalogs: []` to remove its sources",
        sections.join(", ")
    );
    for (text, problem) in [
        ("model_catalog: []", none_of.as_str()),
        (
            "labels: 3",
            "0.yaml:1:9: `labels`: expected a list, found `3`: what it had stays; write `labels: []` to remove it",
        ),
        ("labels: []\nlabels: []", "0.yaml:2:1: `labels`: duplicate key, first in line 1"),
        ("catalogs:\n- {name: A}", "0.yaml:2:3: model catalog source missing id: it is left out"),
        (
            "catalogs:\n- {idd: A}",
            "0.yaml:2:3: model catalog source missing id (unknown key `idd`, did you mean `id`?): it is left out",
        ),
        ("", "0.yaml: is empty: nothing is changed; write `model_catalogs: []` to remove its sources"),
        (
            "- a",
            "0.yaml:1:1: expected a map, found a list: nothing is changed; write `model_catalogs: []` to remove its sources",
        ),
        (
            "namedQueries: [a]",
            "0.yaml:1:15: `namedQueries`: expected a map of queries, found a list: what it had stays; write `namedQueries: {}` to \
             remove it",
        ),
    ] {
        let (configuration, problems) = load(&[text]);
        assert_eq!(problems, [problem], "{text}");
        assert!(configuration.sources.is_empty(), "{text}");
    }
}

#[test]
fn bad_labels_and_named_queries_are_left_out_alone() {
    let (configuration, problems) = load(&["\
labels:
- {name: x}
- {name: x}
- just a string
- {displayName: nameless}
- {name: v, description: 7}
- {name: w, name: w}
- {name: last}
namedQueries:
  good: {size: {operator: =, value: 7B, valeu: 8B}}
  good: {size: {operator: =, value: 8B}}
  full: {assetTyp: mcp_servers, filters: {size: {operator: =, value: 7B}}}
  text: quick
  nameless: {}
  between: {size: {operator: BETWEEN, value: 1}}
"]);
    let names: Vec<_> = configuration.labels.iter().map(|label| label.name()).collect();
    assert_eq!(names, [Some("x"), Some("v"), Some("last")]);
    assert_eq!(configuration.labels[1].string("description"), Some("7"));
    assert_eq!(configuration.named_queries.keys().collect::<Vec<_>>(), ["full", "good"]);
    assert_eq!(
        problems,
        [
            "0.yaml:3:3: duplicate label name 'x': this one is left out",
            "0.yaml:4:3: invalid label: expected a map, found `just a string`",
            "0.yaml:5:3: invalid label: missing required 'name' field",
            "0.yaml:7:13: invalid label: `name`: duplicate key, first in line 7",
            "0.yaml:10:41: named query 'good' has the unknown key `valeu`, which is ignored, did you mean `value`?",
            "0.yaml:11:3: duplicate named query 'good': this one is left out",
            "0.yaml:12:10: named query 'full' has the unknown key `assetTyp`, which is ignored, did you mean `assetType`?",
            "0.yaml:13:9: named query 'text' is not a map",
            "0.yaml:14:13: named query 'nameless' must contain at least one field filter",
            "0.yaml:15:30: unsupported operator 'BETWEEN' for field 'size' in named query 'between'",
        ]
    );
}

#[test]
fn labels_and_sources_that_contradict_an_earlier_file_are_left_out() {
    let (_, problems) = load(&[
        "labels: [{name: x}]\ncatalogs: [{id: a}]",
        "labels:\n- {name: x}\n- {name: z}\nmcp_catalogs: [{id: a}]\n",
    ]);
    assert_eq!(problems.len(), 2);
    assert_eq!(problems[0], "1.yaml:4:16: id \"a\" used in both model_catalogs and mcp_catalogs: this one is left out");
    assert!(problems[1].contains("1.yaml:2:3: label with name 'x' already exists in "), "{problems:?}");
}

#[test]
fn unknown_properties_and_those_of_the_wrong_type_are_ignored_with_a_notice() {
    let text = "\
catalogs:
- id: hub
  type: hf
  properties:
    syncInterval: daily
    maxModels: '500'
    organisation: acme
    url: https://hub.example
- {id: file, type: yaml, properties: {yamlCatalogpath: a.yaml, excludedModels: a}}
- {id: off, type: hf, enabled: false, properties: {colour: red}}
";
    let (_, problems) = load(&[text]);
    assert_eq!(
        problems,
        [
            "0.yaml:9:56: source `file`: property `yamlCatalogpath` is ignored: unknown, did you mean `yamlCatalogPath`?",
            "0.yaml:6:16: source `hub`: property `maxModels` is ignored: expected a whole number without quotes, \
             found \"500\"",
            "0.yaml:7:19: source `hub`: property `organisation` is ignored: unknown for sources of type hf",
            "0.yaml:5:19: source `hub`: property `syncInterval` is ignored: expected a duration such as 30m or 1d, found \"daily\"",
        ]
    );
    // A later file has the last word, and its position.
    let (_, problems) =
        load(&[text, "catalogs:\n- id: hub\n  properties:\n   maxModels: x\n- {id: file, enabled: false}\n"]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("1.yaml:4:15: source `hub`: property `maxModels`"), "{problems:?}");
}

#[test]
fn nested_aliases_are_rejected_before_they_expand() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        let list = [previous.as_str(); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{list}]").unwrap();
    }
    let (_, problems) = load(&[&bomb]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("aliases expand to more than 1000000 values"), "{problems:?}");
}

#[test]
fn named_queries_have_two_forms() {
    let (configuration, problems) = load(&[
        "namedQueries:\n  old: {size: {operator: in, value: [a]}}\n  new: {assetType: mcp_servers, filters: {sast: {operator: '=', value: true}}}\n",
    ]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(configuration.named_queries["old"].asset_type, AssetType::Models);
    let filter = to_filter(&configuration.named_queries["new"], |_, _| None).unwrap().unwrap();
    assert_eq!(filter.to_string(), "sast = true");
    let (_, problems) = load(&["namedQueries: {bad: {f: {operator: BETWEEN, value: 1}}}"]);
    assert!(problems[0].ends_with("unsupported operator 'BETWEEN' for field 'f' in named query 'bad'"), "{problems:?}");
}

#[test]
fn strings_are_read_as_they_are_written() {
    let text = "\
model_catalogs:
- {id: 7, name: yes, type: hf, labels: [on, 1.0], includedModels: [no/*], properties: {allowedOrganization: 0123, apiKeyEnvVar: no}}
labels:
- {name: on, displayName: 1.10}
- {name: ~}
namedQueries:
  yes: {size: {operator: =, value: '7B'}}
";
    let (configuration, problems) = load(&[text]);
    assert_eq!(problems, [""; 0]);
    let source = &configuration.sources["7"];
    assert_eq!(
        (source.name.as_str(), source.labels.as_slice()),
        ("yes", ["on".to_owned(), "1.0".to_owned()].as_slice())
    );
    assert_eq!(source.string_property("allowedOrganization"), Some("0123"));
    assert_eq!(source.string_property("apiKeyEnvVar"), Some("no"));
    assert_eq!(configuration.labels[0].name(), Some("on"));
    assert_eq!(configuration.labels[0].string("displayName"), Some("1.10"));
    assert_eq!(configuration.labels[1].name(), None);
    assert!(configuration.named_queries.contains_key("yes"));
}

#[test]
fn a_named_query_of_the_older_form_may_have_an_asset_type_and_keys_of_a_newer_publisher() {
    let (configuration, problems) = load(&["\
namedQueries:
  servers: {assetType: mcp_servers, sast: {operator: '=', value: true}, order: 3}
  field: {assetType: {operator: '=', value: x}}
  none: {description: nothing else}
"]);
    assert_eq!(configuration.named_queries["servers"].asset_type, AssetType::McpServers);
    assert_eq!(configuration.named_queries["servers"].fields.keys().collect::<Vec<_>>(), ["sast"]);
    assert_eq!(configuration.named_queries["field"].fields.keys().collect::<Vec<_>>(), ["assetType"]);
    assert_eq!(
        problems,
        [
            "0.yaml:2:73: named query 'servers' has the unknown key `order`, which is ignored",
            "0.yaml:4:9: named query 'none' must contain at least one field filter",
        ]
    );
}
