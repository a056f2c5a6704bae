use std::fmt::Write;
use std::path::PathBuf;

use super::*;

fn load(files: &[&str]) -> (Configuration, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..files.len()).map(|index| directory.path().join(format!("{index}.yaml"))).collect();
    for (path, text) in paths.iter().zip(files) {
        std::fs::write(path, text).unwrap();
    }
    let (configuration, problems) = Files::default().load(&paths);
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
fn mistakes_are_told_with_their_place() {
    let (configuration, problems) =
        load(&["model_catalogs:\n- id: a\n  nmae: A\n", "mcp_catalogs: [{id: b, type: yaml}]"]);
    assert_eq!(configuration.sources.len(), 1);
    assert!(problems[0].starts_with("0.yaml:3:3: unknown field"), "{problems:?}");
    let (_, problems) = load(&["model_catalogs: [{id: a}]\nmcp_catalogs:\n  - {id: a}\n"]);
    assert_eq!(problems, ["0.yaml:3:5: id \"a\" used in both model_catalogs and mcp_catalogs"]);
    let (_, problems) = load(&["labels: [{name: x}]", "labels:\n- {name: x}\n- {name: z}\n"]);
    assert_eq!(problems.len(), 1);
    assert!(problems[0].contains("1.yaml:2:3: label with name 'x' already exists"), "{problems:?}");
}

#[test]
fn nested_aliases_are_refused_before_they_grow() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let previous = format!("*a{}", level - 1);
        let list = [previous.as_str(); 9].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{list}]").unwrap();
    }
    let (_, problems) = load(&[&bomb]);
    assert_eq!(problems.len(), 1);
}

#[test]
fn named_queries_come_in_two_forms() {
    let (configuration, problems) = load(&[
        "namedQueries:\n  old: {size: {operator: in, value: [a]}}\n  new: {assetType: mcp_servers, filters: {sast: {operator: '=', value: true}}}\n",
    ]);
    assert_eq!(problems, [""; 0]);
    assert_eq!(configuration.named_queries["old"].asset, AssetType::Models);
    let filter = to_filter(&configuration.named_queries["new"], |_, _| None).unwrap().unwrap();
    assert_eq!(filter.to_string(), "sast = true");
    let (_, problems) = load(&["namedQueries: {bad: {f: {operator: BETWEEN, value: 1}}}"]);
    assert!(problems[0].ends_with("unsupported operator 'BETWEEN' for field 'f' in named query 'bad'"), "{problems:?}");
}
