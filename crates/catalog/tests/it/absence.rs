//! Files without content: what was published stays, and only an empty list removes it.

use model_registry_catalog::{Catalog, Settings};
use model_registry_testkit::Backend;
use serde_json::Value;

use crate::support::{Api, Files};

const SOURCES: &str = "\
model_catalogs:
- {id: a, name: A, type: yaml, properties: {yamlCatalogPath: a.yaml}}
mcp_catalogs:
- {id: t, name: T, type: yaml, properties: {yamlCatalogPath: t.yaml}}
labels:
- {name: x}
namedQueries:
  q: {provider: {operator: =, value: p}}
";
const MODELS: &str = "models:\n- name: org/one\n- name: org/two\n";
const SERVERS: &str = "mcp_servers:\n- name: s\n";
const SERVER_LIST: &str = "/api/mcp_catalog/v1alpha1/mcp_servers";

fn files() -> Files {
    Files::new(&[("sources.yaml", SOURCES), ("a.yaml", MODELS), ("t.yaml", SERVERS)])
}

async fn state(api: &Api, asset_type: &str) -> Value {
    api.get(&format!("sources?assetType={asset_type}")).await.json()["items"][0].clone()
}

async fn count(api: &Api) -> (usize, usize) {
    (api.names("models").await.len(), api.names(SERVER_LIST).await.len())
}

// Most programs that rewrite a file truncate it first.
#[tokio::test]
async fn a_data_file_without_its_list_changes_nothing_and_is_an_error() {
    let files = files();
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    for text in [
        "",
        "\n\n",
        "# only a comment\n",
        "~",
        "{}",
        "source: Herons\n",
        "LIST:",
        "LIST: ~\nsource: x\n",
        "LIST: {}\n",
        "lists:\n- name: org/one\n",
        "LIST:\n- name: org/one\n- na",
        "LIST:\n- name: org/one\n-",
        "LIST: [{name: org/one}, {na",
        "LIST:\n- name: \"org/o",
    ] {
        files.write("a.yaml", &text.replace("LIST", "models"));
        files.write("t.yaml", &text.replace("LIST", "mcp_servers"));
        // Also after a restart.
        for catalog in [api.catalog.clone(), Catalog::new(api.store.clone(), files.settings())] {
            catalog.load().await.unwrap();
            assert_eq!(count(&api).await, (2, 1), "{text}");
            for asset_type in ["models", "mcp_servers"] {
                let state = state(&api, asset_type).await;
                assert_eq!(state["status"], "error", "{text}");
                assert!(state["error"].as_str().unwrap().contains(".yaml"), "{text}: {state}");
            }
        }
    }
    files.write("a.yaml", "models: []");
    files.write("t.yaml", "mcp_servers: []\n");
    api.catalog.load().await.unwrap();
    assert_eq!(count(&api).await, (0, 0));
    assert_eq!(state(&api, "models").await["status"], "available");
}

#[tokio::test]
async fn a_sources_file_that_says_nothing_keeps_the_configuration() {
    let files = files();
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    for text in ["", "# nothing\n", "~", "{}", "sources: []\n", "model_catalog: []\n", "- id: a\n"] {
        files.write("sources.yaml", text);
        let summary = api.catalog.load().await.unwrap();
        assert_eq!(summary.problems.len(), 1, "{text}: {:?}", summary.problems);
        assert_eq!(count(&api).await, (2, 1), "{text}");
        assert_eq!(api.get("sources").await.json()["size"], 1, "{text}");
        assert_eq!(api.get("labels").await.json()["size"], 1, "{text}");
        // After a restart the configuration is unknown; what is stored stays.
        let restarted = Catalog::new(api.store.clone(), files.settings());
        restarted.load().await.unwrap();
        assert_eq!(count(&api).await, (2, 1), "{text}");
    }
    files.write("sources.yaml", "model_catalogs: []\n");
    api.catalog.load().await.unwrap();
    assert_eq!(count(&api).await, (0, 0));
}

