//! Keys and values in data files that are ignored, and are reported.

use model_registry_catalog::{Settings, check};
use model_registry_server::telemetry::{Metrics, MetricsFormat};
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
        "t.yaml:15:11: MCP server \"odd\" has tools without a known accessType, published as execute: `one`, `two` (`sing`): \
         use read_only, read_write, execute",
        "t.yaml:5:11: MCP server \"good\" has tools without a known accessType, published as execute: `one`: use",
        "t.yaml:13:34: MCP server \"odd\" has runtimeMetadata that cannot be read and is left out: `defaultPort`: \
         expected a whole number, found `eighty`",
    ] {
        assert!(problems.iter().any(|reason| reason.contains(part)), "{part}: {problems:#?}");
    }
    assert_eq!(problems.len(), 12, "{problems:#?}");

    let api = Api::on(Backend::Sqlite, Settings { ..files.settings() }).await;
    let source = api.get("sources?assetType=mcp_servers").await.json()["items"][0].clone();
    assert_eq!(source["status"], "available");
    let error = source["error"].as_str().unwrap();
    assert!(
        error.starts_with("ignored 10: ") && error.contains("`wingspan`") && !error.contains("known accessType"),
        "{error}"
    );
    let servers = api.get("/api/mcp_catalog/v1alpha1/mcp_servers?includeTools=true").await.json();
    let odd = &servers["items"][1];
    assert_eq!(odd["name"], "odd");
    assert_eq!(odd["transports"], serde_json::json!(["stdio"]));
    assert_eq!((odd.get("deploymentMode"), odd.get("runtimeMetadata")), (None, None));
    assert_eq!(odd["tools"][0]["accessType"], "execute");
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
        "t.yaml:3:11: MCP server \"s\" has tools without a known accessType, published as execute: `a`, ``, `a`: use \
         read_only, read_write, execute",
        "t.yaml:3:29: MCP server \"s\" is published without tool 1: the name is empty",
        "t.yaml:3:41: MCP server \"s\" is published without tool 2: there are two tools `a`",
        "t.yaml:3:45: MCP server \"s\" is published without tool 3: `tools[3]`: expected a map, found nothing",
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

// Publishers add keys and words before the servers that read their files know them.
#[tokio::test]
async fn what_a_newer_publisher_adds_costs_no_more_than_itself() {
    let sources = "\
model_catalogs:
- {id: a, name: A, type: yaml, colour: red, properties: {yamlCatalogPath: a.yaml, mirror: b}}
agent_teams:
- {id: x}
labels:
- {name: x, icon: {file: x.svg}, weight: 3}
namedQueries:
  quick: {size: {operator: =, value: 7B, unit: B}, description: quick ones}
";
    let models = "\
models:
- name: plain
- name: later
  energyLabel: B
  license: [mit, other]
  license_name: heron-1
  language: en
  artifacts:
  - {artifactType: adapter-artifact, uri: 'oci://x/adapter'}
  - {uri: 'oci://x/model', checksum: abc}
  - {artifactType: metrics-artifact, metricsType: energy-metrics}
  - null
  customProperties:
    list: {metadataType: MetadataListValue, list_value: [a]}
    nan: {metadataType: MetadataDoubleValue, double_value: .nan}
    text: just a text
    kept: {metadataType: MetadataStringValue, string_value: no}
";
    let files = Files::new(&[("sources.yaml", sources), ("a.yaml", models)]);
    let report = check(&files.settings());
    let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    for part in [
        "sources.yaml:3:1: unknown key `agent_teams`, which is ignored",
        "sources.yaml:2:32: source `a`: unknown key `colour`, which is ignored",
        "source `a`: property `mirror` is ignored: unknown for sources of type yaml",
        "label 'x' is published without its property \"icon\": expected a string, found a map",
        "named query 'quick' has the unknown key `description`, which is ignored",
        "named query 'quick' has the unknown key `unit`, which is ignored",
        "a.yaml:4:3: model \"later\" has the unknown key `energyLabel`, which is ignored",
        "a.yaml:9:20: model \"later\" is published without artifact 0: unknown artifactType: adapter-artifact",
        "a.yaml:10:28: model \"later\" has the unknown key `artifacts[1].checksum`, which is ignored",
        "a.yaml:11:51: model \"later\" is published without artifact 2: unknown metricsType: energy-metrics",
        "a.yaml:12:5: model \"later\" is published without artifact 3: `artifacts[3]`: expected a map, found nothing",
        "a.yaml:14:11: model \"later\" custom property `list`: `metadataType` `MetadataListValue` is not known",
        "a.yaml:15:10: model \"later\" custom property `nan`: `double_value` is not finite: it is left out",
        "custom property `text`: `customProperties.text`: expected a map, found `just a text`: it is left out",
    ] {
        assert!(problems.iter().any(|problem| problem.contains(part)), "{part}: {problems:#?}");
    }
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    assert_eq!(api.names("models").await, ["later", "plain"]);
    let model = api.get("sources/a/models/later").await.json();
    assert_eq!(model["customProperties"].as_object().unwrap().keys().collect::<Vec<_>>(), ["kept"]);
    assert_eq!(model["customProperties"]["kept"]["string_value"], "no");
    assert_eq!((&model["license"], &model["language"]), (&"MIT, heron-1".into(), &serde_json::json!(["en"])));
    let artifacts = api.get("sources/a/models/later/artifacts").await.json();
    assert_eq!((artifacts["size"].as_u64(), artifacts["items"][0]["uri"].as_str()), (Some(1), Some("oci://x/model")));
    let source = api.get("sources").await.json()["items"][0].clone();
    assert_eq!(source["status"], "available");
    let notices = source["error"].as_str().unwrap();
    assert!(
        notices.contains("`energyLabel`") && notices.contains("`colour`") && notices.contains("`mirror`"),
        "{notices}"
    );
    assert_eq!(api.get("labels").await.json()["items"][0]["weight"], "3");
    assert_eq!(api.names("models?filterQuery=kept='no'").await, ["later"]);

    files.write("a.yaml", "models: [{name: plain}]");
    files.write("sources.yaml", "model_catalogs:\n- {id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n");
    api.catalog.load().await.unwrap();
    assert_eq!(api.get("sources").await.json()["items"][0]["error"], serde_json::Value::Null);
}

