//! Keys and values in data files that are ignored, and are reported.

use model_registry_catalog::{Settings, check};
use model_registry_testkit::Backend;

use crate::support::{Api, Files};

const SOURCES: &str = "mcp_catalogs:\n- {id: t, name: T, type: yaml, properties: {yamlCatalogPath: t.yaml}}\n";

const SERVERS: &str = "\
mcp_servers:
- name: good
  id: '7'
  toolCount: 1
  tools: [{name: one, schema: '{}'}]
- name: odd
  wingspan: 3
  deploymentMode: orbital
  transports: [stdio, pigeon]
  endpoints: {http: 'https://x.example', gopher: 'gopher://x'}
  securityIndicators: {sast: true, holy: true}
  artifacts: [{uri: 'oci://x/y', colour: red}]
  runtimeMetadata: {defaultPort: 'eighty'}
  customProperties: {x: {metadataType: MetadataStringValue, string_value: y, int_valeu: 3}}
  tools: [{name: one, acces: execute, parameters: [{name: p, typ: string}]}, {name: two, accessType: sing}]
";

#[tokio::test]
async fn unknown_keys_and_values_are_reported_and_the_servers_published() {
    let files = Files::new(&[("sources.yaml", SOURCES), ("t.yaml", SERVERS)]);
    let report = check(&files.settings());
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    for part in [
        "t.yaml:7:3: MCP server \"odd\" has the unknown key `wingspan`, which is ignored",
        "t.yaml:10:42: MCP server \"odd\" has the unknown key `endpoints.gopher`, which is ignored",
        "t.yaml:11:36: MCP server \"odd\" has the unknown key `securityIndicators.holy`, which is ignored",
        "t.yaml:12:34: MCP server \"odd\" has the unknown key `artifacts[0].colour`, which is ignored",
        "t.yaml:14:78: MCP server \"odd\" has the unknown key `customProperties.x.int_valeu`, which is ignored, did you mean `int_value`?",
        "t.yaml:15:23: MCP server \"odd\" has the unknown key `tools[0].acces`, which is ignored, did you mean `accessType`?",
        "t.yaml:15:62: MCP server \"odd\" has the unknown key `tools[0].parameters[0].typ`, which is ignored, did you mean `type`?",
        "t.yaml:8:19: MCP server \"odd\" has the unknown deploymentMode `orbital`",
        "t.yaml:9:23: MCP server \"odd\" has the unknown transport `pigeon`",
        "t.yaml:15:102: MCP server \"odd\" has a tool with the unknown accessType `sing`, replaced by execute",
        "t.yaml:13:34: MCP server \"odd\" has runtimeMetadata that cannot be read and is left out: `defaultPort`: \
         expected a whole number, found `eighty`",
    ] {
        assert!(problems.iter().any(|reason| reason.contains(part)), "{part}: {problems:#?}");
    }
    assert_eq!(problems.len(), 11, "{problems:#?}");

    let api = Api::on(Backend::Sqlite, Settings { ..files.settings() }).await;
    let source = api.get("sources?assetType=mcp_servers").await.json()["items"][0].clone();
    assert_eq!((&source["status"], source["error"].is_null()), (&"available".into(), true));
    let servers = api.get("/api/mcp_catalog/v1alpha1/mcp_servers?includeTools=true").await.json();
    let odd = &servers["items"][1];
    assert_eq!(odd["name"], "odd");
    assert_eq!(odd["transports"], serde_json::json!(["stdio"]));
    assert_eq!((odd.get("deploymentMode"), odd.get("runtimeMetadata")), (None, None));
    assert_eq!(odd["tools"][0]["accessType"], "read_only");
    assert_eq!(odd["tools"][1]["accessType"], "execute");
}

