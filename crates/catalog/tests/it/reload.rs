//! Reloads: items that change, items that stay, and the consistency of concurrent reads.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use model_registry_api::SortOrder;
use model_registry_catalog::{Catalog, Settings};
use model_registry_catalog_store::{CatalogKind, CatalogList, CatalogOrder, CatalogSet};
use model_registry_testkit::{Backend, on_each_database};
use serde_json::Value;

use crate::support::{Api, Files, eventually};

on_each_database!(
    unchanged_items_are_not_written_and_ids_are_stable,
    removed_properties_models_and_sources_disappear,
    a_broken_source_keeps_its_last_items_and_shows_the_error,
    readers_see_all_of_one_load,
    tools_are_read_from_the_same_load_as_their_servers
);

const SOURCES: &str = "model_catalogs:\n- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}\n- {id: b, name: B, type: yaml, properties: {yamlCatalogPath: b.yaml}}\nmcp_catalogs:\n- {id: t, name: T, type: yaml, properties: {yamlCatalogPath: t.yaml}}\n";
const TOOLS: &str = "mcp_servers:\n- {name: s, version: '1', endpoints: {http: 'https://x.example'}, tools: [{name: one}, {name: two}]}\n";

/// `count` models, all of one round.
fn models(count: usize, round: usize) -> String {
    use std::fmt::Write;
    let mut text = String::from("models:\n");
    for index in 0..count {
        let _ = writeln!(
            text,
            "- {{name: m{index:03}, provider: round-{round}, tasks: [t{round}], artifacts: [{{uri: 'oci://x/{index}'}}]}}"
        );
    }
    text
}

fn files() -> Files {
    Files::new(&[("sources.yaml", SOURCES), ("a.yaml", &models(3, 0)), ("b.yaml", &models(2, 0)), ("t.yaml", TOOLS)])
}

async fn ids(api: &Api, path: &str) -> Vec<(String, String)> {
    let json = api.get(path).await.json();
    let text = |item: &Value, field: &str| item[field].as_str().unwrap_or_default().to_owned();
    json["items"].as_array().unwrap().iter().map(|item| (text(item, "id"), text(item, "name"))).collect()
}

async fn source(api: &Api, id: &str) -> Value {
    let mut all = api.get("sources?pageSize=100").await.json()["items"].as_array().unwrap().clone();
    all.extend(api.get("sources?assetType=mcp_servers").await.json()["items"].as_array().unwrap().clone());
    all.into_iter().find(|source| source["id"] == id).unwrap()
}

async fn unchanged_items_are_not_written_and_ids_are_stable(backend: Backend) {
    let files = files();
    let api = Api::on(backend, files.settings()).await;
    let models_before = ids(&api, "models?source=a").await;
    let artifacts_before = ids(&api, "sources/a/models/m001/artifacts").await;
    let servers_before = ids(&api, "/api/mcp_catalog/v1alpha1/mcp_servers").await;
    let unchanged = api.catalog.load().await.unwrap().report;
    assert_eq!((unchanged.written, unchanged.removed, unchanged.unchanged), (0, 0, 6));

    files.write("a.yaml", &models(3, 0).replace("name: m001,", "name: m001, license: mit,"));
    files.write("t.yaml", &TOOLS.replace("{name: two}", "{name: two}, {name: three}"));
    let report = api.catalog.load().await.unwrap().report;
    assert_eq!((report.written, report.removed, report.unchanged), (2, 0, 4));
    assert_eq!(ids(&api, "models?source=a").await, models_before);
    assert_eq!(ids(&api, "sources/a/models/m001/artifacts").await, artifacts_before);
    assert_eq!(ids(&api, "/api/mcp_catalog/v1alpha1/mcp_servers").await, servers_before);
    assert_eq!(api.get("sources/a/models/m001").await.json()["license"], "MIT");
    assert_eq!(api.get("/api/mcp_catalog/v1alpha1/mcp_servers").await.json()["items"][0]["toolCount"], 3);
}