#[tokio::test]
async fn many_notices_are_counted_and_the_first_are_kept() {
    let models = (0..30).map(|number| format!("- {{name: m{number}, energyLabel: B}}")).collect::<Vec<_>>().join("\n");
    let sources = "model_catalogs:\n- {id: a, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n";
    let files = Files::new(&[("sources.yaml", sources), ("a.yaml", &format!("models:\n{models}"))]);
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    let metrics = Metrics::new(&[]);
    api.catalog.register_metrics(&metrics);
    api.catalog.load().await.unwrap();
    let error = api.get("sources").await.json()["items"][0]["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("ignored 30: ") && error.matches("energyLabel").count() == 20, "{error}");
    let text = metrics.encode(MetricsFormat::Prometheus).unwrap();
    assert!(text.contains(r#"catalog_source_ignored{source="a"} 30"#), "{text}");
}

#[tokio::test]
async fn transports_and_access_types_are_read_in_any_case_and_streamable_http_is_http() {
    let servers = "\
mcp_servers:
- name: s
  transports: [Streamable-HTTP, http, STDIO]
  deploymentMode: Local
  tags: one
  tools: [{name: a, accessType: READ_ONLY}, {name: b, accessType: Read-Only}, {name: c, accessType: [execute]}, {name: d, accessType: }]
  securityIndicators: {sast: perhaps, verifiedSource: yes}
  artifacts: [null, {uri: 'oci://x'}]
";
    let files = Files::new(&[("sources.yaml", SOURCES), ("t.yaml", servers)]);
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    let server = api.get("/api/mcp_catalog/v1alpha1/mcp_servers?includeTools=true").await.json()["items"][0].clone();
    assert_eq!(server["transports"], serde_json::json!(["http", "stdio"]));
    assert_eq!((&server["deploymentMode"], &server["tags"]), (&"local".into(), &serde_json::json!(["one"])));
    let tools = server["tools"].as_array().unwrap().iter().map(|tool| tool["accessType"].as_str().unwrap());
    assert_eq!(tools.collect::<Vec<_>>(), ["read_only", "execute", "execute", "execute"]);
    assert_eq!(server["securityIndicators"], serde_json::json!({"verifiedSource": true}));
    assert_eq!(server["artifacts"].as_array().unwrap().len(), 1);
    let notices = check(&files.settings()).problems.iter().map(ToString::to_string).collect::<Vec<_>>();
    let access: Vec<_> = notices.iter().filter(|notice| notice.contains("accessType")).collect();
    assert_eq!(access.len(), 1, "once for each server: {notices:?}");
    assert!(access[0].contains("`b` (`Read-Only`), `c`, `d`: use read_only"), "{access:?}");
    assert_eq!(notices.len(), 3, "{notices:?}");
}
