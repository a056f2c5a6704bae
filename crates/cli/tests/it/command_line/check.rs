//! `catalog check`: every kind of mistake, and the items that would still be served.

use std::path::Path;

use crate::command_line::support::{shell, shown};

fn write(home: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = home.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn every_kind_of_mistake_is_reported_with_the_resulting_items() {
    let home = tempfile::tempdir().unwrap();
    let sources = "\
model_catalogs:
- {id: models, name: Models, type: yaml, properties: {yamlCatalogPath: models.yaml, colour: red}}
- {id: typo, type: yaml, properties: {yamlCatalogPath: typo.yaml}}
- {id: missing, type: yaml, properties: {yamlCatalogPath: nothing.yaml}}
- {id: pathless, type: yaml, properties: {}}
- {id: typeless}
- {id: strange, type: ftp}
- {id: wrong, enabled: maybe}
- {id: models, type: hf}
- {id: off, type: yaml, enabled: false}
- {id: hub, type: hf, includedModels: ['acme/*'], properties: {syncInterval: daily}}
- {id: everything, type: hf, includedModels: ['*']}
mcp_catalogs:
- {id: servers, type: yaml, properties: {yamlCatalogPath: servers.yaml}}
- {id: broken, type: yaml, properties: {yamlCatalogPath: broken.yaml}}
labels:
- {name: Validated}
- {name: Validated}
- {displayName: nameless}
namedQueries:
  fast: {ttft: {operator: BETWEEN, value: 1}}
";
    let models = "\
models:
- {name: acme/good, artifacts: [{uri: 'oci://x/y', colour: red}]}
- {name: acme/good}
- {name: acme/type, description: [1]}
- {name: acme/uri, artifacts: [{uri: 'ftp://x'}]}
- {name: acme/twice, provider: a, provider: b}
- {description: nameless}
";
    let servers = "\
mcp_servers:
- {name: good, transports: [stdio, pigeon], wingspan: 3}
- {name: good}
- {name: remote, deploymentMode: remote}
server: []
";
    write(
        home.path(),
        &[
            ("sources.yaml", sources),
            ("more.yaml", "mcp_catalogs: [{id: typo, type: yaml}]\nlabels: [{name: Validated}]\n"),
            ("models.yaml", models),
            ("typo.yaml", "models:\n- name: acme/other\n  descripton: x\n"),
            ("servers.yaml", servers),
            ("broken.yaml", "mcp_servers: [\n"),
            ("measured/good/metadata.json", r#"{"id": "acme/good"}"#),
            ("measured/good/evaluations.ndjson", "{\"benchmark\": \"mmlu\"}\n"),
            ("measured/nobody/metadata.json", "{}"),
        ],
    );
    let check = "model-registry catalog check sources.yaml more.yaml --performance-metrics measured";
    insta::assert_snapshot!(shown(&shell(home.path(), check).output().unwrap()));
}

#[test]
fn a_valid_configuration_prints_only_the_table() {
    let home = tempfile::tempdir().unwrap();
    let sources = "catalogs: [{id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}]";
    write(home.path(), &[("sources.yaml", sources), ("a.yaml", "models: [{name: m}, {name: n}]")]);
    let output = shell(home.path(), "model-registry catalog check sources.yaml").output().unwrap();
    insta::assert_snapshot!(shown(&output), @r"
    SOURCE  TYPE         STATUS                 ITEMS  SKIPPED
    a       models       available                  2        0
    ");
    let output = shell(home.path(), "model-registry catalog check nothing.yaml").output().unwrap();
    insta::assert_snapshot!(shown(&output), @r"
    SOURCE  TYPE         STATUS                 ITEMS  SKIPPED

    nothing.yaml: cannot be read: No such file or directory (os error 2)
    error: 1 problem(s) found
    [exit code 1]
    ");
}