async fn removed_properties_models_and_sources_disappear(backend: Backend) {
    let files = files();
    let api = Api::on(backend, files.settings()).await;
    assert_eq!(api.names("models?filterQuery=provider='round-0'").await.len(), 5);
    files.write("a.yaml", "models: [{name: m000}]\n");
    files.write("sources.yaml", &SOURCES.replace("id: b, name: B,", "id: b, name: B, enabled: false,"));
    api.catalog.load().await.unwrap();
    assert_eq!(api.names("models").await, ["m000"]);
    assert!(api.names("models?filterQuery=provider IS NOT NULL").await.is_empty());
    assert_eq!(api.get("models/filter_options").await.json()["filters"], serde_json::json!({}));
    assert_eq!(source(&api, "b").await["status"], "disabled");
    assert_eq!(api.get("sources/a/models/m001").await.status, 404);

    files.write("sources.yaml", "catalogs: []\n");
    api.catalog.load().await.unwrap();
    assert!(api.names("models").await.is_empty());
    assert!(api.names("/api/mcp_catalog/v1alpha1/mcp_servers").await.is_empty());
    assert_eq!(api.get("sources").await.json()["size"], 0);
}

// The Kubeflow Model Registry deletes the servers of a source whose file is broken.
async fn a_broken_source_keeps_its_last_items_and_shows_the_error(backend: Backend) {
    let files = files();
    let api = Api::on(backend, files.settings()).await;
    files.write("a.yaml", "models:\n- name: m000\n  provider: [red\n");
    files.write("t.yaml", "mcp_servers: [");
    api.catalog.load().await.unwrap();
    assert_eq!(api.names("models?source=a").await.len(), 3);
    assert_eq!(api.names("/api/mcp_catalog/v1alpha1/mcp_servers").await, ["s"]);
    let of_models = source(&api, "a").await;
    assert_eq!(of_models["status"], "error");
    assert!(of_models["error"].as_str().unwrap().contains("a.yaml:3:"), "{of_models}");
    assert_eq!(source(&api, "t").await["status"], "error");

    files.write("a.yaml", &models(1, 1));
    api.catalog.load().await.unwrap();
    assert_eq!(source(&api, "a").await["status"], "available");
    assert_eq!(source(&api, "a").await["error"], Value::Null);
    assert_eq!(api.names("models?source=a").await, ["m000"]);
}

#[tokio::test]
async fn a_broken_sources_file_changes_nothing() {
    let files = files();
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    files.write("sources.yaml", "model_catalogs: [{id: a, type: yaml}]\nmcp_catalogs: [");
    let summary = api.catalog.load().await.unwrap();
    assert_eq!(summary.problems.iter().filter(|problem| problem.location.contains("sources.yaml")).count(), 1);
    assert_eq!(api.names("models").await.len(), 5);

    // After a restart the content of the file is unknown; the items stay in the database.
    let restarted = Catalog::new(api.store.clone(), files.settings());
    restarted.load().await.unwrap();
    assert_eq!(api.names("models").await.len(), 5);
}

#[tokio::test]
async fn a_broken_entry_shows_its_error_and_the_other_sources_of_the_file_reload() {
    let files = files();
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    files.write("a.yaml", &models(1, 1));
    files.write("b.yaml", &models(1, 1));
    files.write("sources.yaml", &SOURCES.replace("id: a, name: A,", "id: a, name: A, enabled: maybe,"));
    // Also after a restart.
    for catalog in [api.catalog.clone(), Catalog::new(api.store.clone(), files.settings())] {
        let summary = catalog.load().await.unwrap();
        assert_eq!(summary.problems.iter().filter(|problem| problem.location.contains("sources.yaml")).count(), 1);
        assert_eq!(api.names("models?source=a").await.len(), 3);
        assert_eq!(api.names("models?source=b").await, ["m000"]);
        let state = source(&api, "a").await;
        assert_eq!(state["status"], "error");
        let error = state["error"].as_str().unwrap();
        let reason = "sources.yaml:2:29: source `a`: `enabled`: expected true or false, found `maybe`";
        assert!(error.ends_with(reason), "{error}");
    }
    files.write("sources.yaml", SOURCES);
    api.catalog.load().await.unwrap();
    assert_eq!(api.names("models?source=a").await, ["m000"]);
    assert_eq!(source(&api, "a").await["status"], "available");
}

