//! Keys that limit what a source publishes: wherever they are written, they are honoured or an error of the source.

use model_registry_catalog::check;
use model_registry_testkit::Backend;

use crate::support::{Api, Files};

const MODELS: &str = "models: [{name: org/open}, {name: org/secret}]";
const SERVERS: &str = "mcp_servers: [{name: open}, {name: secret}]";

fn files(section: &str, keys: &str, properties: &str) -> Files {
    let sources =
        format!("{section}:\n- {{id: a, type: yaml{keys}, properties: {{yamlCatalogPath: a.yaml{properties}}}}}\n");
    let data = if section == "mcp_catalogs" { SERVERS } else { MODELS };
    Files::new(&[("sources.yaml", &sources), ("a.yaml", data)])
}

#[tokio::test]
async fn patterns_below_properties_and_single_patterns_count() {
    for (section, keys, properties) in [
        ("model_catalogs", "", ", includedModels: ['*/open']"),
        ("model_catalogs", "", ", excludedModels: ['*/secret']"),
        ("model_catalogs", ", excludedModels: ['nothing']", ", excludedModels: '*/secret'"),
        ("model_catalogs", ", includedModels: '*/open'", ""),
        ("catalogs", "", ", includedModels: '*/open'"),
        ("mcp_catalogs", "", ", includedServers: [open]"),
        ("mcp_catalogs", "", ", excludedServers: [secret]"),
    ] {
        let files = files(section, keys, properties);
        let report = check(&files.settings());
        assert_eq!(report.problems, [], "{keys} {properties}");
        assert_eq!(report.sources[0].items, 1, "{section} {keys} {properties}");
        let api = Api::on(Backend::Sqlite, files.settings()).await;
        let list = if section == "mcp_catalogs" { "/api/mcp_catalog/v1alpha1/mcp_servers" } else { "models" };
        assert!(api.names(list).await[0].ends_with("open"), "{section} {keys} {properties}");
    }
}

#[test]
fn a_key_that_seems_to_limit_a_source_is_an_error_of_the_source() {
    for (section, keys, properties, part) in [
        ("model_catalogs", ", includedServers: [open]", "", "unknown key `includedServers`"),
        ("model_catalogs", ", includeModels: ['*/open']", "", "did you mean `includedModels`?"),
        ("model_catalogs", ", included_models: ['*/open']", "", "did you mean `includedModels`?"),
        ("model_catalogs", ", exclude: ['*/secret']", "", "unknown key `exclude`"),
        ("model_catalogs", ", enabeld: false", "", "did you mean `enabled`?"),
        ("model_catalogs", ", disabled: true", "", "unknown key `disabled`"),
        ("model_catalogs", ", filters: [x]", "", "unknown key `filters`"),
        ("model_catalogs", ", includedModels: ", "", "`includedModels`: expected a list, found nothing"),
        ("model_catalogs", ", includedModels: {a: b}", "", "`includedModels`: expected a list, found a map"),
        ("model_catalogs", ", includedModels: ['*']", ", includedModels: ['*/open']", "remove one of them"),
        ("model_catalogs", "", ", includedModels: ", "`includedModels`: expected a list, found nothing"),
        ("model_catalogs", "", ", includedServers: [open]", "did you mean `includedModels`?"),
        ("model_catalogs", "", ", excludeModels: ['*/secret']", "did you mean `excludedModels`?"),
        ("model_catalogs", "", ", enabled: false", "property `enabled` is unknown"),
        ("mcp_catalogs", ", includedModels: [open]", "", "did you mean `includedServers`?"),
        ("mcp_catalogs", "", ", excludedModels: [secret]", "did you mean `excludedServers`?"),
    ] {
        let files = files(section, keys, properties);
        let report = check(&files.settings());
        let problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 1, "{keys} {properties}: {problems:?}");
        assert!(problems[0].contains(part), "{keys} {properties}: {problems:?}");
        assert_eq!((report.sources[0].status, report.sources[0].items), ("error", 0), "{keys} {properties}");
    }
}

#[tokio::test]
async fn an_unknown_key_that_limits_nothing_is_ignored_with_a_notice() {
    let files = files("model_catalogs", ", colour: red, nmae: A, labels: one", "");
    let api = Api::on(Backend::Sqlite, files.settings()).await;
    assert_eq!(api.names("models").await.len(), 2);
    let source = api.get("sources").await.json()["items"][0].clone();
    assert_eq!((&source["status"], &source["labels"]), (&"available".into(), &serde_json::json!(["one"])));
    let notices = source["error"].as_str().unwrap();
    assert!(notices.contains("unknown key `nmae`, which is ignored, did you mean `name`?"), "{notices}");
}