#[tokio::test]
async fn a_section_that_says_nothing_keeps_what_it_had_and_the_others_are_read() {
    let files = files();
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    for (section, wrong) in [
        ("mcp_catalogs", "mcp_catalogs:\n"),
        ("mcp_catalogs", "mcp_catalogs: {}\n"),
        ("mcp_catalogs", "mcp_catalog:\n- {id: other}\n"),
        ("mcp_catalogs", "mcp_catalogs:\n- {idd: t, type: yaml, properties: {yamlCatalogPath: t.yaml}}\n"),
        ("mcp_catalogs", "mcp_catalogs:\n-\n"),
        ("labels", "labels:\nmcp_catalogs: [{id: t, type: yaml, properties: {yamlCatalogPath: t.yaml}}]\n"),
        (
            "namedQueries",
            "namedQueries: []\nmcp_catalogs: [{id: t, type: yaml, properties: {yamlCatalogPath: t.yaml}}]\n",
        ),
    ] {
        files.write("sources.yaml", SOURCES);
        api.catalog.load().await.unwrap();
        assert_eq!(count(&api).await, (2, 1));
        let labels = if section == "labels" { "" } else { "labels: [{name: x}]\n" };
        let queries =
            if section == "namedQueries" { "" } else { "namedQueries: {q: {provider: {operator: =, value: p}}}\n" };
        files.write("sources.yaml", &format!("model_catalogs: []\n{labels}{queries}{wrong}"));
        let summary = api.catalog.load().await.unwrap();
        assert!(!summary.problems.is_empty(), "{wrong}");
        assert_eq!(count(&api).await, (0, 1), "{wrong}: {:?}", summary.problems);
        assert_eq!(api.get("labels").await.json()["size"], 1, "{wrong}");
        let options = api.get("models/filter_options").await.json();
        assert!(options["namedQueries"]["q"].is_object(), "{wrong}: {options}");
        // After a restart it is unknown which sources the section had.
        if section == "mcp_catalogs" {
            Catalog::new(api.store.clone(), files.settings()).load().await.unwrap();
            assert_eq!(count(&api).await, (0, 1), "{wrong}");
        }
    }
    // A section that is missing without a similar key is removed.
    files.write("sources.yaml", "model_catalogs: []\nrobots: []\n");
    api.catalog.load().await.unwrap();
    assert_eq!(count(&api).await, (0, 0));
}

#[tokio::test]
async fn a_file_of_performance_metrics_that_is_cut_off_keeps_the_stored_metrics() {
    let metadata = "{\"id\": \"org/one\", \"overall_accuracy\": 0.5, \"size\": \"7B\"}";
    let performance = "{\"id\": \"p1\", \"rps\": 1}\n{\"id\": \"p2\", \"rps\": 2}\n";
    let evaluations = "{\"benchmark\": \"b\", \"score\": 1}\n";
    let files = files();
    std::fs::create_dir_all(files.path("measured/m")).unwrap();
    let write = || {
        files.write("measured/m/metadata.json", metadata);
        files.write("measured/m/performance.ndjson", performance);
        files.write("measured/m/evaluations.ndjson", evaluations);
    };
    write();
    let settings = Settings { performance_metrics: vec![files.path("measured")], ..files.settings() };
    let api = Api::on(Backend::Sqlite, settings.clone()).await;
    let artifacts = async || api.get("sources/a/models/org/one/artifacts").await.json()["size"].as_u64();
    assert_eq!(artifacts().await, Some(3));
    for (file, text) in [
        ("performance.ndjson", ""),
        ("performance.ndjson", "{\"id\": \"p1\", \"rps\": 1}\n{\"id\": \"p2\", \"rp"),
        ("evaluations.ndjson", "\n"),
        ("evaluations.ndjson", "{\"benchm"),
        ("metadata.json", ""),
        ("metadata.json", "{\"id\": \"org/o"),
    ] {
        write();
        api.catalog.load().await.unwrap();
        assert_eq!((artifacts().await, state(&api, "models").await["status"].as_str()), (Some(3), Some("available")));
        files.write(&format!("measured/m/{file}"), text);
        let summary = api.catalog.load().await.unwrap();
        assert_eq!(artifacts().await, Some(3), "{file}: {text}");
        assert!(
            summary.problems.iter().any(|problem| problem.location.contains(file)),
            "{file}: {:?}",
            summary.problems
        );
        assert_eq!(count(&api).await, (2, 1), "{file}: {text}");
        if file != "metadata.json" {
            let state = state(&api, "models").await;
            assert_eq!(state["status"], "partially-available", "{file}: {text}");
            assert!(state["error"].as_str().unwrap().contains("the stored metrics of the model stay"), "{state}");
        }
    }
    // A model that is not stored yet is published with what can be read.
    files.write("measured/m/metadata.json", metadata);
    files.write("measured/m/performance.ndjson", "{\"id\": \"p1\", \"rps\": 1}\n{\"id\": \"p2\", \"rp");
    files.write("measured/m/evaluations.ndjson", evaluations);
    let fresh = Api::on(Backend::Sqlite, settings).await;
    assert_eq!(fresh.get("sources/a/models/org/one/artifacts").await.json()["size"], 2);
    // Without the files there are no metrics.
    std::fs::remove_file(files.path("measured/m/performance.ndjson")).unwrap();
    std::fs::remove_file(files.path("measured/m/evaluations.ndjson")).unwrap();
    api.catalog.load().await.unwrap();
    assert_eq!(artifacts().await, Some(0));
}