#[test]
fn unknown_keys_next_to_the_list_are_reported_with_their_place() {
    let servers = "source: T\n'wing span': {a: [1]}\nmcp_servers:\n- name: good\nmcpServers: [{name: other}]\n";
    let files = Files::new(&[("sources.yaml", SOURCES), ("t.yaml", servers)]);
    let report = check(&files.settings());
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].ends_with("t.yaml:2:1: unknown key `wing span`, which is ignored"), "{problems:?}");
    assert!(
        problems[1].ends_with("t.yaml:5:1: unknown key `mcpServers`, which is ignored, did you mean `mcp_servers`?"),
        "{problems:?}"
    );
    assert_eq!((report.sources[0].status, report.sources[0].items), ("available", 1));
}

#[test]
fn unknown_keys_within_a_model_are_reported_and_the_model_published() {
    let sources = "model_catalogs:\n- {id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n";
    let models = "\
models:
- name: odd
  artifacts:
  - {id: '7', uri: 'oci://x/y', urri: 'oci://x/z'}
  - artifactType: metrics-artifact
    metricsType: accuracy-metrics
    customProperties: {score: {metadataType: MetadataDoubleValue, double_value: 0.5, unit: percent}}
";
    let files = Files::new(&[("sources.yaml", sources), ("a.yaml", models)]);
    let report = check(&files.settings());
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    let first =
        "a.yaml:4:33: model \"odd\" has the unknown key `artifacts[0].urri`, which is ignored, did you mean `uri`?";
    assert!(problems[0].ends_with(first), "{problems:?}");
    let second =
        "a.yaml:7:86: model \"odd\" has the unknown key `artifacts[1].customProperties.score.unit`, which is ignored";
    assert!(problems[1].ends_with(second), "{problems:?}");
    assert_eq!((report.sources[0].status, report.sources[0].items, report.sources[0].skipped), ("available", 1, 0));
}

#[test]
fn skipped_parts_are_reported_with_their_place() {
    let sources =
        format!("model_catalogs:\n- {{id: a, type: yaml, properties: {{yamlCatalogPath: a.yaml}}}}\n{SOURCES}");
    let models = "\
models:
- name: m
  customProperties: {x: {metadataType: MetadataIntValue, int_value: many}}
  artifacts:
  - {artifactType: metrics-artifact, metricsType: speed-metrics}
  - {uri: 'oci://x', customProperties: {y: {metadataType: MetadataIntValue, int_value: few}}}
";
    let servers = "mcp_servers:\n- name: s\n  tools: [{name: a}, {name: ''}, {name: a}, null]\n";
    let files = Files::new(&[("sources.yaml", &sources), ("a.yaml", models), ("t.yaml", servers)]);
    let report = check(&files.settings());
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let expected = [
        "a.yaml:3:25: model \"m\" custom property `x`: published as a string: `int_value` is not a whole number",
        "a.yaml:5:51: model \"m\" is published without artifact 0: unknown metricsType: speed-metrics",
        "a.yaml:6:44: model \"m\" artifact 1: custom property `y`: published as a string: `int_value` is not a whole number",
        "t.yaml:3:29: MCP server \"s\" is published without tool 1: the name is empty",
        "t.yaml:3:41: MCP server \"s\" is published without tool 2: there are two tools `a`",
        "t.yaml:3:45: MCP server \"s\" is published without tool 3: is empty",
    ];
    assert_eq!(problems.len(), expected.len(), "{problems:#?}");
    for (problems, expected) in problems.iter().zip(expected) {
        assert!(problems.ends_with(expected), "{problems}: {expected}");
    }
}

#[test]
fn unknown_keys_of_runtime_metadata_are_reported_and_published() {
    let servers = "mcp_servers:\n- name: s\n  runtimeMetadata: {defaultPort: 80, capabilities: {requiresGpu: true}}\n";
    let files = Files::new(&[("sources.yaml", SOURCES), ("t.yaml", servers)]);
    let report = check(&files.settings());
    assert_eq!(report.problems.len(), 1, "{:?}", report.problems);
    let problems = report.problems[0].to_string();
    let key = "unknown key `capabilities.requiresGpu`, which clients may not know, did you mean `requiresGPU`?";
    assert!(
        problems.ends_with(&format!("t.yaml:3:53: MCP server \"s\" has in its runtimeMetadata the {key}")),
        "{problems}"
    );
}
