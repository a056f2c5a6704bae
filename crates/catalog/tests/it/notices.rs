//! What a server file says that does nothing.

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
  tools: [{name: one, acces: execute, parameters: [{name: p, typ: string}]}, {name: two, accessType: sing}]
";

#[tokio::test]
async fn keys_and_values_that_nothing_has_are_told_and_the_servers_published() {
    let files = Files::new(&[("sources.yaml", SOURCES), ("t.yaml", SERVERS)]);
    let report = check(&files.settings());
    let told: Vec<&str> = report.problems.iter().map(|problem| problem.reason.as_str()).collect();
    for part in [
        "unknown key `wingspan`",
        "unknown key `endpoints.gopher`",
        "unknown key `securityIndicators.holy`",
        "unknown key `artifacts[0].colour`",
        "unknown key `tools[0].acces`",
        "unknown key `tools[0].parameters[0].typ`",
        "unknown deploymentMode `orbital`",
        "unknown transport `pigeon`",
        "unknown accessType `sing`, taken for execute",
        "runtimeMetadata that cannot be read",
    ] {
        assert!(told.iter().any(|reason| reason.contains(part)), "{part}: {told:?}");
    }
    assert_eq!(told.len(), 10, "{told:?}");
    assert!(report.problems.iter().all(|problem| problem.place.contains("t.yaml:6:")), "{:?}", report.problems);

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
fn keys_beside_the_list_are_told_with_their_place() {
    let servers = "source: T\n'wing span': {a: [1]}\nmcp_servers:\n- name: good\nmcpServers: [{name: other}]\n";
    let files = Files::new(&[("sources.yaml", SOURCES), ("t.yaml", servers)]);
    let report = check(&files.settings());
    let told: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].ends_with("t.yaml:2:1: unknown key `wing span`: it does nothing"), "{told:?}");
    assert!(told[1].ends_with("t.yaml:5:1: unknown key `mcpServers`: it does nothing"), "{told:?}");
    assert_eq!((report.sources[0].status, report.sources[0].items), ("available", 1));
}