#[tokio::test]
async fn an_item_of_a_wrong_type_is_skipped_alone() {
    let files = files();
    files.write(
        "a.yaml",
        "\
models:
- name: good
- name: description
  description: [1]
- name: properties
  customProperties: 3
- name: property
  customProperties: {x: {metadataType: MetadataStringValue, string_value: {}}}
- {name: artifact, artifacts: [{uri: [oci]}]}
- just a text
- name: twice
  provider: x
  provider: y
- name: &last last
  description: *last
",
    );
    files.write(
        "t.yaml",
        "\
mcp_servers:
- {name: good}
- {name: tools, tools: 3}
- {name: tool, tools: [{name: one, parameters: [{type: string}]}]}
- {name: indicators, securityIndicators: {sast: perhaps}}
- {name: last}
",
    );
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    assert_eq!(api.names("models?source=a").await, ["artifact", "good", "last", "property"]);
    let state = source(&api, "a").await;
    assert_eq!(state["status"], "partially-available");
    let error = state["error"].as_str().unwrap();
    for part in [
        "failed to load 4 model(s)",
        "a.yaml:4:16: model \"description\" is left out: `description`: expected a string, found a list",
        "a.yaml:6:21: model \"properties\" is left out: `customProperties`: expected a map, found `3`",
        "a.yaml:10:3: model \"\" is left out: expected a map, found `just a text`",
        "a.yaml:13:3: model \"twice\" is left out: `provider`: duplicate key, first in line 12",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    for part in [
        "a.yaml:8:25: model \"property\" custom property `x`: `customProperties.x.string_value`: expected a string, found a map",
        "a.yaml:9:32: model \"artifact\" is published without artifact 0: `artifacts[0].uri`: expected a string, found a list",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let published = ["good", "indicators", "last", "tool"];
    assert_eq!(api.names("/api/mcp_catalog/v1alpha1/mcp_servers?orderBy=NAME").await, published);
    let state = source(&api, "t").await;
    let error = state["error"].as_str().unwrap();
    for part in [
        "failed to load 1 MCP server(s)",
        "t.yaml:3:24: MCP server \"tools\" is left out: `tools`: expected a list, found `3`",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    for part in [
        "MCP server \"tool\" is published without tool 0: `tools[0].parameters[0]`: lacks `name`",
        "t.yaml:5:49: MCP server \"indicators\" is published without a security indicator: `securityIndicators.sast`: expected \
         true or false, found `perhaps`",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[tokio::test]
async fn a_violated_rule_is_reported_with_its_place() {
    let files = files();
    files.write(
        "a.yaml",
        "\
models:
- name: good
- name: deep
  artifacts:
  - uri: oci://x/y
  - uri: oci://x/z
    customProperties:
      x: {metadataType: Nonsense, int_value: many}
- {name: time, createTimeSinceEpoch: noon}
- {name: type, artifacts: [{artifactType: weights}]}
- {name: lacks, artifacts: [{name: a}]}
",
    );
    files.write(
        "t.yaml",
        "\
mcp_servers:
- name: good
- {name: url, endpoints: {http: 'ftp://x'}}
- {name: property, customProperties: {x: {metadataType: Nonsense}}}
- {name: at, version: '1@2'}
- {name: uri, artifacts: [{uri: x}]}
",
    );
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    for (id, parts) in [
        (
            "a",
            [
                "a.yaml:9:38: model \"time\" is left out: `createTimeSinceEpoch` is not a number of milliseconds: noon",
                "a.yaml:11:29: model \"lacks\" is left out: artifact 0: artifact URI cannot be empty",
                "a.yaml:8:10: model \"deep\" artifact 1: custom property `x`: `metadataType` `Nonsense` is not known",
                "a.yaml:10:43: model \"type\" is published without artifact 0: unknown artifactType: weights",
            ],
        ),
        (
            "t",
            [
                "t.yaml:3:33: MCP server \"url\" is left out: invalid endpoints: http endpoint \"ftp://x\"",
                "t.yaml:5:23: MCP server \"at\" is left out: the version contains '@'",
                "t.yaml:6:33: MCP server \"uri\" is left out: artifact 0: artifact URI \"x\" must have a scheme",
                "t.yaml:4:42: MCP server \"property\" custom property `x`: `metadataType` `Nonsense` is not known",
            ],
        ),
    ] {
        let state = source(&api, id).await;
        let error = state["error"].as_str().unwrap();
        for part in parts {
            assert!(error.contains(part), "{part}: {error}");
        }
    }
}

#[tokio::test]
async fn an_invalid_item_is_skipped_and_counted() {
    let files = files();
    files.write("a.yaml", "models:\n- {name: good}\n- {name: good}\n- {name: bad, maturity: {}}\n- {name: ''}\n- {name: worse, artifacts: 3}\n");
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    assert_eq!(api.names("models?source=a").await, ["good"]);
    let state = source(&api, "a").await;
    assert_eq!(state["status"], "partially-available");
    let error = state["error"].as_str().unwrap();
    for part in [
        "failed to load 4 model(s)",
        "a.yaml:3:3: model \"good\" is left out: duplicate of line 2",
        "a.yaml:4:25: model \"bad\" is left out: `maturity`: expected a string, found a map",
        "a.yaml:5:10: model \"\" is left out: the name is empty",
        "a.yaml:6:28: model \"worse\" is left out: `artifacts`: expected a list, found `3`",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
}

async fn readers_see_all_of_one_load(backend: Backend) {
    const COUNT: usize = 60;
    let files = Files::new(&[
        ("sources.yaml", SOURCES),
        ("a.yaml", &models(COUNT, 0)),
        ("b.yaml", &models(COUNT, 0)),
        ("t.yaml", TOOLS),
    ]);
    let api = Arc::new(Api::on(backend, files.settings()).await);
    let done = Arc::new(AtomicBool::new(false));
    let reading = {
        let (api, done) = (Arc::clone(&api), Arc::clone(&done));
        async move {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let response = api.get("models?pageSize=1000").await;
                assert_eq!(response.status, 200);
                let json = response.json();
                let items = json["items"].as_array().unwrap();
                assert_eq!(items.len(), 2 * COUNT);
                assert!(items.iter().all(|item| item["provider"] == items[0]["provider"]), "a mix");
                reads += 1;
            }
            reads
        }
    };
    let writing = async {
        for round in 1..6 {
            files.write("a.yaml", &models(COUNT, round));
            files.write("b.yaml", &models(COUNT, round));
            api.catalog.load().await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
    };
    let (reads, ()) = tokio::join!(reading, writing);
    assert!(reads > 0);
}

async fn tools_are_read_from_the_same_load_as_their_servers(backend: Backend) {
    let servers = CatalogList {
        set: CatalogSet {
            kinds: &[CatalogKind::McpServer],
            parent_id: None,
            sources: None,
            search: None,
            filters: &[],
        },
        order: CatalogOrder::Id,
        sort_order: SortOrder::Ascending,
        page_size: None,
        page_token: None,
    };
    let files = files();
    let api = Api::on(backend, files.settings()).await;
    let mut snapshot = api.catalog.store().snapshot(10).await.unwrap();
    let before = snapshot.list(&servers).await.unwrap().rows;
    files.write("t.yaml", &TOOLS.replace("{name: two}", "{name: three}, {name: four}"));
    api.catalog.load().await.unwrap();
    let tools = snapshot.list_children(CatalogKind::McpTool, &[before[0].id], usize::MAX).await.unwrap();
    let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!(names, ["one", "two"]);
    drop(snapshot);
    let now = api.get("/api/mcp_catalog/v1alpha1/mcp_servers?includeTools=true").await.json();
    assert_eq!(now["items"][0]["toolCount"], 3);
    assert_eq!(now["items"][0]["tools"].as_array().unwrap().len(), 3);
    let one = api.get(&format!("/api/mcp_catalog/v1alpha1/mcp_servers/{}?includeTools=true", before[0].id)).await;
    assert_eq!(one.json()["tools"], now["items"][0]["tools"]);
}

// Kubernetes changes a mounted ConfigMap by swapping the symbolic link `..data`.
#[tokio::test]
async fn a_swap_of_symbolic_links_is_loaded() {
    let mount = tempfile::tempdir().unwrap();
    let publish = |version: &str, count: usize| {
        let directory = mount.path().join(version);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("sources.yaml"), SOURCES).unwrap();
        std::fs::write(directory.join("a.yaml"), models(count, 0)).unwrap();
        std::os::unix::fs::symlink(version, mount.path().join("..data_tmp")).unwrap();
        std::fs::rename(mount.path().join("..data_tmp"), mount.path().join("..data")).unwrap();
    };
    publish("..v1", 1);
    for file in ["sources.yaml", "a.yaml"] {
        std::os::unix::fs::symlink(format!("..data/{file}"), mount.path().join(file)).unwrap();
    }
    let settings = Settings { sources: vec![mount.path().join("sources.yaml")], ..Settings::default() };
    let api = Api::on(Backend::Sqlite, settings).await;
    let waiting = async {
        publish("..v2", 4);
        eventually("the swap is loaded", async || api.names("models?source=a").await.len() == 4).await;
    };
    tokio::select! {
        never = api.catalog.clone().run() => match never {},
        () = waiting => {}
    }
}
